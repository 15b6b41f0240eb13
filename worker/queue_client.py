"""Hands charts to workers through Celery and Redis, and reads them in this process when Redis is down.

Knows the order of steps for one chart and what each fault becomes. Every wait has an end: the deadline for the worker,
0.3 s for Redis. Never asks Celery for a result (`AsyncResult.get` ignores its timeout on a frozen Redis).
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from dataclasses import dataclass

import redis
from pydantic_core import PydanticSerializationError

from nlp_core.chart import Chart
from worker.broker import broker_app
from worker.chart_digest import UnwritableChart, chart_digest, chart_json
from worker.circuit_breaker import CircuitBreaker
from worker.client import Answered, Reading, SpareClient
from worker.composed_task import TaskComposer
from worker.kept_answers import chart_mark
from worker.messages import AskedChart, Canary, QuestionRequest, ReadRequest
from worker.queue_store import LookedUp, QueueState, QueueStore
from worker.redis_connection import async_redis
from worker.settings import QueueSettings
from worker.single_flight import SingleFlight
from worker.tracing import note, span
from worker.watch import BREAKER_OPEN, CANARY_SECONDS, FALLBACKS, READINGS, SHED

log = logging.getLogger(__name__)

REDIS_FAULTS = (redis.RedisError, TimeoutError, OSError)
PRECOMPUTE_SHARE = 0.1
"""Share of the queue's limit beyond which open charts leave no room for those that nobody has opened yet."""
WORTH_ASKING_AGAIN_SECONDS = 0.1
"""A caller that shared someone else's shorter deadline asks for itself when it has more than this left."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One caller's chart, with the mark under which equal charts meet."""

    chart: Chart
    tenant: str
    mark: str


