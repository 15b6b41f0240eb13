"""What a part of the benchmarks gives to docs/performance.md: its lines, its aims, and what is plotted of it.

Knows the form alone. Each part has `section(options)`; run alone it prints the same lines that the page shows.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nlp_core.model_bundle import Bundle, composed_bundle_path

PEERS_PYTHON = Path("var/peers/bin/python")
CORES = 2


@dataclass(frozen=True, slots=True)
class Options:
    """What a run is told."""

    peers_python: Path = PEERS_PYTHON
    """Python of the virtual environment that holds the peers (benchmarks.peers)."""
    share: float = 1.0
    """Of the usual number of calls: less for a try, whose figures say little."""

    def times(self, usual: int, least: int = 1) -> int:
        """`usual` turns, or this run's share of them."""
        return max(least, round(usual * self.share))


@dataclass(frozen=True, slots=True)
class Aim:
    """A figure and what it is to be: at most `limit`, or at least where `at_least`."""

    what: str
    found: float
    limit: float
    unit: str = ""
    at_least: bool = False

    @property
    def met(self) -> bool:
        return self.of_limit <= 1

    @property
    def of_limit(self) -> float:
        """1 = exactly the aim; smaller is better, whichever way the aim is meant."""
        worse, better = (self.limit, self.found) if self.at_least else (self.found, self.limit)
        return worse / better if better else float("inf")

    @property
    def row(self) -> str:
        """One row of a Markdown table."""
        sign = "≥" if self.at_least else "≤"
        unit = f" {self.unit}" if self.unit else ""
        verdict = "met" if self.met else "missed"
        return f"| {self.what} | {figure(self.found)}{unit} | {sign} {self.limit:g}{unit} | {verdict} |"


@dataclass(frozen=True, slots=True)
class Section:
    """One part's share of the page."""

    title: str
    lines: Sequence[str]
    """Markdown below the title."""
    aims: Sequence[Aim] = ()
    latencies: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """Milliseconds of each call, by what was called."""
    costs: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """Milliseconds of each note, newest first, by chart."""

    @property
    def markdown(self) -> list[str]:
        return [f"## {self.title}", "", *self.lines, ""]


Measure = Callable[[Options], Section]


def alone(measure: Measure, about: str | None) -> int:
    """Runs one part by itself and prints what it found; 0 whether its aims are met or not: machines are shared."""
    options = parser(about).parse_args()
    keep_to_cores()
    section = measure(Options(options.peers_python, options.share))
    print("\n".join([*section.markdown, *table_of(section.aims)]))
    return 0


def parser(about: str | None) -> argparse.ArgumentParser:
    """The command line of every part, and of all together."""
    found = argparse.ArgumentParser(prog=f"python -m {_module()}", description=about)
    found.add_argument(
        "--peers-python", type=Path, default=PEERS_PYTHON, help="Python that has the peers, see benchmarks/peers.py"
    )
    found.add_argument("--share", type=float, default=1.0, help="of the usual number of calls, for a quick try")
    return found


def keep_to_cores(count: int = CORES) -> None:
    """This process and those it starts from now on run on `count` cores at most: that is what the aims are said for."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])


def table_of(aims: Sequence[Aim]) -> list[str]:
    """A Markdown table of figures and aims; nothing where there are none."""
    return ["| figure | found | aim | |", "|---|---:|---:|---|", *(aim.row for aim in aims), ""] if aims else []


def shipped_model() -> str:
    """Version of the model that is about to be measured, for the head of a page. Raises BundleMissing where none is composed."""
    return Bundle.open(composed_bundle_path()).model_version


def percentile(values: Sequence[float], percent: float) -> float:
    """By interpolation; the largest where there are too few values to tell."""
    if len(values) * (100 - percent) < 100:
        return max(values)
    return statistics.quantiles(values, n=1000, method="inclusive")[round(percent * 10) - 1]


def figure(value: float) -> str:
    """Three digits that count."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _module() -> str:
    name = Path(sys.argv[0]).stem
    return "benchmarks" if name == "__main__" else f"benchmarks.{name}"
