"""How many machines a hospital, a region and a country need: costs measured in this run, the queue of a day simulated.

Measured: CPU time of worker and web process for each kind of opening, by the replay of clinic_day (real service, Redis, one
worker; two patients before it warm both up). Simulated: a day's openings through the product's queue (queue_simulation) by an
assumed curve of visits (clinic_arrivals), for several numbers of workers of one core each. `--write docs/capacity.md`.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import clinic_day
from benchmarks.capacity_plot import plot
from benchmarks.clinic_arrivals import (
    AFTERNOON,
    AGAIN,
    FIRST,
    NEW_NOTE,
    VISITS_BY_HOUR,
    Keeping,
    around_the_busiest_hour,
    busiest_hour,
    jobs,
)
from benchmarks.queue_simulation import Jobs, Served, simulate
from benchmarks.section import shipped_model

KINDS = (FIRST, AGAIN, NEW_NOTE, AFTERNOON)
WARM_UP = 2
"""Patients opened before anything is counted."""
QUICK = 0.5
"""Seconds that CDS Hooks asks for."""
DEADLINE = 1.4
"""DXSPAN_DEADLINE_MS less DXSPAN_RESERVE_MS, in seconds."""
PATIENCE = 0.9 * DEADLINE
"""A chart not begun by then is not read for its caller (worker/reading_budget.py)."""
GOAL = 0.995
"""Share of openings that must be answered from a reading, whole or in part, by the deadline."""
WEB_USE = 0.6
"""Of a web process's core at the busiest hour."""
CORES = 16
"""Of the machine counted in."""
PLACES = {"hospital": 10_000, "region": 100_000, "country": 1_000_000, "a million charts": 4_000_000}
"""Openings a day; a chart is opened OPENINGS times."""
OPENINGS = len(KINDS)
KEEPINGS = (
    Keeping("nothing is kept", answers=False, sentences=False),
    Keeping("answers are kept", sentences=False),
    Keeping("answers and sentences are kept"),
    Keeping("and half of the visits read ahead", read_ahead=0.5),
    Keeping("and all visits read ahead", read_ahead=1.0),
)
PLAIN, SHIPPED = KEEPINGS[0], KEEPINGS[2]
"""SHIPPED: as it is installed; reading ahead is switched on by a setting."""


@dataclass(frozen=True)
class Costs:
    """What was measured of charts of one size."""

    notes: int
    sentences: int
    """At most in a note."""
    worker: dict[str, list[float]]
    """CPU seconds of the worker, opening by opening, by kind."""
    web: dict[str, list[float]]
    day: clinic_day.Day
    characters: float
    """Of a note, on average."""

    def worker_ms(self, kind: str) -> float:
        return 1000 * statistics.mean(self.worker[kind])

    def web_ms(self, kind: str) -> float:
        return 1000 * statistics.mean(self.web[kind])

    @property
    def size(self) -> str:
        return f"{self.notes} notes of {self.characters / 1000:.1f} kB"

    @property
    def web_seconds(self) -> float:
        """Of one opening, all kinds alike."""
        return statistics.mean(statistics.mean(self.web[kind]) for kind in KINDS)


@dataclass(frozen=True)
class Needed:
    """Workers for one place."""

    workers: int
    web: int
    per_hour: float
    served: Served

    @property
    def machines(self) -> int:
        return math.ceil((self.workers + self.web) / CORES)


def measure(patients: int, notes: int, sentences: int, seed: int) -> Costs:
    """Replays a day of `patients` with `notes` notes each."""
    with clinic_day.under_way(patients + WARM_UP, notes, seed, sentences=sentences) as (clinic, people, client):
        for patient in people[:WARM_UP]:
            clinic.open(patient, FIRST)
        clinic.day = clinic_day.Day()
        clinic_day.replay(clinic, people[WARM_UP:], client)
    cpu = clinic.day.cpu
    worker = {kind: [of_worker for of_worker, _ in cpu[kind]] for kind in KINDS}
    web = {kind: [of_web for _, of_web in cpu[kind]] for kind in KINDS}
    characters = statistics.mean(len(note) for patient in people for note in patient.notes)
    return Costs(notes, sentences, worker, web, clinic.day, characters)


