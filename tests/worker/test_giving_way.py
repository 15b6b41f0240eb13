"""Readings that nobody waits for stop for those that somebody waits for, and go on later."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest
import redis

from nlp_core.assessment import Assessment
from nlp_core.chart import Chart
from tests.worker.conftest import Queue, chart_of
from tests.worker.plain_reader import PlainReader
from tests.worker.test_tasks import Desk
from worker.chart_store import ChartStore
from worker.in_process_client import InProcessClient
from worker.loaded_model import LoadedModel
from worker.messages import FRESH_QUEUE, KEY_PREFIX, attempts_name, chart_name
from worker.sentence_memory import GaveWay, MarkedReadings, SentenceMemory
from worker.tasks import ReadingDesk

FRESH = f"{KEY_PREFIX}{FRESH_QUEUE}"


class AskingReader(PlainReader):
    """Asks its memory before it reads, as the real one does before each note."""

    def __init__(self, memory: SentenceMemory) -> None:
        super().__init__()
        self._memory = memory

    def assess(self, chart: Chart, *, deadline: float | None = None) -> Assessment:
        self._memory.recall("plain", [chart.notes[0].text])
        return super().assess(chart, deadline=deadline)


class OnceInterrupted(PlainReader):
    """Gives way at its first reading."""

    def assess(self, chart: Chart, *, deadline: float | None = None) -> Assessment:
        self.readings += 1
        if self.readings == 1:
            raise GaveWay
        return super().assess(chart, deadline=deadline)


@pytest.fixture
def desk(own_queue: Queue) -> Iterator[Desk]:
    """On a Redis without workers, so that what lies in the queue stays there."""
    desk = Desk(own_queue)
    memory = SentenceMemory(MarkedReadings(2**20, 60))
    store = ChartStore(desk.redis, desk.sealer, cache_seconds=900)
    model = LoadedModel(lambda: AskingReader(memory))
    desk.desk = ReadingDesk(store, model, desk.put_off.append, memory=memory)
    yield desk
    desk.redis.close()


def test_g15_a_reading_ahead_gives_way_to_an_opened_chart_and_is_no_failed_attempt(desk: Desk) -> None:
    ahead = desk.lay_down(chart_of("read ahead"), wait=0)
    desk.redis.lpush(FRESH, "an opened chart")
    for _ in range(5):
        assert desk.desk.handle(ahead) == "gave-way"
    assert desk.put_off == [ahead] * 5
    assert desk.redis.exists(chart_name(ahead.reading))
    assert int(desk.redis.get(attempts_name(ahead.chart_mark)) or 0) == 0
    desk.redis.delete(FRESH)
    assert desk.desk.handle(ahead) == "read"


def test_g15_an_opened_chart_gives_way_to_none(desk: Desk) -> None:
    opened = desk.lay_down(chart_of("opened"))
    desk.redis.lpush(FRESH, "another opened chart")
    assert desk.desk.handle(opened) == "read"


def test_a_reading_ahead_gives_way_while_redis_does_not_tell(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(self: ChartStore) -> bool:
        raise redis.ConnectionError

    monkeypatch.setattr(ChartStore, "somebody_waits", away)
    assert desk.desk.handle(desk.lay_down(chart_of("read ahead"), wait=0)) == "gave-way"


def test_in_this_process_a_chart_read_ahead_is_there_when_it_is_opened() -> None:
    async def run() -> tuple[bool, bool]:
        client = InProcessClient(load_reader=OnceInterrupted)
        try:
            client.start_loading()
            until = time.monotonic() + 30
            while not client.ready and time.monotonic() < until:
                await asyncio.sleep(0.01)
            chart = chart_of("read ahead")
            taken = await client.precompute(chart, tenant="north")
            while client._ahead and time.monotonic() < until:  # nobody is told when it is done
                await asyncio.sleep(0.01)
            reading = await client.read(chart, tenant="north", deadline=time.monotonic() + 10)
            return taken, reading.cached
        finally:
            await client.close()

    assert asyncio.run(run()) == (True, True)


def test_in_this_process_a_reading_ahead_is_dropped_while_an_opened_chart_is_read() -> None:
    async def run() -> bool:
        client = InProcessClient(load_reader=PlainReader)
        try:
            await client.read(chart_of("loads"), tenant="north", deadline=time.monotonic() + 30)
            opened = asyncio.create_task(
                client.read(chart_of("takes 500 ms"), tenant="north", deadline=time.monotonic() + 10)
            )
            await asyncio.sleep(0.05)
            taken = await client.precompute(chart_of("read ahead"), tenant="north")
            await opened
            return taken
        finally:
            await client.close()

    assert asyncio.run(run()) is False
