"""Does the knowledge find its own diseases? `dxspan-train simulate`.

Draws patients from the knowledge, blurs and thins them out (simulated_patients), reads them the serving way and lists
which diagnoses are found, which are taken for which, and so where the knowledge itself may be at fault.
Writes docs/simulation.md. It proves consistency, not truth: the patients know no more medicine than the knowledge does.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from nlp_core.assess import Reader
from nlp_core.intervals import wilson
from nlp_core.knowledge import Knowledge
from training.command import Command, deliver
from training.simulated_patients import simulated_patients

MOST_LISTED = 40
"""Lines of the tables of confusions and of diagnoses that are found least."""


@dataclass(frozen=True, slots=True)
class Condition:
    """How much of each patient is known, and what is aimed for."""

    title: str
    known: tuple[float, float]
    rank: int
    aim: float
    """Share of patients whose diagnosis should be within `rank`."""


CONDITIONS = (
    Condition("most findings known", (0.8, 1.0), 1, 0.85),
    Condition("40 % of findings known", (0.4, 0.4), 3, 0.85),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One patient: the diagnosis drawn, the rank it came at (None: excluded), and what came first."""

    drawn: str
    rank: int | None
    first: str


def outcomes(reader: Reader, count: int, known: tuple[float, float], *, seed: int) -> list[Outcome]:
    """Reads `count` patients. A rival with the same ICD-10-CM code is no rival."""
    found = []
    patients = simulated_patients(reader.knowledge, count, seed=seed, known=known)
    for patient in tqdm(patients, total=count, desc=f"known {known[0]:.1f}-{known[1]:.1f}", unit="patient"):
        ranked = [entry.diagnosis for entry, _ in reader.rank(patient.chart)]
        codes = list(dict.fromkeys(diagnosis.icd10cm for diagnosis in ranked))
        code = patient.diagnosis.icd10cm
        rank = codes.index(code) + 1 if code in codes else None
        found.append(Outcome(patient.diagnosis.id, rank, ranked[0].id if ranked else ""))
    return found


def within(found: Sequence[Outcome], most: int) -> float:
    """Share of patients whose diagnosis is among the first `most`."""
    return sum(outcome.rank is not None and outcome.rank <= most for outcome in found) / len(found)


def page(reader: Reader, count: int, *, seed: int) -> str:
    """The whole check as Markdown."""
    read = {condition: outcomes(reader, count, condition.known, seed=seed) for condition in CONDITIONS}
    return "\n".join([*_head(reader.knowledge, count, seed), *_table(read), *_listed(read, reader.knowledge), ""])


def _head(knowledge: Knowledge, count: int, seed: int) -> Iterator[str]:
    yield "# Self-consistency by simulation"
    yield ""
    yield f"Written by `dxspan-train simulate --patients {count} --seed {seed} --write docs/simulation.md` (`make simulation`)."
    yield f"Knowledge {knowledge.version}: {len(knowledge.diagnoses)} diagnoses, {len(knowledge.findings)} findings."
    yield ""
    yield "Patients are drawn from the knowledge and written down as short notes, three in ten in Chinese. Each share is blurred"
    yield "(its log odds by a normal deviate of 0.6), findings are left out, 3 % of those present are denied wrongly, and 1.2"
    yield "unrelated complaints on average are added; onset (three in ten a step off) and setting are stated as often as findings are"
    yield "known. The notes go the way of serving. This shows whether the knowledge agrees with itself; it says nothing of real patients."
    yield ""


def _table(read: dict[Condition, list[Outcome]]) -> Iterator[str]:
    yield "| patients | top-1 | top-3 | top-5 | aim |"
    yield "|---|---:|---:|---:|---|"
    for condition, found in read.items():
        cells = []
        for most in (1, 3, 5):
            share = within(found, most)
            low, high = wilson(share, len(found))
            cells.append(f"{100 * share:.1f} ({100 * low:.0f}–{100 * high:.0f})")
        yield f"| {condition.title} | {' | '.join(cells)} | top-{condition.rank} {100 * condition.aim:.0f} |"
    yield ""


def _listed(read: dict[Condition, list[Outcome]], knowledge: Knowledge) -> Iterator[str]:
    found = [outcome for outcomes_ in read.values() for outcome in outcomes_]
    yield "## What is taken for what"
    yield ""
    yield "Diagnosis drawn, diagnosis that came first instead, patients (both kinds together). Pairs at the top are looked at:"
    yield "either medicine confuses them too, or a distinguishing finding is missing from the knowledge."
    yield ""
    yield "| drawn | came first | patients |"
    yield "|---|---|---:|"
    for (drawn, first), patients in confusions(found, knowledge)[:MOST_LISTED]:
        yield f"| {drawn} | {first} | {patients} |"
    yield ""
    yield "## Found least"
    yield ""
    yield "| diagnosis | patients | within three |"
    yield "|---|---:|---:|"
    for diagnosis, patients, share in found_least(found)[:MOST_LISTED]:
        yield f"| {diagnosis} | {patients} | {100 * share:.0f} % |"


def confusions(found: Sequence[Outcome], knowledge: Knowledge) -> list[tuple[tuple[str, str], int]]:
    """((drawn, first), patients), most frequent first; an equal code is no confusion."""
    pairs = Counter(
        (outcome.drawn, outcome.first)
        for outcome in found
        if outcome.rank != 1 and outcome.first in knowledge.diagnoses
    )
    return sorted(pairs.items(), key=lambda item: (-item[1], item[0]))


def found_least(found: Sequence[Outcome], least_patients: int = 5) -> list[tuple[str, int, float]]:
    """(diagnosis, patients, share within three), worst first, of those drawn at least five times."""
    by_diagnosis: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in found:
        by_diagnosis[outcome.drawn].append(outcome)
    rows = [(name, len(own), within(own, 3)) for name, own in by_diagnosis.items() if len(own) >= least_patients]
    return sorted(rows, key=lambda row: (row[2], row[0]))


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--patients", type=int, default=3000, help="patients per condition (default: 3000)")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--write", type=Path, help="Markdown file to write; without it the page is printed")


def _run(options: Namespace) -> int:
    if options.patients < 1:
        raise ValueError("--patients must be at least 1")
    written = page(Reader.load(calibrated=False), options.patients, seed=options.seed)
    deliver(written, options.write)
    return 0


COMMAND = Command(
    "simulate", "does the knowledge find the diseases it describes? on simulated patients", _arguments, _run
)
