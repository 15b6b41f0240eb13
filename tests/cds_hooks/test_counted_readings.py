"""Readings are counted over processes and restarts, and compared with the site's own first weeks; on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import REGISTRY

from cds_hooks.database import open_engine
from cds_hooks.memory.counted_readings import CountedReadings
from cds_hooks.memory.feedback_store import SqlFeedbackStore
from cds_hooks.operation_outcome import Unavailable
from tests.cds_hooks.assessments import assessment, candidate, chart
from tests.cds_hooks.databases import Database

BEGUN = datetime(2026, 9, 1, 8, tzinfo=UTC)


@pytest.fixture
def store(database: Database) -> Iterator[SqlFeedbackStore]:
    opened = SqlFeedbackStore(open_engine(database.url))
    yield opened
    asyncio.run(opened.close())


def read(
    readings: CountedReadings,
    at: datetime,
    count: int,
    *,
    chinese: bool = False,
    model: str = "one+1",
    silent: bool = False,
) -> None:
    said = assessment(
        candidate(band=None),
        language="zh" if chinese else "en",
        model_version=model,
        silence="weak_evidence" if silent else None,
    )
    for _ in range(count):
        readings.observe(said, chart(), at=at)


async def kept(store: SqlFeedbackStore, readings: CountedReadings, now: datetime) -> CountedReadings:
    await readings.exchange(store, now)
    return readings


def two_weeks(store: SqlFeedbackStore) -> None:
    """600 readings by two processes, and then they end."""

    async def count() -> None:
        for _ in range(2):
            process = CountedReadings()
            for day in range(10):
                read(process, BEGUN + timedelta(days=day), 30)
            await process.exchange(store, BEGUN + timedelta(days=10), ending=True)

    asyncio.run(count())


def drift(store: SqlFeedbackStore, readings: CountedReadings, day: int) -> dict[str, float]:
    asyncio.run(kept(store, readings, BEGUN + timedelta(days=day)))
    assert readings.drift
    return readings.drift.indices


def test_the_last_days_are_compared_with_the_first_ones_of_all_processes(store: SqlFeedbackStore) -> None:
    two_weeks(store)
    same, later = CountedReadings(), CountedReadings()
    read(same, BEGUN + timedelta(days=30), 250)
    assert max(drift(store, same, 31).values()) < 0.1
    read(later, BEGUN + timedelta(days=60), 250, chinese=True)
    found = drift(store, later, 61)
    assert found["language"] > 0.25
    assert found["length"] < 0.1
    assert REGISTRY.get_sample_value("dxspan_drift_stability_index", {"what": "language"}) == found["language"]
    assert REGISTRY.get_sample_value("dxspan_drift_readings", {"part": "reference"}) == 600
    assert REGISTRY.get_sample_value("dxspan_drift_readings", {"part": "recent"}) == 250, (
        "what is a month old is not recent"
    )


def test_another_model_s_answers_are_another_population_and_its_charts_are_not(store: SqlFeedbackStore) -> None:
    two_weeks(store)
    readings = CountedReadings()
    read(readings, BEGUN + timedelta(days=30), 250, model="two+2", silent=True)
    found = drift(store, readings, 31)
    assert "silence" not in found, "the new model has no reference of its own yet"
    assert found["language"] < 0.1
    for day in range(31, 45):
        read(readings, BEGUN + timedelta(days=day), 30, model="two+2", silent=True)
    read(readings, BEGUN + timedelta(days=50), 250, model="two+2")
    assert drift(store, readings, 51)["silence"] > 0.25, "now it is compared with itself"


def test_until_there_is_enough_nothing_is_said(store: SqlFeedbackStore) -> None:
    readings = CountedReadings()
    assert drift(store, readings, 0) == {}
    read(readings, BEGUN, 499)
    read(readings, BEGUN + timedelta(days=20), 300)
    assert drift(store, readings, 21) == {}
    assert REGISTRY.get_sample_value("dxspan_drift_stability_index", {"what": "language"}) is None


def test_an_hour_is_handed_over_once_and_waits_for_a_database_that_is_away(
    store: SqlFeedbackStore, database: Database
) -> None:
    class Away:
        async def write(self, _: object) -> None:
            raise Unavailable("away")

    readings, now = CountedReadings(), BEGUN + timedelta(minutes=90)
    read(readings, BEGUN, 3)
    read(readings, now, 2)
    with pytest.raises(Unavailable):
        asyncio.run(readings.exchange(Away(), now))  # type: ignore[arg-type]
    for _ in range(2):
        asyncio.run(readings.exchange(store, now))
    assert database.count("counted_readings") == 1, "the hour that is not over stays"
    asyncio.run(readings.exchange(store, now, ending=True))
    assert database.count("counted_readings") == 2


def test_what_waits_does_not_grow_without_end() -> None:
    readings = CountedReadings()
    for hour in range(200):
        read(readings, BEGUN + timedelta(hours=hour), 1)
    assert len(readings._hours) == 48