def needed(openings: int, keeping: Keeping, costs: Costs, seed: int) -> Needed:
    """The least workers that keep GOAL in the busiest hour; two at least, as one may die."""
    day = jobs(openings, keeping, costs.worker, seed)
    _, per_hour = busiest_hour(day)
    hour = around_the_busiest_hour(day)
    workers, served = _least(hour)
    web = max(2, math.ceil(per_hour / 3600 * costs.web_seconds / WEB_USE))
    return Needed(workers, web, per_hour, served)


def _least(hour: Jobs) -> tuple[int, Served]:
    workers = max(2, int(hour.work[hour.waited_for].sum() / 5400))
    served = _served(hour, workers)
    step = max(1, workers // 25)
    while served.unread > 1 - GOAL:
        workers += step
        served = _served(hour, workers)
    return workers, served


def _served(day: Jobs, workers: int) -> Served:
    return simulate(day, workers, patience=PATIENCE, deadline=DEADLINE)


def by_workers(day: Jobs, around: int) -> dict[int, Served]:
    """The whole day with fewer and more workers than `around`."""
    numbers = sorted({max(1, round(around * share)) for share in (0.7, 0.85, 1.0, 1.2, 1.5)})
    return {number: _served(day, number) for number in numbers}


def page(measured: Sequence[Costs], options: argparse.Namespace, plotted: str, model: str) -> Iterator[str]:
    """The page, line by line; the plot is written beside it. model: version of the one that read."""
    plain = measured[-1]
    yield "# Capacity"
    yield ""
    yield f"Written by `make capacity` (`python -m benchmarks.capacity --patients {options.patients} --charts {' '.join(options.charts)} --write docs/capacity.md`);"
    yield "what is measured and what is simulated stands at the top of `benchmarks/capacity.py`. Why it is counted so:"
    yield "[0018](decisions/0018-capacity.md). The machine it ran on is shared and slow; measure on your own before you buy."
    yield f"Model {model}."
    yield ""
    yield from _costs(measured)
    yield from _assumed()
    yield from _places(measured, options.seed)
    yield from _keepings(plain, options.seed)
    yield from _waits(plain, options.seed)
    yield f"![Share answered within {1000 * QUICK:.0f} ms by number of workers]({plotted})"
    yield ""


def _costs(measured: Sequence[Costs]) -> Iterator[str]:
    yield "## What an opening costs, measured"
    yield ""
    yield "Mean CPU milliseconds of one core, tokens not checked; most of each note is copied forward. Openings of a chart that was read"
    yield "ahead cost the web process alone."
    yield ""
    yield ("| opening | " + " | ".join(f"worker, {costs.size} | web, {costs.size}" for costs in measured) + " |")
    yield "|---|" + "---|---|" * len(measured)
    for kind in KINDS:
        cells = " | ".join(f"{costs.worker_ms(kind):.0f} | {costs.web_ms(kind):.0f}" for costs in measured)
        yield f"| {kind} | {cells} |"
    yield ""
    told = ", ".join(
        f"{costs.day.avoided:.0%} of the encoder's work avoided, {costs.day.cached} of {costs.day.openings} openings answered by a kept"
        f" assessment ({costs.size})"
        for costs in measured
    )
    yield f"The replayed days: {told}."
    yield ""


def _assumed() -> Iterator[str]:
    yield "## What is assumed"
    yield ""
    curve = ", ".join(f"{hour}:00 {percent} %" for hour, percent in VISITS_BY_HOUR.items())
    yield f"- Visits begin by this curve: {curve}."
    yield "- Each visit opens its chart four times: at its beginning, 1 to 5 minutes later unchanged, 10 to 25 minutes later with a new"
    yield "  note, 3 to 5 hours later when its answer is forgotten. Charts are as those replayed."
    yield f"- **Openings are not charts**: a million openings a day are {1_000_000 // OPENINGS:,} visits, each with a chart of its own. A million charts a day"
    yield f"  are {1_000_000 * OPENINGS:,} openings, the last place of the table."
    yield "- A worker is one core, reads one chart at a time, and as fast as measured; its time is its CPU time. Network and FHIR servers"
    yield f"  cost nothing. A chart not begun after {PATIENCE:.2f} s is put off and not answered; one not read whole after {DEADLINE} s is answered from"
    yield "  its newest notes, the rest read when nobody waits. A reading that nobody waits for does not give way: a little worse than shipped."
    yield f"- Enough is: {GOAL:.1%} of the busiest hour's openings answered from a reading, whole or in part, by two workers and two web"
    yield f"  processes at least. A web process is one core, used to {WEB_USE:.0%}. Machines have {CORES} cores; Redis and PostgreSQL come on top, and so does"
    yield "  whatever is to stay when a machine or a site is lost."
    yield ""


def _places(measured: Sequence[Costs], seed: int) -> Iterator[str]:
    yield f"## Machines, as it is installed ({SHIPPED.name})"
    yield ""
    yield "| place | charts a day | openings a day | openings in the busiest hour | chart | worker cores | web processes | machines | p95 | whole within 500 ms | in part |"
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    for place, openings in PLACES.items():
        for costs in measured:
            need = needed(openings, SHIPPED, costs, seed)
            yield (
                f"| {place} | {openings // OPENINGS:,} | {openings:,} | {need.per_hour:,.0f} | {costs.size} | {need.workers} | {need.web} | {need.machines} | "
                f"{1000 * need.served.percentile(95):.0f} ms | {need.served.share_within(QUICK):.1%} | {need.served.in_part:.1%} |"
            )
    yield ""


def _keepings(costs: Costs, seed: int) -> Iterator[str]:
    openings = PLACES["country"]
    yield f"## What keeping and reading ahead are worth, at {openings:,} openings of {openings // OPENINGS:,} charts a day and {costs.size}"
    yield ""
    yield "| | worker cores | worker seconds in the busiest hour and a half | p50 | p95 | p99 | within 500 ms |"
    yield "|---|---|---|---|---|---|---|"
    for keeping in KEEPINGS:
        need = needed(openings, keeping, costs, seed)
        waits = " | ".join(f"{1000 * need.served.percentile(percent):.0f} ms" for percent in (50, 95, 99))
        yield f"| {keeping.name} | {need.workers} | {need.served.busy:,.0f} | {waits} | {need.served.share_within(QUICK):.1%} |"
    yield ""


def _waits(costs: Costs, seed: int) -> Iterator[str]:
    openings = PLACES["country"]
    around = needed(openings, SHIPPED, costs, seed).workers
    yield f"## A day of {openings:,} openings ({openings // OPENINGS:,} charts), by number of workers ({costs.size})"
    yield ""
    yield f"From arrival to answer, web process left out; what is answered in part or not at all counts as {DEADLINE} s."
    yield ""
    yield "| worker cores | p50 | p95 | p99 | whole within 500 ms | in part | not answered |"
    yield "|---|---|---|---|---|---|---|"
    for number, served in by_workers(jobs(openings, SHIPPED, costs.worker, seed), around).items():
        waits = " | ".join(f"{1000 * served.percentile(percent):.0f} ms" for percent in (50, 95, 99))
        yield f"| {number} | {waits} | {served.share_within(QUICK):.1%} | {served.in_part:.2%} | {served.unread:.2%} |"
    yield ""


def drawn(costs: Costs, seed: int) -> str:
    """Share within QUICK in the busiest hour over the number of workers, a line for each Keeping."""
    lines: dict[str, list[tuple[float, float]]] = {}
    most = needed(PLACES["country"], PLAIN, costs, seed).workers
    numbers = sorted({max(1, round(most * share / 8)) for share in (2, 3, 4, 5, 6, 8, 10)})
    for keeping in KEEPINGS:
        hour = around_the_busiest_hour(jobs(PLACES["country"], keeping, costs.worker, seed))
        served = ((number, _served(hour, number)) for number in numbers)
        lines[keeping.name] = [(number, one.share_within(QUICK)) for number, one in served]
    return plot(lines)


def main() -> int:
    """Prints or writes the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.capacity", description=__doc__)
    parser.add_argument("--patients", type=int, default=8)
    parser.add_argument("--charts", nargs="+", default=["5x12", "10x120"], help="notes x most sentences of a note")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", type=Path, help="Markdown file; the plot lies beside it, .svg")
    options = parser.parse_args()
    sizes = [tuple(map(int, size.split("x"))) for size in options.charts]
    model = shipped_model()
    measured = [measure(options.patients, notes, sentences, options.seed) for notes, sentences in sizes]
    plotted = (options.write or Path("capacity.md")).with_suffix(".svg")
    written = "\n".join(page(measured, options, plotted.name, model))
    print(written)
    if options.write:
        options.write.write_text(written, encoding="utf-8")
        plotted.write_text(drawn(measured[-1], options.seed), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
