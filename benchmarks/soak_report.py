"""What a soak saw, and its page: answers, memory of each process with a verdict, canaries, faults.

Knows the aims. Memory is judged run by run: a process that was started again begins anew.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from benchmarks.calls_at_once import Answered

DEADLINE_SECONDS = 1.5
GRACE_SECONDS = 0.1
CALLS_PER_SECOND = 8
WARM_UP_SHARE = 0.3
"""Share of a run that does not count for the slope: caches fill, the spare reader is loaded at the first fault."""
ENOUGH_SECONDS = 180.0
"""Of a run after its warm-up: less says nothing about its memory."""
FLAT_MIB_PER_HOUR = 30.0

Samples = list[tuple[float, float]]
"""(seconds, MiB)"""


@dataclass
class Memory:
    """Resident memory of one process, run by run."""

    runs: list[Samples] = field(default_factory=list)
    _pid: int = 0

    def add(self, pid: int, seconds: float, mib: float) -> None:
        """`pid`: another one begins another run."""
        if pid != self._pid:
            self._pid = pid
            self.runs.append([])
        self.runs[-1].append((seconds, mib))

    @property
    def longest(self) -> Samples:
        """Its longest run: the one that is judged."""
        return max(self.runs, key=lambda run: run[-1][0] - run[0][0])

    @property
    def settled(self) -> Samples:
        """That run without its warm-up."""
        return self.longest[int(len(self.longest) * WARM_UP_SHARE) :]

    @property
    def slope(self) -> float:
        """MiB per hour after the warm-up; 0 where there are too few samples."""
        return (
            3600 * statistics.linear_regression(*zip(*self.settled, strict=True)).slope
            if len(self.settled) > 2
            else 0.0
        )

    @property
    def verdict(self) -> Literal["flat", "grows", "too short to tell"]:
        settled = self.settled
        if not settled or settled[-1][0] - settled[0][0] < ENOUGH_SECONDS:
            return "too short to tell"
        return "flat" if self.slope < FLAT_MIB_PER_HOUR else "grows"


@dataclass
class Soak:
    """What was seen."""

    minutes: float
    answers: list[Answered] = field(default_factory=list)
    failed: Counter[str] = field(default_factory=Counter)
    """Calls without an HTTP answer, by kind."""
    faults: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    """Processes that ended and were started again, by name and exit status."""
    memory: dict[str, Memory] = field(default_factory=dict)
    """By the process's name."""
    counted: float = 0.0
    canary_hits: int = 0

    @property
    def late(self) -> int:
        return sum(answer.seconds > DEADLINE_SECONDS + GRACE_SECONDS for answer in self.answers)

    @property
    def outcomes(self) -> Counter[str]:
        return Counter(f"{answer.status} {answer.state} {answer.reason}".strip() for answer in self.answers)

    @property
    def missed(self) -> list[str]:
        """Which aims were missed."""
        checks = {
            "no call was answered": not self.answers,
            f"{sum(self.failed.values())} calls got no answer": bool(self.failed),
            "there were answers other than 200": any(answer.status != 200 for answer in self.answers),
            f"{self.late} answers came late": bool(self.late),
            "not every answer was counted": self.counted != len(self.answers),
            f"{self.canary_hits} canaries were found": bool(self.canary_hits),
            **{f"the memory of {name} grows": one.verdict == "grows" for name, one in self.memory.items()},
        }
        return [what for what, is_so in checks.items() if is_so]


def page(soak: Soak, picture: str | None = None) -> Iterator[str]:
    """The lines of its page, in Markdown; `picture`: the file of the plot beside it."""
    yield from _introduction(soak)
    yield from _figures(soak)
    yield from _memory(soak, picture)
    yield from _table("answer", soak.outcomes)
    yield f"Faults: {_counted(soak.faults)}."
    yield ""
    yield f"Processes that ended and were started again, as a service manager does: {_counted(soak.ended)}. Status -9 is the"
    yield "fault `worker killed`; 3 is a worker that took no tasks any more and ended itself."


def _introduction(soak: Soak) -> Sequence[str]:
    return [
        "# Soak",
        "",
        f"Written by `python -m benchmarks.soak`: {soak.minutes:g} minutes of {CALLS_PER_SECOND} hook calls a second through the",
        "real web process, a real Redis and two workers, while every few seconds one part fails and is mended. Nobody waits",
        f"longer than the deadline of {DEADLINE_SECONDS:g} s and {GRACE_SECONDS * 1000:.0f} ms.",
        "",
        f"**{'All aims are met.' if not soak.missed else 'Missed: ' + '; '.join(soak.missed) + '.'}**",
        "",
    ]


def _figures(soak: Soak) -> Iterator[str]:
    seconds = sorted(answer.seconds for answer in soak.answers) or [0.0]
    figures: list[tuple[str, object, object]] = [
        ("calls", len(soak.answers) + sum(soak.failed.values()), ""),
        ("without an answer", sum(soak.failed.values()), 0),
        ("other than 200", sum(answer.status != 200 for answer in soak.answers), 0),
        ("later than allowed", soak.late, 0),
        ("counted by the web process", f"{soak.counted:.0f} of {len(soak.answers)}", "all"),
        ("median, 99 of 100, slowest", f"{statistics.median(seconds):.3f} s, {seconds[int(len(seconds) * 0.99)]:.3f} s, "
         f"{seconds[-1]:.3f} s", ""),
        ("canaries found in logs, metrics, Redis", soak.canary_hits, 0),
    ]  # fmt: skip
    yield from ["| figure | value | aim |", "|---|---|---|"]
    yield from (f"| {name} | {value} | {aim} |" for name, value, aim in figures)
    yield ""


def _memory(soak: Soak, picture: str | None) -> Iterator[str]:
    yield f"Memory is flat where the longest run of a process, after its first {WARM_UP_SHARE:.0%}, grows by less than"
    yield f"{FLAT_MIB_PER_HOUR:.0f} MiB an hour (by linear regression); {ENOUGH_SECONDS / 60:.0f} minutes of it are needed to tell."
    yield ""
    yield from [
        "| process | runs | longest run, min | first to last, MiB | slope, MiB/h | memory |",
        "|---|---:|---:|---|---:|---|",
    ]
    for name, memory in soak.memory.items():
        run = memory.longest
        lasted, ends = (run[-1][0] - run[0][0]) / 60, f"{run[0][1]:.0f} to {run[-1][1]:.0f}"
        yield f"| {name} | {len(memory.runs)} | {lasted:.1f} | {ends} | {memory.slope:+.0f} | **{memory.verdict}** |"
    yield ""
    if picture:
        yield from [f"![Resident memory of each process over time; a gap is a restart]({picture})", ""]


def _table(name: str, counts: Counter[str]) -> Iterator[str]:
    yield from [f"| {name} | calls |", "|---|---:|"]
    yield from (f"| {what} | {count} |" for what, count in counts.most_common())
    yield ""


def _counted(counts: Counter[str]) -> str:
    return "; ".join(f"{name}: {count}" for name, count in sorted(counts.items())) or "none"
