"""Charts nobody has read, opened one after another: from request to card with 2 and with 10 notes of 3 kB.

The real web process, Redis and one worker that remembers no sentence, so that every word is read. Each chart is opened
twice under different words at the top: once by a web process that waits as long as it takes, for what the whole reading
costs, and once by one with the deadline that is shipped, for what a clinician sees.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from benchmarks.new_charts import NOTE_BYTES, ChartSource
from benchmarks.section import Aim, Options, Section, alone, percentile
from benchmarks.service import service, state_of
from benchmarks.steady_calls import Timed
from cds_hooks.settings import Settings

CHARTS = 25
PATIENT_MS = 60_000
SIZES = {2: 500.0, 10: 1500.0}
"""Notes, and the aim for p95 in milliseconds."""
NO_MEMORY = {"DXSPAN_SENTENCE_MIB": "0"}


@dataclass(frozen=True, slots=True)
class Opened:
    """One chart, opened both ways."""

    whole: Timed
    """By a web process that waits."""
    shipped: Timed
    """By one with the shipped deadline."""


def measure(options: Options) -> dict[int, list[Opened]]:
    """By number of notes."""
    source = ChartSource()
    with service() as running:
        running.start_worker(NO_MEMORY)
        patient = running.start_web({"DXSPAN_DEADLINE_MS": str(PATIENT_MS)})
        shipped = running.start_web()
        for web in (patient, shipped):
            web.call(source.new(1, 500).request())  # the first card of a process loads what cards need
        found: dict[int, list[Opened]] = {notes: [] for notes in SIZES}
        for _ in range(options.times(CHARTS)):
            for notes, opened in found.items():
                chart = source.new(notes)
                whole = patient.call(chart.marked().request())
                opened.append(Opened(whole, shipped.call(chart.marked().request())))
                running.wait_for_idle_workers()  # what the deadline cut off is read to its end
        return found


def section(options: Options) -> Section:
    """Measures, and says it."""
    found = measure(options)
    deadline: int = Settings.model_fields["deadline_ms"].default
    lines = [
        f"Charts nobody has read, one after another, notes of {NOTE_BYTES / 1000:.0f} kB about invented patients; the real web process, signed",
        f"calls, Redis, one worker that remembers no sentence. Read whole: the web process waits. Shipped: the deadline of {deadline} ms, after",
        f"which the card rests on the newest notes, read first. {len(found[2])} charts each.",
        "",
        "| notes | | p50 | p95 | with a card | degraded |",
        "|---|---|---:|---:|---:|---:|",
    ]
    aims: list[Aim] = []
    latencies: dict[str, list[float]] = {}
    for notes, opened in found.items():
        whole, shipped = [one.whole for one in opened], [one.shipped for one in opened]
        lines += [_row(notes, "read whole", whole), _row(notes, "shipped deadline", shipped)]
        aims.append(Aim(f"cold chart of {notes} notes, p95", percentile(_times(shipped), 95), SIZES[notes], "ms"))
        aims.append(_cards(notes, opened))
        latencies |= {f"{notes} notes, read whole": _times(whole), f"{notes} notes, shipped": _times(shipped)}
    return Section("Charts nobody has read", lines, aims, latencies)


def _cards(notes: int, opened: list[Opened]) -> Aim:
    """Of the charts that a whole reading has a card for, those with one inside the deadline."""
    due = [one for one in opened if one.whole.body.get("cards")]
    given = sum(bool(one.shipped.body.get("cards")) for one in due)
    share = 100 * given / len(due) if due else 0.0
    return Aim(f"cold chart of {notes} notes, first card inside the deadline", share, 100, "%", at_least=True)


def _row(notes: int, what: str, calls: list[Timed]) -> str:
    times = _times(calls)
    cards = sum(bool(call.body.get("cards")) for call in calls)
    degraded = sum(state_of(call) not in ("answered", "silent") for call in calls)
    return (
        f"| {notes} | {what} | {percentile(times, 50):.0f} ms | {percentile(times, 95):.0f} ms | {cards} | {degraded} |"
    )


def _times(calls: list[Timed]) -> list[float]:
    return [call.milliseconds for call in calls]


if __name__ == "__main__":
    sys.exit(alone(section, __doc__))
