"""The client with a living Redis and a real worker process."""

from __future__ import annotations

import asyncio
import time

from tests.worker.conftest import Queue, ask, chart_of, read, wait_for
from tests.worker.plain_reader import MODEL_VERSION, PlainReader
from worker.client import Reading
from worker.in_process_client import InProcessClient
from worker.messages import FRESH_QUEUE, KEY_PREFIX, LATER_QUEUE, MODEL_VERSION_NAME
from worker.queue_client import QueueClient


def test_g03_a_chart_goes_to_the_worker_and_its_assessment_comes_back(queue: Queue) -> None:
    reading = read(queue.settings(), chart_of("chest pain since this morning"))
    assert reading.degraded is None
    assert not reading.cached
    assert reading.assessment is not None
    assert reading.assessment.candidates[0].evidence_for[0].quote == "chest pain since this morning"
    assert reading.assessment.model_version == MODEL_VERSION


def test_g01_the_same_chart_read_again_is_cached_and_quick(queue: Queue) -> None:
    chart = chart_of("takes 300 ms")

    async def twice(client: QueueClient) -> tuple[Reading, Reading, float]:
        first = await client.read(chart, tenant="north", deadline=time.monotonic() + 5)
        begun = time.monotonic()
        later_the_same_day = chart.model_copy(update={"as_of": chart.as_of.replace(hour=11)})
        second = await client.read(later_the_same_day, tenant="north", deadline=time.monotonic() + 5)
        return first, second, time.monotonic() - begun

    first, second, seconds = ask(queue.settings(), twice)
    assert not first.cached
    assert second.cached
    assert second.assessment == first.assessment
    assert seconds < 0.05


def test_f01_one_tenants_answer_is_never_served_to_another(queue: Queue) -> None:
    chart = chart_of("the same words in two hospitals")
    assert not read(queue.settings(), chart, tenant="north").cached
    assert not read(queue.settings(), chart, tenant="south").cached
    assert read(queue.settings(), chart, tenant="south").cached


def test_f03_charts_opened_at_the_same_time_are_read_once(queue: Queue, tmp_path: object) -> None:
    marks = f"{tmp_path}/marks"
    chart = chart_of(f"takes 200 ms touches {marks}")

    async def forty(client: QueueClient) -> list[Reading]:
        asked = (client.read(chart, tenant="north", deadline=time.monotonic() + 5) for _ in range(40))
        return await asyncio.gather(*asked)

    readings = ask(queue.settings(), forty)
    assert len({id(reading.assessment) for reading in readings}) == 1
    with open(marks) as file:
        assert file.read() == "x"


def test_g04_a_late_reading_answers_deadline_in_time_and_fills_the_cache(queue: Queue) -> None:
    chart = chart_of("takes 600 ms")
    begun = time.monotonic()
    first = read(queue.settings(), chart, seconds=0.25)
    assert first == Reading(None, "deadline")
    assert time.monotonic() - begun < 0.25 + 0.1
    wait_for(lambda: read(queue.settings(), chart, seconds=0.15).cached, seconds=5)


def test_g04_what_was_read_in_time_is_answered_and_the_whole_chart_is_read_for_the_next_call(queue: Queue) -> None:
    chart = chart_of("newest", "takes 700 ms", "oldest")
    first = read(queue.settings(), chart, seconds=0.4)
    assert first.assessment is not None
    assert (first.assessment.notes_read, first.assessment.notes_unread) == (1, 2)

    def whole() -> bool:
        again = read(queue.settings(), chart, seconds=3)
        return again.cached and again.assessment is not None and again.assessment.notes_unread == 0

    wait_for(whole, seconds=5)


def test_g16_answers_of_another_model_are_not_served(queue: Queue) -> None:
    chart = chart_of("read by two models")

    async def across_an_update(client: QueueClient) -> tuple[Reading, Reading]:
        await client.read(chart, tenant="north", deadline=time.monotonic() + 5)
        with queue.redis() as redis:
            redis.set(MODEL_VERSION_NAME, "newer+111111111111", ex=60)
        during = await client.read(chart, tenant="north", deadline=time.monotonic() + 5)
        with queue.redis() as redis:
            redis.set(MODEL_VERSION_NAME, MODEL_VERSION, ex=60)
        after = await client.read(chart, tenant="north", deadline=time.monotonic() + 5)
        return during, after

    during, after = ask(queue.settings(), across_an_update)
    # The old worker still runs here, and answers from its own cache: what counts is that the client did not look there.
    assert during.assessment is not None
    assert after.cached


def test_g12_a_failing_reader_is_a_reason_and_the_third_try_is_not_made(queue: Queue, tmp_path: object) -> None:
    marks = f"{tmp_path}/marks"
    chart = chart_of(f"touches {marks} then fails")
    readings = [read(queue.settings(), chart) for _ in range(4)]
    assert {reading.degraded for reading in readings} == {"reader-failed"}
    with open(marks) as file:
        assert file.read() == "xx"
    assert "quarantined" in queue.workers[0].log


