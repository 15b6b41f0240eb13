"""The last hour of this process, minute by minute, from the counters that Prometheus sees too.

Input: cumulative counters. Output: what was added between two looks at them: answers by outcome, quantiles of their time. Keeps a
bounded ring of looks; no answer waits for it. Holds fixed words and numbers, nothing of a tenant or a patient.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from prometheus_client import Counter as PrometheusCounter
from prometheus_client import Histogram

from cds_hooks.watch import ANSWER_SECONDS, ANSWERS, AUDIT_FAILURES, LAST_CARDS, QUOTA_REFUSED, SECURITY_EVENTS
from worker.watch import FALLBACKS

MINUTES = 60
EVENTS: Mapping[str, PrometheusCounter] = {
    "audit_failures": AUDIT_FAILURES,
    "quota_refused": QUOTA_REFUSED,
    "security_events": SECURITY_EVENTS,
    "last_cards": LAST_CARDS,
    "fallbacks": FALLBACKS,
}
Buckets = tuple[tuple[float, float], ...]
"""(upper bound in seconds, how many took no longer)."""


@dataclass(frozen=True, slots=True)
class Look:
    """The counters at one moment, since the process began."""

    at: datetime
    answers: Mapping[tuple[str, str], float]
    """By state and reason."""
    seconds: Buckets
    events: Mapping[str, float]
    waiting: int | None = None
    """Charts in the queue; None without a queue, or when it did not answer."""


@dataclass(frozen=True, slots=True)
class Added:
    """What came between two looks."""

    since: datetime
    until: datetime
    answers: Counter[tuple[str, str]]
    seconds: Buckets
    events: Mapping[str, float]
    waiting: int | None = None
    """At its end."""

    @property
    def total(self) -> int:
        return self.answers.total()

    def of(self, state: str) -> int:
        """Answers of one state."""
        return sum(count for (one, _), count in self.answers.items() if one == state)

    def share(self, state: str) -> float | None:
        """None where there were no answers."""
        return self.of(state) / self.total if self.total else None

    def quantile(self, q: float) -> float | None:
        """Seconds, between the bounds of a bucket as Prometheus does it; inf beyond the last, None without answers."""
        total = self.seconds[-1][1] if self.seconds else 0
        if not total:
            return None
        rank, low, below = q * total, 0.0, 0.0
        for high, count in self.seconds:
            if count >= rank and count > below:
                return high if math.isinf(high) else low + (high - low) * (rank - below) / (count - below)
            low, below = high, count
        return math.inf


def look(waiting: int | None = None, *, at: datetime | None = None) -> Look:
    """The counters now."""
    return Look(
        at=at or datetime.now(UTC),
        answers={(one["state"], one["reason"]): value for one, value in _counts(ANSWERS)},
        seconds=_buckets(ANSWER_SECONDS),
        events={name: sum(value for _, value in _counts(counter)) for name, counter in EVENTS.items()},
        waiting=waiting,
    )


def between(before: Look, after: Look) -> Added:
    """What was added from one look to the next."""
    answers = Counter({key: round(count - before.answers.get(key, 0)) for key, count in after.answers.items()})
    earlier = dict(before.seconds)
    return Added(
        since=before.at,
        until=after.at,
        answers=+answers,
        seconds=tuple((bound, count - earlier.get(bound, 0)) for bound, count in after.seconds),
        events={name: count - before.events.get(name, 0) for name, count in after.events.items()},
        waiting=after.waiting,
    )


class Minutes:
    """Looks a minute apart, an hour of them at most."""

    def __init__(self, first: Look | None = None) -> None:
        self._looks: deque[Look] = deque([first or look()], maxlen=MINUTES + 1)

    def keep(self, new: Look) -> None:
        """One look, a minute after the last."""
        self._looks.append(new)

    def last_hour(self, now: Look) -> Added:
        """Since an hour ago, or since the process began."""
        hour_ago = now.at - timedelta(minutes=MINUTES, seconds=30)
        return between(next((one for one in self._looks if one.at >= hour_ago), now), now)

    def by_minute(self) -> Sequence[Added]:
        """Each whole minute kept, oldest first."""
        return [between(*pair) for pair in pairwise(self._looks)]


def _counts(counter: PrometheusCounter) -> list[tuple[dict[str, str], float]]:
    return [(s.labels, s.value) for family in counter.collect() for s in family.samples if s.name.endswith("_total")]


def _buckets(histogram: Histogram) -> Buckets:
    samples = [s for family in histogram.collect() for s in family.samples if s.name.endswith("_bucket")]
    return tuple((float(s.labels["le"]), s.value) for s in samples)
