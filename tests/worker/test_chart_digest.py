"""Equal charts have equal digests all day long; any other difference shows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from nlp_core.chart import Chart, Fact, Unread
from tests.worker.conftest import chart_of
from worker.chart_digest import UnwritableChart, chart_digest, chart_json

CHART = chart_of("newest", "older")


def test_a_chart_opened_again_the_same_day_is_the_same() -> None:
    later = CHART.model_copy(
        update={"as_of": CHART.as_of + timedelta(hours=3), "age_years": (CHART.age_years or 0) + 3 / 24 / 365.25}
    )
    assert chart_digest(later) == chart_digest(CHART)


def test_a_chart_opened_the_next_day_is_another() -> None:
    assert chart_digest(CHART.model_copy(update={"as_of": CHART.as_of + timedelta(days=1)})) != chart_digest(CHART)


@pytest.mark.parametrize(
    "change",
    [
        {"age_years": 55.3},
        {"age_years": None},
        {"sex": "male"},
        {"deceased": True},
        {"notes": CHART.notes[:1]},
        {"notes": CHART.notes[::-1]},
        {"facts": (Fact(kind="laboratory", reference="Observation/1", value=6.2),)},
        {"problems_available": False},
        {"unread": (Unread(what="DocumentReference", reason="not-text"),)},
    ],
)
def test_any_other_change_of_the_chart_shows(change: dict[str, Any]) -> None:
    assert chart_digest(CHART.model_copy(update=change)) != chart_digest(CHART)


def test_a_chart_survives_json() -> None:
    assert Chart.model_validate_json(chart_json(CHART)) == CHART


def test_a_lone_surrogate_is_refused_without_repeating_the_text() -> None:
    with pytest.raises(UnwritableChart) as refused:
        chart_digest(chart_of("Erika Mustermann \udc80"))
    assert "Erika" not in str(refused.value)
    assert refused.value.__cause__ is None
