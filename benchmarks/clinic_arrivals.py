"""When charts are opened on a clinic's day, and what each opening asks of a worker.

Input : how many openings a day, what was measured of each kind of opening (clinic_day), what the deployment keeps
Output: Jobs for queue_simulation
Knows an assumed curve of visits, not a measured one: two peaks, a lull at noon, and of each visit the four openings that
clinic_day replays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.queue_simulation import NO_JOB, Jobs, Seconds

VISITS_BY_HOUR = {7: 3, 8: 13, 9: 16, 10: 14, 11: 10, 12: 5, 13: 10, 14: 12, 15: 9, 16: 5, 17: 2, 18: 1}
"""Percent of a day's visits that begin in each hour: assumed."""
HOUR = 3600.0
FIRST, AGAIN, NEW_NOTE, AFTERNOON = (
    "first",
    "again, unchanged",
    "after a new note",
    "in the afternoon, answers forgotten",
)
AFTER_MINUTES = {FIRST: (0.0, 0.0), AGAIN: (1.0, 5.0), NEW_NOTE: (10.0, 25.0), AFTERNOON: (180.0, 300.0)}
"""How long after a visit begins each opening comes, drawn evenly: assumed."""
AHEAD_MINUTES = (2.0, 14.0)
"""How long before it a chart is read ahead."""


@dataclass(frozen=True)
class Keeping:
    """What a deployment keeps and does beforehand."""

    name: str
    answers: bool = True
    sentences: bool = True
    read_ahead: float = 0.0
    """Share of visits."""

    def work(self, kind: str, measured: Mapping[str, Sequence[float]]) -> Sequence[float]:
        """Seconds of a worker that an opening of this kind may cost."""
        if self.answers and kind == AGAIN:
            return [0.0]
        return measured[kind] if self.sentences and kind != AGAIN else measured[FIRST]


def jobs(openings: int, keeping: Keeping, measured: Mapping[str, Sequence[float]], seed: int) -> Jobs:
    """A day's openings, and the readings ahead that come on top."""
    chance = np.random.default_rng(seed)
    visits = openings // len(AFTER_MINUTES)
    begins = _begins(visits, chance)
    columns: list[tuple[Seconds, Seconds, bool]] = []
    for kind, (least, most) in AFTER_MINUTES.items():
        work = chance.choice(np.asarray(keeping.work(kind, measured), float), visits)
        columns.append((begins + 60 * chance.uniform(least, most, visits), work, True))
    read = np.flatnonzero(chance.random(visits) < keeping.read_ahead)
    early = begins[read] - 60 * chance.uniform(*AHEAD_MINUTES, len(read))
    columns.append((early, columns[0][1][read], False))  # its own chart's work, done before
    return _in_order(columns, read)


def _begins(visits: int, chance: np.random.Generator) -> Seconds:
    hours = chance.choice(list(VISITS_BY_HOUR), visits, p=np.array(list(VISITS_BY_HOUR.values())) / 100)
    begins: Seconds = HOUR * (hours + chance.random(visits))
    return begins


def _in_order(columns: Sequence[tuple[Seconds, Seconds, bool]], read: NDArray[np.int64]) -> Jobs:
    """`read`: visits whose first opening (the first column) has a reading ahead (the last column)."""
    arrival = np.concatenate([times for times, _, _ in columns])
    order = np.argsort(arrival, kind="stable")
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    ahead = np.full(len(order), NO_JOB, np.int64)
    ahead[place[read]] = place[len(order) - len(read) + np.arange(len(read))]
    waited_for = np.concatenate([np.full(len(times), waited) for times, _, waited in columns])
    work = np.concatenate([seconds for _, seconds, _ in columns])
    return Jobs(arrival[order], work[order], waited_for[order], ahead)


def busiest_hour(day: Jobs) -> tuple[float, float]:
    """When it begins (hours of the day, on the quarter), and openings in it."""
    openings = day.arrival[day.waited_for]
    starts = np.arange(0, 24, 0.25) * HOUR
    counts = np.searchsorted(openings, starts + HOUR) - np.searchsorted(openings, starts)
    best = int(counts.argmax())
    return float(starts[best] / HOUR), float(counts[best])


def around_the_busiest_hour(day: Jobs) -> Jobs:
    """The busiest hour and the half before it, so that queues and readings ahead have begun."""
    start = busiest_hour(day)[0] * HOUR
    first, last = np.searchsorted(day.arrival, [start - HOUR / 2, start + HOUR])
    ahead = day.ahead[first:last]
    return Jobs(
        day.arrival[first:last],
        day.work[first:last],
        day.waited_for[first:last],
        np.where((ahead >= first) & (ahead < last), ahead - first, NO_JOB),
    )
