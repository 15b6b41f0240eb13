"""A worker that takes no tasks any more ends, so that it is replaced; one that is busy, or without Redis, does not."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from tests.worker.conftest import Queue, chart_of, read, wait_for
from worker import own_canary
from worker.broker import broker_app, celery_queue
from worker.own_canary import OwnCanary, own_queue, watch_itself
from worker.reading_budget import COMPLETE_SECONDS
from worker.redis_connection import blocking_redis


def nobody_s(queue: Queue) -> OwnCanary:
    """The canary of a worker that does not exist."""
    app, name = broker_app(queue.settings()), own_queue()
    app.amqp.queues.add(celery_queue(name))
    return OwnCanary(blocking_redis(queue.settings()), app, name)


def test_g09_a_worker_that_takes_no_tasks_any_more_ends_by_itself(own_queue: Queue, tmp_path: Path) -> None:
    stuck = tmp_path / "stuck"
    worker = own_queue.start_worker(PLAIN_STUCK=str(stuck))
    time.sleep(2)  # several canaries, all of which come back
    assert worker.process.poll() is None
    stuck.touch()
    assert worker.process.wait(15) == own_canary.STUCK
    assert "this worker takes no tasks" in worker.log


def test_g09_a_stuck_worker_is_noticed_within_half_a_minute_and_a_busy_one_is_not() -> None:
    assert own_canary.EVERY_SECONDS + own_canary.LOST_AFTER_SECONDS <= 30
    assert own_canary.LOST_AFTER_SECONDS > COMPLETE_SECONDS + 5


def test_a_worker_whose_redis_goes_away_and_comes_back_empty_stays(own_queue: Queue, tmp_path: Path) -> None:
    worker = own_queue.start_worker(PLAIN_STUCK=str(tmp_path / "never"))
    with own_queue.redis() as redis:
        redis.flushall()
    os.kill(own_queue.server.pid, signal.SIGSTOP)
    time.sleep(1.5)
    os.kill(own_queue.server.pid, signal.SIGCONT)
    wait_for(lambda: read(own_queue.settings(), chart_of("again"), seconds=1).assessment is not None, seconds=10)
    assert worker.process.poll() is None


def test_a_lost_canary_is_told_from_one_that_redis_forgot(own_queue: Queue) -> None:
    canary = nobody_s(own_queue)
    assert canary.lost(0.2)
    assert REGISTRY.get_sample_value("dxspan_own_canary_seconds") == float("inf")
    send = canary._send

    def send_and_wipe(*arguments: object) -> str:
        reading = send(*arguments)  # type: ignore[arg-type]  # passed on as they are
        with own_queue.redis() as redis:
            redis.flushall()
        return reading

    canary._send = send_and_wipe  # type: ignore[method-assign]
    assert not canary.lost(0.2)
    own_queue.server.stop()
    assert not canary.lost(0.2)


def test_what_is_left_behind_in_redis_ends_by_itself(own_queue: Queue) -> None:
    worker = own_queue.start_worker()
    with own_queue.redis() as redis:
        wait_for(lambda: len(redis.keys("dxspan:*own.*")) >= 3, seconds=5)  # bindings and the first canary
        time.sleep(0.2)
        worker.stop()
        left = redis.keys("dxspan:*own.*")
        assert all(0 < redis.ttl(key) <= own_canary.LEFT_BEHIND_SECONDS for key in left), left


def test_the_watch_calls_the_end_once(own_queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_canary, "LOST_AFTER_SECONDS", 0.1)
    ended: list[bool] = []
    watch_itself(nobody_s(own_queue), lambda: ended.append(True)).join(5)
    assert ended == [True]
