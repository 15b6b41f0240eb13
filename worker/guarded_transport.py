"""kombu's Redis transport, less two faults: junk in the queue does not end the worker, clocks apart return no task early.

Knows how kombu reads an entry and how it notes that a task is being worked on. Without this, one junk LPUSH kills the
worker process (measured with celery 5.7), and a worker whose clock is two minutes ahead takes every task that another
one is working on for abandoned and has it read again.
"""

from __future__ import annotations

import logging
import time
from queue import Empty
from typing import Any

from kombu.transport import redis as kombu_redis
from kombu.transport import virtual
from kombu.utils.json import dumps

from worker.watch import CLOCK_SKEW_SECONDS, JUNK

log = logging.getLogger(__name__)

NOT_A_MESSAGE = (ValueError, TypeError, KeyError, AttributeError, RecursionError)
"""What kombu raises on an entry that is no JSON, no object, or lacks the fields of a message."""


SKEW_KEPT_SECONDS = 60.0
"""How long a comparison of this machine's clock with Redis's is believed."""


class QoS(kombu_redis.QoS):
    """Notes by Redis's clock, not by its own, since when a task is worked on."""

    _skew = 0.0
    _compare_again = 0.0

    def append(self, message: Any, delivery_tag: str) -> None:
        delivery = message.delivery_info
        entry = dumps([message._raw, delivery["exchange"], delivery["routing_key"]])  # type: ignore[no-untyped-call]  # kombu is typed in part
        begun = time.time() - self._clock_skew()
        with self.pipe_or_acquire() as pipe:
            pipe.zadd(self.unacked_index_key, {delivery_tag: begun})
            pipe.hset(self.unacked_key, delivery_tag, entry).execute()
        virtual.QoS.append(self, message, delivery_tag)  # type: ignore[no-untyped-call]  # kombu is typed in part

    @property
    def visibility_timeout(self) -> float:
        """kombu takes a task for abandoned that was noted before `time.time() - visibility_timeout`."""
        return float(self.channel.visibility_timeout) + self._clock_skew()

    def _clock_skew(self) -> float:
        """Seconds that this machine's clock is ahead of Redis's."""
        if time.monotonic() >= self._compare_again:
            with self.channel.conn_or_acquire() as client:
                seconds, microseconds = client.time()
            self._skew = time.time() - seconds - microseconds / 1e6
            self._compare_again = time.monotonic() + SKEW_KEPT_SECONDS
            CLOCK_SKEW_SECONDS.set(self._skew)
        return self._skew


class Channel(kombu_redis.Channel):
    """Throws junk away, counts it, and never logs it."""

    QoS = QoS

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)  # type: ignore[no-untyped-call]  # kombu is typed in part
        except NOT_A_MESSAGE as error:
            JUNK.inc()
            log.error("threw away an entry of the queue that is no message (%s)", type(error).__name__)
            raise Empty() from None


class Transport(kombu_redis.Transport):
    """Named in Celery's `broker_transport`."""

    Channel = Channel
