"""The web process's side of Redis: looks kept answers up, hands sealed charts over, waits for sealed replies.

Knows keys, seals and lifetimes; chart_store is its counterpart in the worker. Raises Redis's errors: what they mean for
the caller is queue_client's business.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

import redis
import redis.asyncio
from pydantic import ValidationError

from nlp_core.assessment import Assessment
from worker.composed_task import TaskComposer
from worker.kept_answers import answer_mark, opened_answer
from worker.messages import (
    CANARY_TASK,
    FRESH_QUEUE,
    KEY_PREFIX,
    LATER_QUEUE,
    MODEL_VERSION_NAME,
    QUESTION_TASK,
    READ_TASK,
    Canary,
    QuestionReply,
    QuestionRequest,
    ReadReply,
    ReadRequest,
    answer_name,
    chart_name,
    question_name,
    reply_name,
)
from worker.payloads import CannotOpen, Sealer
from worker.redis_connection import FAULT_SECONDS
from worker.watch import CLOCK_SKEW_SECONDS

log = logging.getLogger(__name__)

EVENTS_SECONDS = 0.1
NIL_SECONDS = 0.02
"""Redis is asked to give up waiting this long before we do, which mostly saves the connection from being cut."""
SHORTEST_WAIT_SECONDS = 0.001
HELD_UP_SECONDS = 0.02
"""A timer this late says that this process was held up, not that Redis was."""
ONCE_MORE_SECONDS = 0.1
"""Enough for a reply that lies there already; a frozen Redis is still noticed within half a second."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What Redis knew before anything was asked of a worker."""

    answer: Assessment | None
    waiting: int
    """Charts in the queue that somebody waits for."""
    waiting_later: int
    """Charts in the queue that nobody waits for."""


@dataclass(frozen=True, slots=True)
class QueueState:
    """What Redis holds, the same for every process."""

    waiting: int
    """Charts in the queue that somebody waits for."""
    waiting_later: int
    model_version: str
    """The workers' model, as the last one that started said it; empty where none has."""


