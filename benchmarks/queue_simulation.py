"""The queue of a day, event by event: many workers, charts that somebody waits for before those that nobody does.

Input : jobs in the order of their arrival, how long each takes a worker, and how many workers there are
Output: how long each waited-for job took from arrival to answer, and which were put off
Knows the product's rules alone: fresh before later; a fresh job that cannot be read whole by its deadline is answered then from
what was read, and the rest goes on as a later job; one not begun within `patience` is answered without a reading and goes on as
a later one; an opening whose chart was read ahead in time needs no worker. A later job is not interrupted here, though a real
one gives way at its next note: waits are told a little too long.
"""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Seconds = NDArray[np.float64]
NO_JOB = -1
KEPT_SECONDS = 900.0
"""For so long an answer read ahead is kept."""


@dataclass(frozen=True)
class Jobs:
    """Arrays of one length, in the order of arrival."""

    arrival: Seconds
    work: Seconds
    """Of a worker; 0 = answered by the web process alone, from what is kept."""
    waited_for: NDArray[np.bool_]
    ahead: NDArray[np.int64]
    """The job that read this one's chart ahead, NO_JOB where none did."""


@dataclass(frozen=True)
class Served:
    """What became of the jobs that somebody waited for."""

    seconds: Seconds
    """From arrival to answer."""
    read: NDArray[np.bool_]
    """False where patience ended first."""
    whole: NDArray[np.bool_]
    """False also where a part was read."""
    busy: float
    """Seconds that workers read, all together."""

    def percentile(self, percent: float) -> float:
        return float(np.percentile(self.seconds, percent))

    def share_within(self, seconds: float) -> float:
        """Answered from the whole chart by then."""
        return float((self.whole & (self.seconds <= seconds)).mean())

    @property
    def unread(self) -> float:
        """Share that got no reading."""
        return float(1 - self.read.mean())

    @property
    def in_part(self) -> float:
        """Share answered from what was read until the deadline."""
        return float((self.read & ~self.whole).mean())


class _Shop:
    """Workers and queues as time goes on."""

    def __init__(self, jobs: Jobs, workers: int, patience: float, deadline: float) -> None:
        self.arrival, self.work = jobs.arrival.tolist(), jobs.work.tolist()
        self.waited_for, self.ahead = jobs.waited_for.tolist(), jobs.ahead.tolist()
        self.patience, self.deadline = patience, deadline
        self.free = [0.0] * workers
        self.fresh: deque[int] = deque()
        self.later: deque[int] = deque()
        self.done = [float("inf")] * len(self.arrival)
        self.put_off: set[int] = set()
        self.parted: set[int] = set()
        self.busy = 0.0

    def run_until(self, now: float) -> None:
        """Workers that become free by `now` take what waits."""
        while (self.fresh or self.later) and self.free[0] <= now:
            begun = self.free[0]
            job = self.fresh.popleft() if self.fresh else self.later.popleft()
            begun = max(begun, self.arrival[job])
            if self.waited_for[job] and job not in self.put_off and job not in self.parted:
                self._serve(job, begun)
            else:
                self._work(job, begun, self.work[job])

    def _serve(self, job: int, begun: float) -> None:
        """A job whose caller still waits."""
        left = self.arrival[job] + self.deadline - begun
        if begun - self.arrival[job] > self.patience:
            self.put_off.add(job)
            self.later.append(job)
        elif self.work[job] > left:
            self._work(job, begun, left)
            self.work[job] -= left
            self.parted.add(job)
            self.later.append(job)
        else:
            self._work(job, begun, self.work[job])

    def _work(self, job: int, begun: float, seconds: float) -> None:
        self.done[job] = begun + seconds
        self.busy += seconds
        heapq.heapreplace(self.free, self.done[job])

    def arrive(self, job: int) -> None:
        now, before = self.arrival[job], self.ahead[job]
        read_ahead = before >= 0 and self.done[before] <= now <= self.done[before] + KEPT_SECONDS
        if read_ahead or not self.work[job]:
            self.done[job] = now
        else:
            (self.fresh if self.waited_for[job] else self.later).append(job)


def simulate(jobs: Jobs, workers: int, *, patience: float, deadline: float = float("inf")) -> Served:
    """Serve `jobs` with so many workers; `patience`: seconds after which a waited-for job is not begun for its caller."""
    shop = _Shop(jobs, workers, patience, deadline)
    for job, now in enumerate(shop.arrival):
        shop.run_until(now)
        shop.arrive(job)
    shop.run_until(float("inf"))
    waited = np.flatnonzero(jobs.waited_for)
    seconds = np.asarray(shop.done)[waited] - jobs.arrival[waited]
    read = ~np.isin(waited, np.array(sorted(shop.put_off), np.int64))
    whole = read & ~np.isin(waited, np.array(sorted(shop.parted), np.int64))
    late = patience if deadline == float("inf") else deadline
    return Served(np.where(whole, seconds, late), read, whole, shop.busy)
