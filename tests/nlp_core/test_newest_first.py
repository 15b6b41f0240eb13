"""Charts are read newest first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from nlp_core.chart import Problem
from nlp_core.newest_first import CLOCK_SLACK, newest_first

AS_OF = datetime(2026, 6, 1, tzinfo=UTC)


def test_future_dates_come_after_the_past_and_undated_last() -> None:
    def problem(name: str, date: datetime | None) -> Problem:
        return Problem(reference=name, date=date)

    found = [
        problem("undated", None),
        problem("next year", AS_OF + timedelta(days=365)),
        problem("old", datetime(1850, 1, 1, tzinfo=UTC)),
        problem("clock ahead", AS_OF + CLOCK_SLACK),
        problem("recent", AS_OF),
        problem("also recent", AS_OF),
    ]
    names = [entry.reference for entry in newest_first(found, AS_OF)]
    assert names == ["clock ahead", "recent", "also recent", "old", "next year", "undated"]