class QueueStore:
    """Keys and seals around an asyncio Redis client."""

    def __init__(self, client: redis.asyncio.Redis, sealer: Sealer, tasks: TaskComposer) -> None:
        self._redis = client
        self._tasks = tasks
        self._sealer = sealer
        self._model_version = ""

    async def look_up(self, tenant: str, chart_mark: str) -> LookedUp:
        """The kept answer of the model now in use, if there is one."""
        return await _in_time(lambda seconds: self._look_up(tenant, chart_mark, seconds))

    async def _look_up(self, tenant: str, chart_mark: str, seconds: float) -> LookedUp:
        async with asyncio.timeout(seconds):
            known, sealed, *waiting = await self._fetch(chart_mark)
            if known != self._model_version:  # first call, or another model since: the mark was of the old one
                self._model_version = known
                _, sealed, *waiting = await self._fetch(chart_mark)
        mark = answer_mark(self._sealer, chart_mark, self._model_version)
        return LookedUp(opened_answer(self._sealer, tenant, mark, sealed), *waiting)

    async def _tell(self, events: Sequence[tuple[str, str]]) -> None:
        """Publish events, where they are on; nobody's answer hangs on whether that works."""
        if not events:
            return
        try:
            async with asyncio.timeout(EVENTS_SECONDS), self._redis.pipeline(transaction=False) as pipe:
                for topic, event in events:
                    pipe.publish(topic, event)
                await pipe.execute()
        except (redis.RedisError, TimeoutError, OSError) as fault:
            log.warning("an event of a task could not be published: %s", type(fault).__name__)

    async def hand_over(self, request: ReadRequest, chart: bytes) -> None:
        """Seal a chart under the request's id for `life_ms`, and put the request into the queue: both or neither."""
        sealed = self._sealer.seal(chart, "chart", request.tenant, request.reading, request.chart_mark)
        queue, entry = self._tasks.compose(READ_TASK, request, queue=FRESH_QUEUE if request.wait_ms else LATER_QUEUE)
        events = self._tasks.events

        async def put(seconds: float) -> None:  # twice does no harm: whoever takes the second finds the chart answered
            async with asyncio.timeout(seconds), self._redis.pipeline() as pipe:
                pipe.set(chart_name(request.reading), sealed, px=request.life_ms)
                pipe.lpush(queue, entry)
                await pipe.execute()

        await _in_time(put)
        await self._tell(events)

    async def hand_over_question(self, request: QuestionRequest, asked: bytes, *, life_ms: int) -> None:
        """Seal a question with its chart under the request's id for `life_ms`, and put the request into the queue."""
        sealed = self._sealer.seal(asked, "question", request.tenant, request.reading)
        queue, entry = self._tasks.compose(QUESTION_TASK, request, queue=FRESH_QUEUE)
        events = self._tasks.events
        async with asyncio.timeout(FAULT_SECONDS), self._redis.pipeline() as pipe:
            pipe.set(question_name(request.reading), sealed, px=life_ms)
            pipe.lpush(queue, entry)
            await pipe.execute()
        await self._tell(events)

    async def answer(self, request: QuestionRequest, deadline: float) -> QuestionReply | None:
        """The worker's answer; None when none came by `deadline`."""
        sealed = await self._pop(request.reading, deadline)
        if sealed is None:
            return None
        try:
            plain = self._sealer.open(sealed, "answer", request.tenant, request.reading)
            return QuestionReply.model_validate_json(plain)
        except (CannotOpen, ValidationError):
            return QuestionReply(degraded="reader-failed")

    async def send_canary(self, canary: Canary) -> None:
        """Put a canary into the queue of fresh charts."""
        queue, entry = self._tasks.compose(CANARY_TASK, canary, queue=FRESH_QUEUE)
        async with asyncio.timeout(FAULT_SECONDS), self._redis.pipeline(transaction=False) as pipe:
            pipe.lpush(queue, entry)
            pipe.time()
            _, (seconds, microseconds) = await pipe.execute()
        CLOCK_SKEW_SECONDS.set(time.time() - seconds - microseconds / 1e6)

    async def reply(self, request: ReadRequest, deadline: float) -> ReadReply | None:
        """The worker's reply; None when none came by `deadline`, be the worker slow or Redis frozen."""
        sealed = await self._pop(request.reading, deadline)
        if sealed is None:
            return None
        try:
            plain = self._sealer.open(sealed, "reply", request.tenant, request.reading)
            return ReadReply.model_validate_json(plain)
        except (CannotOpen, ValidationError):
            return ReadReply(degraded="reader-failed")

    async def sign_of_life(self, reading: str, deadline: float) -> bool:
        """True when a worker answered the canary by `deadline`."""
        return await self._pop(reading, deadline) is not None

    async def ping(self) -> None:
        """Raises Redis's errors, TimeoutError included, when it does not answer."""
        async with asyncio.timeout(FAULT_SECONDS):
            await self._redis.ping()

    async def state(self) -> QueueState:
        """Raises Redis's errors, TimeoutError included, when it does not answer."""
        async with asyncio.timeout(FAULT_SECONDS), self._redis.pipeline(transaction=False) as pipe:
            pipe.llen(f"{KEY_PREFIX}{FRESH_QUEUE}")
            pipe.llen(f"{KEY_PREFIX}{LATER_QUEUE}")
            pipe.get(MODEL_VERSION_NAME)
            waiting, waiting_later, version = await pipe.execute()
        return QueueState(waiting, waiting_later, (version or b"").decode(errors="replace"))

    async def close(self) -> None:
        await self._redis.aclose()

    async def _fetch(self, chart_mark: str) -> tuple[str, bytes | None, int, int]:
        mark = answer_mark(self._sealer, chart_mark, self._model_version)
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.get(MODEL_VERSION_NAME)
            pipe.get(answer_name(mark))
            pipe.llen(f"{KEY_PREFIX}{FRESH_QUEUE}")
            pipe.llen(f"{KEY_PREFIX}{LATER_QUEUE}")
            version, sealed, waiting, waiting_later = await pipe.execute()
        return (version or b"").decode(), sealed, waiting, waiting_later

    async def _pop(self, reading: str, deadline: float) -> bytes | None:
        left = deadline - time.monotonic()
        if left <= SHORTEST_WAIT_SECONDS:
            return None
        try:
            async with asyncio.timeout(left):
                # 0 would mean for ever. Redis may answer nil a tenth of a second late: our own clock has the last word.
                popped = await self._redis.blpop([reply_name(reading)], max(SHORTEST_WAIT_SECONDS, left - NIL_SECONDS))
        except TimeoutError:
            return None
        return cast(bytes, popped[1]) if popped else None  # str only with decode_responses


async def _in_time(ask: Callable[[float], Awaitable[T]]) -> T:
    """What `ask` gives within the seconds it is told, asked once more where this process was held up meanwhile."""
    begun = time.monotonic()
    try:
        return await ask(FAULT_SECONDS)
    except TimeoutError:
        if time.monotonic() - begun < FAULT_SECONDS + HELD_UP_SECONDS:
            raise
    return await ask(ONCE_MORE_SECONDS)