class QueueClient:
    """A `ReadingClient` in front of workers."""

    def __init__(self, settings: QueueSettings, *, fallback: SpareClient | None = None, max_waiting: int = 64) -> None:
        """Connects to nothing yet.

        `fallback` reads in this process while Redis is down or no worker answers; it starts loading at the first fault
        unless it was told to before. `max_waiting`: different charts in hand beyond which a new one is `overloaded`.
        """
        self._settings = settings
        self._sealer = settings.sealer
        tasks = TaskComposer(broker_app(settings))
        self._store = QueueStore(async_redis(settings, connections=2 * max_waiting), self._sealer, tasks)
        self._fallback = fallback
        self._max_waiting = max_waiting
        self._breaker = CircuitBreaker()
        self._flights: SingleFlight[str, Reading] = SingleFlight()
        self._workers_silent = False
        self.canary_seconds: float | None = None
        """What the last canary took, waiting in the queue included; None when it was lost, or none was sent yet."""
        self._pings: SingleFlight[None, None] = SingleFlight()

    async def read(self, chart: Chart, *, tenant: str, deadline: float) -> Reading:
        """See ReadingClient.read."""
        try:
            asked = self._asked(chart, tenant)
        except UnwritableChart:
            return _counted(Reading(None, "reader-failed"))
        if asked.mark not in self._flights and len(self._flights) >= self._max_waiting:
            return _counted(Reading(None, "overloaded"))
        return _counted(await self._share(asked, deadline))

    async def ask(self, question: str, chart: Chart, *, tenant: str, deadline: float) -> Answered:
        """See AskingClient.ask."""
        if self._spare_is_better() or not self._breaker.lets_pass():
            return await self._ask_spare(question, chart, tenant, deadline)
        request = QuestionRequest(reading=secrets.token_hex(16), tenant=tenant)
        life_ms = max(1, int((deadline - time.monotonic()) * 1000))
        try:
            asked = AskedChart(question=question, chart=chart).model_dump_json().encode()
            await self._store.hand_over_question(request, asked, life_ms=life_ms)
            reply = await self._store.answer(request, deadline)
        except (PydanticSerializationError, UnicodeEncodeError):  # a lone surrogate
            return Answered(None, "reader-failed")
        except REDIS_FAULTS as fault:
            self._note_fault(fault)
            return await self._ask_spare(question, chart, tenant, deadline)
        self._note_success()
        return Answered(reply.answer, reply.degraded) if reply else Answered(None, "deadline")

    async def _ask_spare(self, question: str, chart: Chart, tenant: str, deadline: float) -> Answered:
        if self._fallback is None or not self._fallback.ready:
            if self._fallback:
                self._fallback.start_loading()
            return Answered(None, "queue-unavailable")
        FALLBACKS.inc()
        return await self._fallback.ask(question, chart, tenant=tenant, deadline=deadline)

    async def precompute(self, chart: Chart, *, tenant: str) -> bool:
        """Ask for a reading that nobody waits for yet; True when it is on its way or known already.

        The first to be shed when there is much to do: none is taken while open charts wait beyond PRECOMPUTE_SHARE of
        the queue's limit, or while the limit is reached with charts that nobody waits for.
        """
        if not self._breaker.lets_pass():
            return False
        try:
            asked = self._asked(chart, tenant)
            known = await self._store.look_up(tenant, asked.mark)
            if not known.answer and self._too_busy_for_precomputing(known):
                SHED.inc()
                return False
            if not known.answer:
                await self._hand_over(asked, wait_seconds=0.0)
        except UnwritableChart:
            return False
        except REDIS_FAULTS as fault:
            self._note_fault(fault)
            return False
        self._note_success()
        return True

    @property
    def workers_silent(self) -> bool:
        """True since the last canary was lost."""
        return self._workers_silent

    @property
    def left_alone(self) -> bool:
        """True while the queue is left alone after a fault of Redis."""
        return not self._breaker.closed

    @property
    def queue_limit(self) -> int:
        """Charts waiting beyond which a new one is `overloaded`."""
        return self._settings.queue_limit

    async def state(self) -> QueueState | None:
        """What Redis holds now; None when it does not answer, which is not held against it."""
        try:
            return await self._store.state()
        except REDIS_FAULTS:
            return None

    async def canary(self, *, seconds: float = 10.0) -> float | None:
        """Send a task that does nothing through a worker: the seconds it took, or None when none came back in time.

        While the last one was lost, readings go to the fallback where it is ready.
        """
        begun = time.monotonic()
        message = Canary(reading=secrets.token_hex(16))
        try:
            await self._store.send_canary(message)
            alive = await self._store.sign_of_life(message.reading, begun + seconds)
        except REDIS_FAULTS:
            alive = False
        took = time.monotonic() - begun
        self._workers_silent = not alive
        self.canary_seconds = took if alive else None
        CANARY_SECONDS.set(took if alive else float("inf"))
        return took if alive else None

    async def close(self) -> None:
        """Let go of Redis and of the fallback."""
        self._flights.cancel_all()
        self._pings.cancel_all()
        await self._store.close()
        if self._fallback:
            await self._fallback.close()

    def _asked(self, chart: Chart, tenant: str) -> Asked:
        return Asked(chart, tenant, chart_mark(self._sealer, tenant, chart_digest(chart)))

    async def _share(self, asked: Asked, deadline: float) -> Reading:
        """Join a reading of the same chart under way, or begin one."""
        joined = asked.mark in self._flights
        flight = self._flights.join(asked.mark, lambda: self._read(asked, deadline))
        await asyncio.wait({flight}, timeout=max(0.0, deadline - time.monotonic()))
        if not flight.done() or flight.cancelled():
            return Reading(None, "deadline")
        reading = flight.result()
        if joined and reading.degraded == "deadline" and deadline - time.monotonic() > WORTH_ASKING_AGAIN_SECONDS:
            return await self._share(asked, deadline)
        return reading

    async def _read(self, asked: Asked, deadline: float) -> Reading:
        if self._spare_is_better() or not self._breaker.lets_pass():
            return await self._fall_back(asked, deadline)
        try:
            reading = await self._ask_worker(asked, deadline)
        except REDIS_FAULTS as fault:
            self._note_fault(fault)
            return await self._fall_back(asked, deadline)
        self._note_success()
        return reading

    async def _ask_worker(self, asked: Asked, deadline: float) -> Reading:
        with span("look up"):
            known = await self._store.look_up(asked.tenant, asked.mark)
            note({"dxspan.cached": known.answer is not None, "dxspan.waiting": known.waiting})
        if known.answer:
            return Reading(known.answer, cached=True)
        if known.waiting >= self._settings.queue_limit:
            return Reading(None, "overloaded")
        request = await self._hand_over(asked, wait_seconds=deadline - time.monotonic())
        with span("wait"):
            reply = await self._store.reply(request, deadline)
        if reply is None:
            # A slow worker or a frozen Redis? The caller is answered now, the next one profits from the difference.
            self._pings.join(None, self._ping)
            return Reading(None, "deadline")
        return Reading(reply.assessment, reply.degraded, reply.cached)

    def _too_busy_for_precomputing(self, known: LookedUp) -> bool:
        limit = self._settings.queue_limit
        return known.waiting > PRECOMPUTE_SHARE * limit or known.waiting_later >= limit

    async def _hand_over(self, asked: Asked, *, wait_seconds: float) -> ReadRequest:
        request = ReadRequest(
            reading=secrets.token_hex(16),
            tenant=asked.tenant,
            chart_mark=asked.mark,
            wait_ms=max(0, int(wait_seconds * 1000)),
            life_ms=self._settings.payload_seconds * 1000,
        )
        with span("send", kind="PRODUCER"):
            await self._store.hand_over(request, chart_json(asked.chart))
        return request

    async def _ping(self) -> None:
        try:
            await self._store.ping()
        except REDIS_FAULTS as fault:
            self._note_fault(fault)

    def _spare_is_better(self) -> bool:
        return self._workers_silent and self._fallback is not None and self._fallback.ready

    async def _fall_back(self, asked: Asked, deadline: float) -> Reading:
        if self._fallback is None:
            return Reading(None, "queue-unavailable")
        if not self._fallback.ready:
            # The caller is not kept waiting for a model to load: the next one finds it there.
            self._fallback.start_loading()
            return Reading(None, "queue-unavailable")
        FALLBACKS.inc()
        return await self._fallback.read(asked.chart, tenant=asked.tenant, deadline=deadline)

    def _note_fault(self, fault: BaseException) -> None:
        if self._breaker.closed:
            log.error("Redis failed (%s): the queue is left alone for a while", type(fault).__name__)
        self._breaker.failed()
        BREAKER_OPEN.set(1)

    def _note_success(self) -> None:
        self._breaker.succeeded()
        BREAKER_OPEN.set(0)


def _counted(reading: Reading) -> Reading:
    READINGS.labels("queue", "cached" if reading.cached else reading.degraded or "answered").inc()
    return reading
