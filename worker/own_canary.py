"""A worker's watch over itself: a canary through a queue that it alone takes from; when it is lost the worker ends.

Knows intervals and one list in Redis. A worker may answer pings and yet take no tasks after Redis was away (celery
#10205), unnoticed as long as other workers take them: only one that ends is replaced by whatever runs it. A Redis that
does not answer is no fault of the worker's, and a worker busy with one chart for up to COMPLETE_SECONDS is not stuck.
"""

from __future__ import annotations

import logging
import math
import os
import secrets
import threading
import time
from collections.abc import Callable

import redis
from celery import Celery

from worker.composed_task import TaskComposer
from worker.messages import CANARY_TASK, KEY_PREFIX, Canary, reply_name
from worker.watch import OWN_CANARY_SECONDS

log = logging.getLogger(__name__)

EVERY_SECONDS = 10.0
LOST_AFTER_SECONDS = 18.0
"""Longer than the longest reading, which the canary waits behind; with EVERY_SECONDS less than half a minute."""
MOST_SECONDS_ASLEEP = 0.5
LEFT_BEHIND_SECONDS = 300
"""Life of what a worker that has ended leaves in Redis."""
BINDINGS = ("_kombu.binding.", "_kombu.binding_permanent.")
"""Where kombu notes that a queue exists; a worker takes its tasks without."""
STUCK = 3
"""Exit status of a worker that ended because it took no tasks."""


class OwnCanary:
    """Sends canaries to this worker and waits for them, in a thread of its own."""

    def __init__(self, client: redis.Redis, app: Celery, queue: str) -> None:
        """`queue`: of this worker alone (own_queue); the app must know it."""
        self._redis = client
        self._composer = TaskComposer(app)
        self._queue = queue

    def lost(self, seconds: float) -> bool:
        """Send one; True when it did not come back within `seconds` though Redis kept it all the while."""
        until = time.monotonic() + seconds
        try:
            sent = self._send(Canary(reading=secrets.token_hex(16)), seconds)
            while (left := until - time.monotonic()) > 0:
                if self._redis.brpop([reply_name(sent)], timeout=min(MOST_SECONDS_ASLEEP, left)):
                    OWN_CANARY_SECONDS.set(seconds - left)
                    return False
            redis_forgot = not self._redis.exists(self._mark(sent))
        except redis.RedisError:
            return False
        OWN_CANARY_SECONDS.set(float("inf"))
        return not redis_forgot

    def _send(self, canary: Canary, seconds: float) -> str:
        name, entry = self._composer.compose(CANARY_TASK, canary, queue=self._queue)
        life = math.ceil(2 * seconds) + 1
        with self._redis.pipeline() as pipe:
            pipe.lpush(name, entry)
            pipe.set(self._mark(canary.reading), b"", ex=life)
            for key in (name, *(f"{KEY_PREFIX}{table}{self._queue}" for table in BINDINGS)):
                pipe.expire(key, LEFT_BEHIND_SECONDS)  # nobody else would ever delete them
            pipe.execute()
        return canary.reading

    def _mark(self, reading: str) -> str:
        return f"{KEY_PREFIX}{self._queue}:{reading}"


def own_queue() -> str:
    """A name for the queue of one worker, never used before."""
    return f"own.{secrets.token_hex(8)}"


def watch_itself(canary: OwnCanary, end: Callable[[], None] | None = None) -> threading.Thread:
    """Start the watch. `end` is called once when a canary was lost; None = end the process."""

    def watch() -> None:
        while not canary.lost(LOST_AFTER_SECONDS):
            time.sleep(EVERY_SECONDS)
        log.critical("this worker takes no tasks: its own canary was lost for %.0f s, it ends", LOST_AFTER_SECONDS)
        (end or _end)()

    thread = threading.Thread(target=watch, name="dxspan-own-canary", daemon=True)
    thread.start()
    return thread


def _end() -> None:
    # At once: a worker that is stuck would not get to an orderly end. Its charts come back, being acknowledged late.
    os._exit(STUCK)