def test_g15_too_many_charts_at_once_are_refused_at_once(queue: Queue) -> None:
    async def three(client: QueueClient) -> list[Reading]:
        charts = [chart_of(f"takes 100 ms {i}") for i in range(3)]
        asked = (client.read(chart, tenant="north", deadline=time.monotonic() + 5) for chart in charts)
        return await asyncio.gather(*asked)

    assert [reading.degraded for reading in ask(queue.settings(), three, max_waiting=2)] == [None, None, "overloaded"]


def test_g15_a_queue_that_is_too_long_takes_no_more(own_queue: Queue) -> None:
    with own_queue.redis() as redis:
        redis.lpush(f"{KEY_PREFIX}{FRESH_QUEUE}", *["waiting"] * 5)
    assert read(own_queue.settings(queue_limit=5), chart_of("one more")).degraded == "overloaded"


def test_g15_a_precomputed_chart_waits_behind_fresh_ones_and_answers_from_the_cache(queue: Queue) -> None:
    early, fresh = chart_of("opened in an hour"), chart_of("open now")

    async def both(client: QueueClient) -> tuple[bool, Reading]:
        sent = await client.precompute(early, tenant="north")
        return sent, await client.read(fresh, tenant="north", deadline=time.monotonic() + 5)

    sent, reading = ask(queue.settings(), both)
    assert sent
    assert reading.assessment is not None
    wait_for(lambda: read(queue.settings(), early).cached, seconds=5)


def test_g15_precomputing_is_shed_before_any_opened_chart(own_queue: Queue) -> None:
    async def both(client: QueueClient) -> tuple[bool, Reading]:
        sent = await client.precompute(chart_of("early"), tenant="north")
        return sent, await client.read(chart_of("open now"), tenant="north", deadline=time.monotonic() + 0.2)

    with own_queue.redis() as redis:
        redis.lpush(f"{KEY_PREFIX}{FRESH_QUEUE}", *["waiting"] * 2)
        sent, reading = ask(own_queue.settings(queue_limit=10), both)
        assert (sent, reading.degraded) == (False, "deadline")  # handed over, though there is no worker
        assert redis.llen(f"{KEY_PREFIX}{FRESH_QUEUE}") == 3
        redis.delete(f"{KEY_PREFIX}{FRESH_QUEUE}")
        redis.lpush(f"{KEY_PREFIX}{LATER_QUEUE}", *["waiting"] * 10)
        assert not ask(own_queue.settings(queue_limit=10), both)[0]
        redis.delete(f"{KEY_PREFIX}{LATER_QUEUE}")
        redis.delete(f"{KEY_PREFIX}{FRESH_QUEUE}")
        assert ask(own_queue.settings(queue_limit=10), both)[0]


def test_a_chart_that_is_no_valid_unicode_is_a_reason_not_an_exception(queue: Queue) -> None:
    assert read(queue.settings(), chart_of("\ud800")).degraded == "reader-failed"


def test_two_megabytes_of_notes_come_through(queue: Queue) -> None:
    assert read(queue.settings(), chart_of(*["x" * 100_000] * 20)).assessment is not None


def test_g09_a_canary_comes_back_from_a_living_worker(queue: Queue) -> None:
    seconds = ask(queue.settings(), lambda client: client.canary(seconds=5))
    assert seconds is not None
    assert seconds < 1


def test_g09_without_workers_the_canary_is_lost_and_readings_go_to_the_spare(own_queue: Queue) -> None:
    async def lose_one(client: QueueClient) -> tuple[float | None, Reading]:
        lost = await client.canary(seconds=0.2)
        return lost, await client.read(chart_of("a note"), tenant="north", deadline=time.monotonic() + 1)

    async def run() -> tuple[float | None, Reading]:
        spare = InProcessClient(load_reader=PlainReader)
        spare.start_loading()
        while not spare.ready:
            await asyncio.sleep(0.01)
        client = QueueClient(own_queue.settings(), fallback=spare)
        try:
            return await lose_one(client)
        finally:
            await client.close()

    lost, reading = asyncio.run(run())
    assert lost is None
    assert reading.assessment is not None


def test_a_caller_with_more_time_than_the_one_it_joined_asks_again(queue: Queue) -> None:
    chart = chart_of("takes 500 ms once more")

    async def hasty_and_patient(client: QueueClient) -> tuple[Reading, Reading]:
        now = time.monotonic()
        hasty = client.read(chart, tenant="north", deadline=now + 0.2)
        patient = client.read(chart, tenant="north", deadline=now + 5)
        first, second = await asyncio.gather(hasty, patient)
        return first, second

    hasty, patient = ask(queue.settings(), hasty_and_patient)
    assert hasty.degraded == "deadline"
    assert patient.assessment is not None
