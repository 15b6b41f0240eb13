"""A state of the process in which all is well, to be changed: with numbers of a busy morning, made up by a seed."""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cds_hooks.memory.acceptance import Acceptance
from cds_hooks.memory.counted_readings import Drift, Population, Populations
from cds_hooks.operators.minutes import Added
from cds_hooks.operators.process_state import Queue, State
from worker.queue_store import QueueState

NOW = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
BOUNDS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.2, 1.4, 1.5, 2.0, math.inf)
NO_EVENTS = {"audit_failures": 0, "quota_refused": 0, "security_events": 0, "last_cards": 0, "fallbacks": 0}
WELL_DRIFT = {
    "language": 0.01, "length": 0.04, "notes": 0.03, "silence": 0.02, "leading_probability": 0.05, "findings": 0.03, "chapter": 0.07,
}  # fmt: skip


def added(minute: int, answers: dict[tuple[str, str], int], seconds: list[float], **changes: Any) -> Added:
    """One stretch of time that ended `minute` minutes ago."""
    buckets = tuple((bound, float(sum(one <= bound for one in seconds))) for bound in BOUNDS)
    until = NOW - timedelta(minutes=minute)
    stretch = Added(until - timedelta(minutes=1), until, +Counter(answers), buckets, NO_EVENTS, 0)
    return replace(stretch, **changes)


def hour(card: int = 300, silent: int = 700, degraded: int = 1, *, slow: float = 0.3, **events: float) -> Added:
    """A whole hour; slow: seconds of the slowest tenth."""
    answers = {("answered", ""): card, ("silent", "no_finding"): silent, ("degraded", "deadline"): degraded}
    total = card + silent + degraded
    seconds = [0.08] * (total * 9 // 10) + [slow] * (total - total * 9 // 10)
    return added(0, answers, seconds, events=NO_EVENTS | events)


def morning() -> list[Added]:
    """Sixty minutes, more and more of them busy."""
    draw = random.Random(20261126)
    minutes = []
    for minute in range(59, -1, -1):
        calls = round(draw.gauss(9 + 14 * math.exp(-(((minute - 25) / 12) ** 2)), 2))
        cards, degraded = round(calls * 0.3), int(minute in (24, 25))
        answers = {("answered", ""): cards, ("silent", "no_finding"): calls - cards, ("degraded", "deadline"): degraded}
        seconds = [draw.lognormvariate(-1.6, 0.5) for _ in range(calls)]
        minutes.append(added(minute, answers, seconds, waiting=max(0, round(draw.gauss(calls / 6 - 1, 1)))))
    return minutes


def populations(readings: int = 900) -> Populations:
    reference, recent = Population(4000, {}), Population(readings, {})
    return Populations(reference, recent, reference, recent, NOW - timedelta(days=40), NOW - timedelta(days=40))


def queue(**changes: Any) -> Queue:
    well = Queue(QueueState(2, 0, "4+0f00baa1c0de"), False, False, 0.04, 64, 0.0)
    return replace(well, **changes)


def well(**changes: Any) -> State:
    state = State(
        at=NOW, begun=NOW - timedelta(days=3), ready=True, queue=queue(), loaded=None, feedback_ready=True, outbox=0,
        hour=hour(), minutes=morning(), model_version="4+0f00baa1c0de", knowledge_version="31",
        acceptance=[
            Acceptance("", "pulmonary_embolism", 412, 131, 120), Acceptance("", "community_acquired_pneumonia", 388, 160, 88),
            Acceptance("", "acute_appendicitis", 61, 9, 20), Acceptance("", "gout", 240, 8, 190), Acceptance("", "lupus", 4, 0, 1),
        ],
        muted={"gout": 1}, drift=Drift(populations(), WELL_DRIFT), switches=(), switches_faulty=False, calls_per_second=200.0,
        deadline_seconds=1.5, acceptance_days=365,
    )  # fmt: skip
    return replace(state, **changes)
