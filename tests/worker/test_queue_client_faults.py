"""The client while Redis or its workers fail: an answer no later than the deadline, and the reason in it."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable

from tests.worker.conftest import Queue, ask, chart_of, read, wait_for
from tests.worker.plain_reader import PlainReader
from worker.client import Reading
from worker.in_process_client import InProcessClient
from worker.local_redis import LocalRedis, free_port
from worker.queue_client import QueueClient
from worker.settings import WorkerSettings

GRACE = 0.1
"""No answer may be later than the deadline by more than this, in seconds."""


async def loaded_spare() -> InProcessClient:
    spare = InProcessClient(load_reader=PlainReader)
    spare.start_loading()
    while not spare.ready:
        await asyncio.sleep(0.01)
    return spare


def with_spare(settings: WorkerSettings, work: Callable[[QueueClient], Awaitable[Reading]]) -> Reading:
    async def run() -> Reading:
        client = QueueClient(settings, fallback=await loaded_spare())
        try:
            return await work(client)
        finally:
            await client.close()

    return asyncio.run(run())


async def timed(client: QueueClient, seconds: float, text: str = "a note") -> tuple[Reading, float]:
    begun = time.monotonic()
    reading = await client.read(chart_of(text), tenant="north", deadline=begun + seconds)
    return reading, time.monotonic() - begun


def nobody_there(queue: Queue) -> WorkerSettings:
    return queue.settings(redis_url=f"redis://:x@127.0.0.1:{free_port()}/0")


def test_g05_redis_down_falls_back_in_process(queue: Queue) -> None:
    reading = with_spare(
        nobody_there(queue), lambda client: client.read(chart_of("a note"), tenant="n", deadline=time.monotonic() + 1)
    )
    assert reading.assessment is not None


def test_g05_redis_down_without_a_loaded_model_says_so_within_200_ms(queue: Queue) -> None:
    reading, seconds = ask(nobody_there(queue), lambda client: timed(client, 1.5))
    assert reading.degraded == "queue-unavailable"
    assert seconds < 0.2


def test_g05_the_spare_begins_to_load_at_the_first_fault_and_reads_the_next_chart(queue: Queue) -> None:
    async def run() -> tuple[Reading, Reading]:
        spare = InProcessClient(load_reader=PlainReader)
        client = QueueClient(nobody_there(queue), fallback=spare)
        first, _ = await timed(client, 1)
        while not spare.ready:
            await asyncio.sleep(0.01)
        second, _ = await timed(client, 1)
        await client.close()
        return first, second

    first, second = asyncio.run(run())
    assert first.degraded == "queue-unavailable"
    assert second.assessment is not None


def test_g06_redis_frozen_falls_back_in_process_within_500_ms(own_queue: Queue) -> None:
    async def freeze_and_read(client: QueueClient) -> Reading:
        assert (await timed(client, 0.2))[0].degraded == "deadline"  # connected, but no worker
        os.kill(own_queue.server.pid, signal.SIGSTOP)
        reading, seconds = await timed(client, 1.5)
        assert seconds < 0.5
        again, seconds = await timed(client, 1.5, "another note")  # the breaker is open now
        assert again.assessment is not None
        assert seconds < 0.1
        return reading

    assert with_spare(own_queue.settings(), freeze_and_read).assessment is not None


def test_g06_redis_frozen_before_the_first_connection_is_noticed_as_fast(own_queue: Queue) -> None:
    os.kill(own_queue.server.pid, signal.SIGSTOP)
    reading, seconds = ask(own_queue.settings(), lambda client: timed(client, 1.5))
    assert reading.degraded == "queue-unavailable"
    assert seconds < 0.5


def test_g06_redis_that_freezes_while_we_wait_does_not_hold_the_answer_past_the_deadline(own_queue: Queue) -> None:
    async def freeze_meanwhile(client: QueueClient) -> tuple[Reading, float]:
        asyncio.get_running_loop().call_later(0.2, os.kill, own_queue.server.pid, signal.SIGSTOP)
        return await timed(client, 0.6)

    reading, seconds = ask(own_queue.settings(), freeze_meanwhile)
    assert reading.degraded in ("deadline", "queue-unavailable")
    assert seconds < 0.6 + GRACE


def test_a_frozen_redis_does_not_hold_up_the_event_loop(own_queue: Queue) -> None:
    async def longest_pause(client: QueueClient) -> float:
        await client.canary(seconds=0.1)
        os.kill(own_queue.server.pid, signal.SIGSTOP)
        reading = asyncio.ensure_future(timed(client, 1.0))
        canary = asyncio.ensure_future(client.canary(seconds=0.5))  # publishes without a look-up before
        longest, before = 0.0, time.monotonic()
        while not (reading.done() and canary.done()):
            await asyncio.sleep(0.005)
            longest, before = max(longest, time.monotonic() - before), time.monotonic()
        return longest

    assert ask(own_queue.settings(), longest_pause) < 0.1


def test_g15_a_web_process_that_is_held_up_does_not_take_redis_for_dead(queue: Queue) -> None:
    async def hold_up_meanwhile(client: QueueClient) -> Reading:
        await client.canary(seconds=5)
        reading = asyncio.ensure_future(client.read(chart_of("held up"), tenant="n", deadline=time.monotonic() + 3))
        for _ in range(3):
            await asyncio.sleep(0)
        time.sleep(0.5)
        return await reading

    assert ask(queue.settings(), hold_up_meanwhile).assessment is not None


def test_the_breaker_lets_the_queue_back_in_when_redis_is_back(own_queue: Queue) -> None:
    async def down_and_up(client: QueueClient) -> tuple[Reading, Reading]:
        client._breaker._open_seconds = 0.3  # five seconds of waiting would teach nothing more
        os.kill(own_queue.server.pid, signal.SIGSTOP)
        down, _ = await timed(client, 1)
        os.kill(own_queue.server.pid, signal.SIGCONT)
        await asyncio.sleep(0.35)
        up, _ = await timed(client, 2)
        return down, up

    own_queue.start_worker()
    down, up = ask(own_queue.settings(), down_and_up)
    assert down.degraded == "queue-unavailable"
    assert up.assessment is not None


def test_g07_redis_that_lost_its_data_is_read_anew(own_queue: Queue) -> None:
    own_queue.start_worker()
    chart = chart_of("read, lost, read again")
    assert read(own_queue.settings(), chart).assessment is not None
    with own_queue.redis() as redis:
        redis.flushall()
    again = read(own_queue.settings(), chart)
    assert again.assessment is not None
    assert not again.cached
    assert read(own_queue.settings(), chart).cached  # the model's version is known again too


def test_g07_a_restarted_redis_finds_its_worker_again(own_queue: Queue) -> None:
    worker = own_queue.start_worker()
    old = own_queue.server
    old.stop()
    time.sleep(0.3)
    own_queue.server = LocalRedis(old.server, port=old.port, password=old.password)

    def reads_again() -> bool:
        return read(own_queue.settings(), chart_of("after the restart"), seconds=1).assessment is not None

    wait_for(reads_again, seconds=10)
    assert worker.process.poll() is None


def test_g08_a_worker_killed_at_work_is_a_deadline_and_not_a_moment_later(own_queue: Queue, tmp_path: object) -> None:
    worker = own_queue.start_worker()
    marks = f"{tmp_path}/marks"

    async def kill_meanwhile(client: QueueClient) -> tuple[Reading, float]:
        reading = asyncio.ensure_future(timed(client, 1.0, f"touches {marks} takes 5000 ms"))
        while not os.path.exists(marks):
            await asyncio.sleep(0.01)
        worker.process.send_signal(signal.SIGKILL)
        return await reading

    reading, seconds = ask(own_queue.settings(), kill_meanwhile)
    assert reading.degraded == "deadline"
    assert seconds < 1.0 + GRACE


def test_g08_a_killed_child_of_prefork_is_replaced_and_its_chart_read_again(own_queue: Queue, tmp_path: object) -> None:
    worker = own_queue.start_worker(DXSPAN_WORKER_POOL="prefork")
    marks = f"{tmp_path}/marks"

    async def kill_child(client: QueueClient) -> tuple[Reading, float]:
        reading = asyncio.ensure_future(timed(client, 12.0, f"touches {marks} takes 800 ms"))
        while not os.path.exists(marks):
            await asyncio.sleep(0.01)
        with open(f"/proc/{worker.process.pid}/task/{worker.process.pid}/children") as children:
            os.kill(int(children.read().split()[0]), signal.SIGKILL)
        return await reading

    reading, seconds = ask(own_queue.settings(), kill_child)
    assert reading.assessment is not None
    assert seconds < 12.0


def test_g09_no_worker_is_a_deadline_in_time(own_queue: Queue) -> None:
    reading, seconds = ask(own_queue.settings(), lambda client: timed(client, 0.4))
    assert reading.degraded == "deadline"
    assert seconds < 0.4 + GRACE
