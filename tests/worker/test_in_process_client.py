"""Reading inside the calling process: by the deadline, off the event loop, once per chart."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from nlp_core.chart import Chart
from tests.worker.conftest import ROOT, chart_of
from tests.worker.plain_reader import PlainReader
from worker.client import Reading
from worker.in_process_client import InProcessClient
from worker.loaded_model import LoadReader

T = TypeVar("T")


def with_client(
    work: Callable[[InProcessClient], Awaitable[T]], load_reader: LoadReader = PlainReader, *, max_waiting: int = 16
) -> T:
    async def run() -> T:
        client = InProcessClient(load_reader=load_reader, max_waiting=max_waiting)
        try:
            return await work(client)
        finally:
            await client.close()

    return asyncio.run(run())


async def read(client: InProcessClient, chart: Chart, seconds: float = 2.0, tenant: str = "north") -> Reading:
    return await client.read(chart, tenant=tenant, deadline=time.monotonic() + seconds)


def test_a_chart_is_read_and_the_second_time_cached() -> None:
    async def twice(client: InProcessClient) -> tuple[Reading, Reading, Reading]:
        chart = chart_of("a note")
        return await read(client, chart), await read(client, chart), await read(client, chart, tenant="south")

    first, second, elsewhere = with_client(twice)
    assert first.assessment is not None
    assert second == Reading(first.assessment, cached=True)
    assert not elsewhere.cached


def test_nothing_is_loaded_before_the_first_reading() -> None:
    loaded: list[int] = []

    def load() -> PlainReader:
        loaded.append(1)
        return PlainReader()

    async def look(client: InProcessClient) -> bool:
        before = client.ready
        assert not loaded
        await read(client, chart_of("a note"))
        await read(client, chart_of("another note"))
        return before

    assert with_client(look, load) is False
    assert loaded == [1]


def test_a_model_still_loading_at_the_deadline_is_the_reason_and_is_there_later() -> None:
    def slowly() -> PlainReader:
        time.sleep(0.3)
        return PlainReader()

    async def early_and_late(client: InProcessClient) -> tuple[Reading, Reading]:
        early = await read(client, chart_of("a note"), 0.05)
        return early, await read(client, chart_of("a note"))

    early, late = with_client(early_and_late, slowly)
    assert early.degraded == "loading"
    assert late.assessment is not None


def test_a_model_that_cannot_be_loaded_is_a_reason_and_not_tried_again_at_once() -> None:
    tried: list[int] = []

    def broken() -> PlainReader:
        tried.append(1)
        raise OSError("no bundle")

    async def twice(client: InProcessClient) -> list[Reading]:
        return [await read(client, chart_of("one")), await read(client, chart_of("two"))]

    assert {reading.degraded for reading in with_client(twice, broken)} == {"reader-failed"}
    assert tried == [1]


def test_reading_leaves_the_event_loop_free() -> None:
    async def longest_pause(client: InProcessClient) -> float:
        reading = asyncio.ensure_future(read(client, chart_of("takes 300 ms")))
        longest, before = 0.0, time.monotonic()
        while not reading.done():
            await asyncio.sleep(0.005)
            longest, before = max(longest, time.monotonic() - before), time.monotonic()
        return longest

    assert with_client(longest_pause) < 0.1


def test_g04_late_work_is_answered_in_time_and_fills_the_cache() -> None:
    async def early_and_late(client: InProcessClient) -> tuple[Reading, float, Reading]:
        chart = chart_of("takes 300 ms")
        begun = time.monotonic()
        early = await read(client, chart, 0.1)
        seconds = time.monotonic() - begun
        await asyncio.sleep(0.5)
        return early, seconds, await read(client, chart, 0.1)

    early, seconds, late = with_client(early_and_late)
    assert early.degraded == "deadline"
    assert seconds < 0.1 + 0.1
    assert late.cached


def test_g04_what_was_read_in_time_is_answered_and_the_rest_follows() -> None:
    async def early_and_late(client: InProcessClient) -> tuple[Reading, Reading]:
        chart = chart_of("newest", "takes 400 ms")
        early = await read(client, chart, 0.2)
        await asyncio.sleep(0.6)
        return early, await read(client, chart)

    early, late = with_client(early_and_late)
    assert early.assessment is not None
    assert early.assessment.notes_unread == 1
    assert late.assessment is not None
    assert late.assessment.notes_unread == 0
    assert late.cached


def test_f03_the_same_chart_at_the_same_time_is_read_once() -> None:
    reader = PlainReader()

    async def forty(client: InProcessClient) -> list[Reading]:
        return await asyncio.gather(*(read(client, chart_of("takes 50 ms")) for _ in range(40)))

    readings = with_client(forty, lambda: reader)
    assert all(reading.assessment for reading in readings)
    assert reader.readings == 1


def test_g15_too_many_charts_at_once_are_refused_at_once() -> None:
    async def three(client: InProcessClient) -> list[Reading]:
        return await asyncio.gather(*(read(client, chart_of(f"takes 50 ms {i}")) for i in range(3)))

    assert [reading.degraded for reading in with_client(three, max_waiting=2)] == [None, None, "overloaded"]


def test_a_failing_reader_is_a_reason_and_its_words_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    reading = with_client(lambda client: read(client, chart_of("Erika Mustermann fails")))
    assert reading.degraded == "reader-failed"
    assert "ValueError" in caplog.text
    assert "Erika" not in caplog.text


def test_a_deadline_in_the_past_is_answered_at_once() -> None:
    assert with_client(lambda client: read(client, chart_of("a note"), -1)).degraded in ("deadline", "loading")


def test_the_clients_load_no_model_library_by_themselves() -> None:
    program = (
        "import sys, worker.in_process_client, worker.queue_client\n"
        "heavy = {'onnxruntime', 'spacy', 'torch', 'transformers', 'tokenizers', 'numpy'} & set(sys.modules)\n"
        "print(sorted(heavy))"
    )
    said = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert said.strip() == "[]"


def test_d13_a_chart_read_without_its_encoder_is_read_anew_next_time() -> None:
    async def twice(client: InProcessClient) -> list[Reading]:
        return [await read(client, chart_of("breaks the encoder")) for _ in range(2)]

    assert [reading.cached for reading in with_client(twice)] == [False, False]
