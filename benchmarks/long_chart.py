"""What each note of a long chart costs: one chart of 500 notes read whole, CPU time taken group by group (note_groups).

Twice: every note new, and most of each copied forward from the one before (clinic_patients). Knows the shipped reader; runs in
this process, on one thread, and counts CPU time, as machines are shared.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from benchmarks.clinic_patients import ClinicPatient, sentences_of
from benchmarks.section import Aim, Options, Section, alone
from nlp_core.assess import Reader
from nlp_core.chart import Chart
from nlp_core.note import Note
from nlp_core.note_groups import NoteGroups, NoteToRead
from training.synthetic_charts.charts import ChartWriter
from worker.sentence_memory import MarkedReadings, SentenceMemory

NOTES, SENTENCES = 500, 3
WARM_UP = 5
"""Notes of another chart that are read first: what the first words of a process cost is not a long chart's."""
PARTS = 5
AIM_LAST_FIFTH = 1.2
"""Flat, with room for a machine's noise."""
WIDTH, HEIGHT, MARGIN = 640, 240, 44


class WatchedGroups(NoteGroups):
    """Notes when each group is begun and when the last one has been read, in seconds of this process's CPU time."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []
        self.moments: list[float] = []

    def of(self, notes: Sequence[Note], deadline: float | None) -> Iterator[list[NoteToRead]]:
        self.sizes, self.moments = [], []
        for group in super().of(notes, deadline):
            self.sizes.append(len(group))
            self.moments.append(time.process_time())
            yield group
        self.moments.append(time.process_time())


def measure(notes: int, sentences: int, seed: int) -> dict[str, list[float]]:
    """CPU milliseconds by note, newest first, the reasoning at the end as the last entry; by how the notes came to be."""
    memory, groups = SentenceMemory(MarkedReadings(256 * 2**20, 3600)), WatchedGroups()
    reader = Reader.load(threads=1, remember=memory.of_model)
    writer = ChartWriter(reader.knowledge, seed=seed, most_notes=3)
    lines = sentences_of(writer)
    new = ["\n".join(next(lines) for _ in range(sentences)) for _ in range(notes)]
    _read(reader, memory, groups, ["\n".join(next(lines) for _ in range(sentences)) for _ in range(WARM_UP)])
    copying = ClinicPatient(0, lines, random.Random(seed))
    for _ in range(notes):
        copying.write_note()
    return {
        "every note new": _read(reader, memory, groups, new),
        "copied forward": _read(
            reader, memory, groups, ["\n".join(text.split("\n")[:sentences]) for text in copying.notes]
        ),
    }


def _read(reader: Reader, memory: SentenceMemory, groups: WatchedGroups, texts: Sequence[str]) -> list[float]:
    now = datetime.now(UTC)
    chart = Chart(
        as_of=now,
        age_years=66.0,
        sex="female",
        notes=tuple(
            Note(reference=f"DocumentReference/{place}", text=text, date=now - timedelta(days=place))
            for place, text in enumerate(texts)
        ),
    )
    reader._charts._groups = groups
    with memory.reading("benchmark"):
        assessment = reader.assess(chart)
    if assessment.notes_unread:
        raise ValueError(f"{assessment.notes_unread} notes were not read: make them shorter")
    *read, reasoned = [1000 * (after - before) for before, after in pairwise([*groups.moments, time.process_time()])]
    return [cost / size for cost, size in zip(read, groups.sizes, strict=True) for _ in range(size)] + [reasoned]


def parts_of(costs: Sequence[float]) -> list[float]:
    """Mean cost of a note in each fifth of the chart, newest first; what came after the last note left out."""
    notes = costs[:-1]
    size = len(notes) // PARTS
    return [statistics.mean(notes[part * size : (part + 1) * size]) for part in range(PARTS)]


def plot(costs: dict[str, list[float]]) -> str:
    """Mean cost of a note over each tenth of the chart, as a small SVG."""
    lines = {name: _smoothed(values[:-1]) for name, values in costs.items()}
    highest = max(max(line) for line in lines.values()) * 1.1
    count = max(len(values) - 1 for values in costs.values())
    drawn = []
    for number, (name, line) in enumerate(lines.items()):
        colour = ("#1f77b4", "#d62728")[number % 2]
        points = " ".join(
            f"{MARGIN + (place + 0.5) / len(line) * (WIDTH - 2 * MARGIN):.1f},"
            f"{HEIGHT - MARGIN - value / highest * (HEIGHT - 2 * MARGIN):.1f}"
            for place, value in enumerate(line)
        )
        drawn.append(f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{points}"/>')
        drawn.append(f'<text x="{MARGIN + 8 + 160 * number}" y="18" fill="{colour}">{name}</text>')
    axis = f"{MARGIN},{MARGIN} {MARGIN},{HEIGHT - MARGIN} {WIDTH - MARGIN},{HEIGHT - MARGIN}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
            f'<polyline fill="none" stroke="black" points="{axis}"/>',
            f'<text x="{MARGIN}" y="{HEIGHT - 26}">newest note</text>',
            f'<text x="{WIDTH - MARGIN - 60}" y="{HEIGHT - 26}">note {count}</text>',
            f'<text x="2" y="{MARGIN - 6}">{highest:.0f} ms</text>',
            *drawn,
            "</svg>",
            "",
        ]
    )


def _smoothed(values: Sequence[float], parts: int = 10) -> list[float]:
    size = max(1, len(values) // parts)
    return [statistics.mean(values[at : at + size]) for at in range(0, size * parts, size) if values[at : at + size]]


def section(options: Options) -> Section:
    """Measures, and says it."""
    costs = measure(options.times(NOTES, 10 * PARTS), SENTENCES, seed=0)
    new = parts_of(costs["every note new"])
    lines = [
        f"One chart of {len(costs['every note new']) - 1} notes, {SENTENCES} sentences each, read without a deadline: CPU time of a note by fifths of the chart, newest",
        "first, as a share of the first fifth of new notes. Flat is at most 1 all along; it falls where sentences recur, as none is read twice.",
        "",
        f"| notes | {' | '.join(f'fifth {part + 1}' for part in range(PARTS))} | reasoning at the end, in notes |",
        "|---|" + "---:|" * (PARTS + 1),
    ]
    for name, values in costs.items():
        shares = " | ".join(f"{part / new[0]:.2f}" for part in parts_of(values))
        lines.append(f"| {name} | {shares} | {values[-1] / new[0]:.0f} |")
    flat = Aim(f"chart of {NOTES} notes, the last fifth's cost, times the first's", new[-1] / new[0], AIM_LAST_FIFTH)
    return Section(f"A chart of {NOTES} notes", lines, [flat], costs=costs)


if __name__ == "__main__":
    sys.exit(alone(section, __doc__))
