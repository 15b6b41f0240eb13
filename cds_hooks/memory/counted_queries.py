"""The counts of readings in the feedback database: which hours are the reference, which are the last days.

Input: a connection. Output: populations. The reference is the first REFERENCE_DAYS in which anything was counted, of the site and,
apart, of the model in use; the last days begin no earlier than it ends. Knows the table; what an index is drift knows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select

from cds_hooks.memory.counted_readings import RECENT_DAYS, REFERENCE_DAYS, Population, Populations
from cds_hooks.memory.feedback_tables import CountedHour


def populations(connection: Connection, model_version: str, now: datetime) -> Populations:
    """What is to be compared at `now`. model_version: the one in use; empty = the one of the newest hour."""
    model = model_version or connection.execute(_newest_model()).scalar() or ""
    begun, begun_of_model = _first(connection, None), _first(connection, model)
    if begun is None:
        return Populations()
    reference, recent = _compared(connection, None, begun, now)
    of_model = _compared(connection, model, begun_of_model, now) if begun_of_model else (Population(), Population())
    return Populations(reference, recent, *of_model, begun, begun_of_model)


def _compared(
    connection: Connection, model: str | None, begun: datetime, now: datetime
) -> tuple[Population, Population]:
    ends = begun + timedelta(days=REFERENCE_DAYS)
    reference = _population(connection, model, begun, ends)
    return reference, _population(connection, model, max(ends, now - timedelta(days=RECENT_DAYS)), now)


def _population(connection: Connection, model: str | None, since: datetime, until: datetime) -> Population:
    asked = select(CountedHour.counts).where(CountedHour.hour >= since, CountedHour.hour < until)
    return _summed(connection.execute(asked if model is None else asked.where(CountedHour.model_version == model)))


def _summed(rows: Iterable[Row[Any]]) -> Population:
    sums: dict[str, Counter[str]] = {}
    readings = 0
    for (counts,) in rows:
        for what, classes in counts.items():
            sums.setdefault(what, Counter()).update(classes)
        readings += max((sum(classes.values()) for classes in counts.values()), default=0)
    return Population(readings, sums)


def _first(connection: Connection, model: str | None) -> datetime | None:
    asked = select(func.min(CountedHour.hour))
    found = connection.execute(asked if model is None else asked.where(CountedHour.model_version == model)).scalar()
    return found.replace(tzinfo=UTC) if found and found.tzinfo is None else found


def _newest_model() -> Any:
    return select(CountedHour.model_version).order_by(CountedHour.hour.desc()).limit(1)
