"""kombu's Redis transport, less one fault: an entry of the queue that is no message does not end the worker.

Knows how kombu reads an entry. Without this, one junk LPUSH kills the worker process (measured with celery 5.7).
"""

from __future__ import annotations

import logging
from queue import Empty
from typing import Any

from kombu.transport import redis as kombu_redis

from worker.watch import JUNK

log = logging.getLogger(__name__)

NOT_A_MESSAGE = (ValueError, TypeError, KeyError, AttributeError, RecursionError)
"""What kombu raises on an entry that is no JSON, no object, or lacks the fields of a message."""


class Channel(kombu_redis.Channel):
    """Throws junk away, counts it, and never logs it."""

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
