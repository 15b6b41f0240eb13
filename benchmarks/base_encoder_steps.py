"""The way of an encoder from a folder to a card, step by step, over a part of the knowledge: what benchmarks.base_encoders measures.

Each step is a function of paths, so that it can run in a process of its own, and calls what its command calls.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from nlp_core.assessment import Assessment, Language
from nlp_core.chart import Chart
from nlp_core.compose_bundle import compose
from nlp_core.compose_knowledge import add_names, add_shares, add_spelling
from nlp_core.knowledge import Knowledge
from nlp_core.knowledge_files import read_knowledge
from nlp_core.model_bundle import KNOWLEDGE, LEXICONS, NAMES, Bundle
from nlp_core.note import Note

DIAGNOSES = ("influenza", "appendicitis")
"""What the knowledge is cut down to: on one core a base-size encoder takes an hour for one pass over all names and phrases."""
CHANGES = {"measure_sentences": 64, "resting_sentences": 0, "centre_wordings": 1, "threads": 1, "device": "cpu"}
"""Of the shipped recipe, besides the steps: less is measured, no stage at rest, one wording of a kind for a finding's centre."""
_ANY: dict[Language, float] = {"en": -2.0, "zh": -2.0}
"""A likeness that everything has: with random weights nothing is near to anything."""


@dataclass(frozen=True, slots=True)
class Quotes:
    """Words quoted, and of them those that are the note's at their place."""

    count: int
    right: int


@cache
def part_of_the_knowledge() -> Knowledge:
    """DIAGNOSES, their findings, and what those are kinds of."""
    knowledge = read_knowledge()
    kept = {name: knowledge.diagnoses[name] for name in DIAGNOSES}
    steps = (step.finding for one in kept.values() for step in (*one.questions, *one.tests))
    asked = {*steps, *(finding for one in kept.values() for finding in one.shares)} & knowledge.findings.keys()
    named = {name for finding in asked for name in (finding, *knowledge.ancestors(finding))}
    findings = {name: finding for name, finding in knowledge.findings.items() if name in named}
    return Knowledge(version=f"{knowledge.version} in part", findings=findings, diagnoses=kept)


def fit(model: Path, out: Path, steps: int) -> None:
    """As `dxspan-train fit --model MODEL --out OUT --steps STEPS` with CHANGES."""
    from training.model.fit import Training
    from training.model.recipe import SHIPPED, read_recipe

    recipe = read_recipe(SHIPPED).model_copy(update={"steps": steps, **CHANGES})
    out.mkdir()
    Training(recipe, part_of_the_knowledge(), out, model).run()


def export(model: Path, trained: Path, out: Path) -> None:
    """As `dxspan-train export-model --model MODEL --trained TRAINED --out OUT`."""
    from training import export_model

    export_model.export(out, model=model, trained=trained)


def compose_part(target: Path, shipped: Path, model: Path) -> None:
    """As set-up composes."""
    compose(target, shipped=shipped, base=model, extra=(_add_part, add_spelling, add_names, add_shares))


def read(path: Path) -> tuple[float, Quotes]:
    """Opens the bundle and reads one chart, as serving does: processor seconds of the chart alone, and the evidence it gave."""
    from nlp_core.assess import Reader

    reader, chart = Reader.load(path, threads=1), sample_chart()
    began = time.process_time()
    assessment = reader.assess(chart)
    return time.process_time() - began, _evidence(assessment, chart)


def quote_clauses(path: Path) -> Quotes:
    """Every clause that no name explains, quoted by the encoder's tokens; right as words alone quote it."""
    from nlp_core.assess import Reader
    from nlp_core.concepts import ConceptReader
    from nlp_core.name_index import NameIndex
    from nlp_core.onnx_encoder import OnnxEncoder
    from nlp_core.second_reader import HeadsUsed, SecondReader
    from nlp_core.sentence_readings import SentenceEncoder

    chart, bundle = sample_chart(), Bundle.open(path)
    encoder = OnnxEncoder.open(bundle)
    concepts = ConceptReader(encoder, NameIndex.load(bundle.file(NAMES)), least_likeness=_ANY)
    by_tokens = SecondReader(concepts, SentenceEncoder(encoder, bundle.tokenizer()), HeadsUsed(finding=False))
    wanted, found = (
        {
            (read.note.reference, mention.span.start, mention.span.end)
            for read in Reader.load(path, second=second).read(chart).notes
            for mention in read.mentions
            if mention.via == "concept"
        }
        for second in (SecondReader(concepts), by_tokens)
    )
    return Quotes(len(wanted | found), len(wanted & found))


def sample_chart() -> Chart:
    """The notes of the sample charts, English and Chinese, as one chart."""
    from cds_hooks.demo_requests import sample_charts

    texts = [note["text"] for sample in sample_charts() for note in sample.content["notes"]]
    notes = tuple(Note(reference=f"DocumentReference/{place}", text=text) for place, text in enumerate(texts))
    return Chart(as_of=datetime(2026, 11, 1, tzinfo=UTC), notes=notes)


def _add_part(folder: Path) -> None:
    """As compose_knowledge.add_knowledge, of a part."""
    from nlp_core.lexicon_names import compile_lexicons

    knowledge = part_of_the_knowledge()
    (folder / KNOWLEDGE).write_text(knowledge.model_dump_json(exclude_defaults=True), encoding="utf-8")
    compile_lexicons(folder / LEXICONS, knowledge)


def _evidence(assessment: Assessment, chart: Chart) -> Quotes:
    texts = {note.reference: note.text for note in chart.notes}
    pieces = [
        one for candidate in assessment.candidates for one in (*candidate.evidence_for, *candidate.evidence_against)
    ]
    quoted = [(one.quote, texts[one.reference][one.span.start : one.span.end]) for one in pieces if one.span]
    return Quotes(len(pieces), sum(quote == words != "" for quote, words in quoted))
