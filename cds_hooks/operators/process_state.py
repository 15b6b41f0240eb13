"""How this web process and what it shares with others stand now: the facts of the operators' page, without a judgement.

Input: the parts of the process. Output: one State, asked for within a second or two whatever hangs. What could not be learned is None,
never a good answer.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from prometheus_client import Gauge

from cds_hooks.memory.acceptance import Acceptance
from cds_hooks.memory.counted_readings import CountedReadings, Drift
from cds_hooks.memory.feedback import FeedbackStore
from cds_hooks.operators.minutes import Added, Minutes, look
from cds_hooks.settings import Settings
from cds_hooks.switches import Switch
from cds_hooks.switches_file import SwitchBoard
from cds_hooks.watch import MUTED, OUTBOX_ENTRIES, SUGGESTIONS
from worker.client import ReadingClient
from worker.watch import CLOCK_SKEW_SECONDS

if TYPE_CHECKING:
    from worker.queue_store import QueueState

ASK_SECONDS = 1.5
"""For each question to a database, all asked at once."""
MINUTE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Queue:
    """Workers behind Redis."""

    state: QueueState | None
    """None = Redis does not answer."""
    left_alone: bool
    silent: bool
    canary_seconds: float | None
    """A canary's way through the queue and a worker; None = lost, or none was sent yet."""
    limit: int
    skew_seconds: float


@dataclass(frozen=True, slots=True)
class State:
    """What the page tells."""

    at: datetime
    begun: datetime
    ready: bool | None
    queue: Queue | None
    """None where this process reads by itself."""
    loaded: bool | None
    """Is the model in this process loaded? None where it does not say."""
    feedback_ready: bool | None
    outbox: int
    hour: Added
    minutes: Sequence[Added]
    model_version: str
    """Empty = not known yet."""
    knowledge_version: str
    acceptance: Sequence[Acceptance]
    """All tenants together, `tenant` is empty."""
    muted: dict[str, int]
    """Tenants that a diagnosis is muted for."""
    drift: Drift | None
    switches: Sequence[Switch]
    switches_faulty: bool | None
    """None where there is no file."""
    calls_per_second: float
    deadline_seconds: float
    acceptance_days: int


class Watched:
    """The parts of one process that the page asks."""

    def __init__(
        self,
        settings: Settings,
        client: ReadingClient,
        board: SwitchBoard,
        ready: Callable[[], Awaitable[bool]],
        feedback: FeedbackStore,
        readings: CountedReadings,
    ) -> None:
        self._settings = settings
        self._client: Any = client
        """Only a client in front of a queue has a `state`."""
        self._board = board
        self._ready = ready
        self._feedback = feedback
        self._readings = readings
        self._minutes = Minutes()
        self._begun = datetime.now(UTC)

    async def run(self) -> None:
        """Keep a look each minute, until cancelled."""
        while True:
            await asyncio.sleep(MINUTE_SECONDS)
            queue = await self._queue_state()
            self._minutes.keep(look(queue.waiting if queue else None))

    async def state(self) -> State:
        """Everything, asked for now."""
        queue, ready, feedback_ready = await asyncio.gather(
            self._queue_state(), _in_time(self._ready()), _in_time(self._feedback.ready())
        )
        settings, readings, now = self._settings, self._readings, look(queue.waiting if queue else None)
        return State(
            at=now.at,
            begun=self._begun,
            ready=ready,
            queue=self._queue(queue) if hasattr(self._client, "state") else None,
            loaded=getattr(self._client, "ready", None),
            feedback_ready=feedback_ready,
            outbox=round(_value(OUTBOX_ENTRIES)),
            hour=self._minutes.last_hour(now),
            minutes=self._minutes.by_minute(),
            model_version=(queue.model_version if queue else "") or readings.model_version,
            knowledge_version=readings.knowledge_version,
            acceptance=_acceptance(),
            muted={labels["diagnosis"]: round(count) for labels, count in _values(MUTED)},
            drift=readings.drift,
            switches=self._board.now.switches,
            switches_faulty=self._board.faulty if settings.switches_file else None,
            calls_per_second=settings.calls_per_second,
            deadline_seconds=settings.deadline_ms / 1000,
            acceptance_days=settings.acceptance_days,
        )

    async def _queue_state(self) -> QueueState | None:
        return await self._client.state() if hasattr(self._client, "state") else None

    def _queue(self, state: QueueState | None) -> Queue:
        client, skew = self._client, _value(CLOCK_SKEW_SECONDS)
        return Queue(
            state,
            left_alone=client.left_alone,
            silent=client.workers_silent,
            canary_seconds=client.canary_seconds,
            limit=client.queue_limit,
            skew_seconds=skew if math.isfinite(skew) else 0.0,
        )


async def _in_time(asked: Awaitable[bool]) -> bool | None:
    """None when it cannot be told."""
    try:
        async with asyncio.timeout(ASK_SECONDS):
            return await asked
    except Exception:
        return None


def _values(gauge: Gauge) -> list[tuple[dict[str, str], float]]:
    return [(sample.labels, sample.value) for family in gauge.collect() for sample in family.samples]


def _value(gauge: Gauge) -> float:
    return next((value for _, value in _values(gauge)), 0.0)


def _acceptance() -> list[Acceptance]:
    """From the gauges: they hold what the last count in the common database found."""
    counts: dict[str, dict[str, int]] = {}
    for labels, value in _values(SUGGESTIONS):
        counts.setdefault(labels["diagnosis"], {})[labels["outcome"]] = round(value)
    return [
        Acceptance("", diagnosis, one.get("shown", 0), one.get("accepted", 0), one.get("overridden", 0))
        for diagnosis, one in counts.items()
    ]
