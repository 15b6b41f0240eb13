"""Keeps the latest answers for a short while: the same call repeated gets the same bytes.

Knows keys and bytes. A call is the same when tenant, hookInstance and body are; a client that retries after a lost
connection thus meets its own card, not a second one. In memory only, bounded in number, size and time. The same call
arriving twice at once is answered once.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from cds_hooks.audit.notes import Computed

MAX_ANSWERS = 512
MAX_ANSWER_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class CallKey:
    """What makes two calls the same."""

    tenant: str
    instance: str
    body_digest: bytes
    """See CallBody."""
    switches: int = 0
    """How often the switches had changed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The body of a 200."""

    body: bytes
    keep: bool
    """False for a degraded answer: a repeated call shall try again."""
    computed: Computed | None = None
    """What the audit trail says of it, for whoever is given it."""


class KeptAnswers:
    """Answers by call."""

    def __init__(self, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`seconds`: how long an answer is kept; 0 keeps none."""
        self._seconds = seconds
        self._clock = clock
        self._kept: OrderedDict[CallKey, tuple[float, Answer]] = OrderedDict()
        self._under_way: dict[CallKey, asyncio.Future[Answer]] = {}

    async def once(self, key: CallKey, make: Callable[[], Awaitable[Answer]]) -> Answer:
        """The kept answer for `key`, else the one under way, else a new one from `make`, whose errors are raised."""
        until, kept = self._kept.get(key, (0.0, None))
        if kept and until > self._clock():
            return kept
        if key not in self._under_way:
            self._under_way[key] = asyncio.ensure_future(make())
            self._under_way[key].add_done_callback(lambda done: self._finished(key, done))
        # Shielded: a caller that hangs up must not cancel the answer the other one waits for.
        return await asyncio.shield(self._under_way[key])

    def _finished(self, key: CallKey, done: asyncio.Future[Answer]) -> None:
        del self._under_way[key]
        if done.cancelled() or done.exception():
            return
        answer = done.result()
        if not answer.keep or not self._seconds or len(answer.body) > MAX_ANSWER_BYTES:
            return
        self._kept[key] = (self._clock() + self._seconds, answer)
        self._kept.move_to_end(key)
        while self._kept and (len(self._kept) > MAX_ANSWERS or next(iter(self._kept.values()))[0] <= self._clock()):
            self._kept.popitem(last=False)
