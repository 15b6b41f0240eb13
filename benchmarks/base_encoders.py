"""`python -m benchmarks.base_encoders [--write docs/base_encoders.md]`: encoders of the usual size, the whole way to a card.

BERT-base, RoBERTa-base and ModernBERT-base with random weights (benchmarks.made_encoders) are fitted a few steps, exported, composed
and read with (benchmarks.base_encoder_steps), each step in a process of its own: seconds, memory, how near the graph computes to torch,
and whether what is quoted is the note's. Says nothing of how well any of them reads: that takes weights that have learned.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.base_encoder_steps import (
    CHANGES,
    DIAGNOSES,
    Quotes,
    compose_part,
    export,
    fit,
    part_of_the_knowledge,
    quote_clauses,
    read,
    sample_chart,
)
from benchmarks.made_encoders import FAMILIES, Family, save
from benchmarks.own_process import Taken, in_own_process
from benchmarks.section import figure
from nlp_core.bundle_manifest import GRAPH, TOKENIZER, Manifest, read_manifest
from nlp_core.knowledge_files import read_knowledge
from nlp_core.model_bundle import read_tokenizer
from training.command import deliver
from training.model.parity_report import LARGEST_FP32, PARITY, Parity
from training.phrases import names_of, written_phrases

STEPS = 3


@dataclass(frozen=True, slots=True)
class Way:
    """One encoder's, from a folder to a card."""

    name: str
    weights: int
    """How many, the head for guessing words included."""
    layers: int
    taken: dict[str, Taken[Any]]
    """By command."""
    chart_seconds: float
    chart_tokens: int
    evidence: Quotes
    clauses: Quotes
    parity: Parity
    manifest: Manifest

    @property
    def largest(self) -> dict[str, float]:
        """Largest difference to torch, by output of the graph."""
        return {name: one.largest for name, one in self.parity.outputs.items()}


def measure(family: Family, folder: Path, steps: int = STEPS) -> Way:
    """folder: an empty one, for about two gigabytes."""
    model, run, shipped, composed = (folder / name for name in ("model", "run", "shipped", "composed"))
    weights = in_own_process(save, family, english_texts(), model).result
    taken: dict[str, Taken[Any]] = {
        "fit": in_own_process(fit, model, run, steps),
        "export-model": in_own_process(export, model, run, shipped),
        "compose": in_own_process(compose_part, composed, shipped, model),
    }
    reading = in_own_process(read, composed)
    seconds, evidence = reading.result
    tokenizer = read_tokenizer(composed / TOKENIZER)
    return Way(
        name=family.name,
        weights=weights,
        layers=json.loads((model / "config.json").read_bytes())["num_hidden_layers"],
        taken={**taken, "read": reading},
        chart_seconds=seconds,
        chart_tokens=sum(len(tokenizer.encode(note.text).ids) for note in sample_chart().notes),
        evidence=evidence,
        clauses=in_own_process(quote_clauses, composed).result,
        parity=Parity.model_validate_json((shipped / PARITY).read_bytes()),
        manifest=read_manifest(shipped),
    )


def english_texts() -> list[str]:
    """What vocabularies are learned from."""
    knowledge = read_knowledge()
    return [one.text for one in (*names_of(knowledge), *written_phrases(knowledge)) if one.language == "en"]


def page(ways: Sequence[Way], steps: int = STEPS) -> Iterator[str]:
    """The page, line by line."""
    knowledge, cores = part_of_the_knowledge(), len(os.sched_getaffinity(0))
    changes = ", ".join(f"{name} {value}" for name, value in CHANGES.items())
    yield "# Encoders of the usual size, from a folder to a card"
    yield ""
    yield f"Written by `python -m benchmarks.base_encoders --write docs/base_encoders.md` on {cores} core{'s' * (cores > 1)}. The weights"
    yield "are random, so this says that each family goes the whole way by the same recipe, and what it takes; nothing of how well it"
    yield "reads. Each encoder is saved as hubs publish it, with its head for guessing words and a vocabulary of its kind (word pieces;"
    yield "bytes). Each step calls what its command calls, in a process of its own: seconds of processor time, imports included, and the"
    yield "most memory."
    yield ""
    yield f"The recipe is the shipped one but for {steps} steps ({changes}), and the knowledge is cut down to"
    yield f"{' and '.join(DIAGNOSES)} with their {len(knowledge.findings)} findings: one pass over all names and phrases would take an hour. So `fit` and"
    yield "compose say little of a real run here; `export-model` and reading cost what they cost."
    yield ""
    yield f"| | {' | '.join(way.name for way in ways)} |"
    yield f"|---|{'---:|' * len(ways)}"
    for name, told in _ROWS.items():
        yield f"| {name} | {' | '.join(told(way) for way in ways)} |"
    yield ""
    yield f"The graph is refused where anything differs from torch by more than {LARGEST_FP32:g}. *Clauses* are those of the chart that no name"
    yield "explains, quoted by the encoder's tokens; exact where words alone, without any token, quote the same place."
    yield ""


def _took(command: str) -> Callable[[Way], str]:
    return lambda way: f"{way.taken[command].seconds:,.0f} s, {way.taken[command].peak_mib:,.0f} MiB"


def _exact(quotes: Quotes) -> str:
    return f"{quotes.right} of {quotes.count}"


_ROWS: dict[str, Callable[[Way], str]] = {
    "weights": lambda way: f"{way.weights / 1e6:.0f} million",
    "layers, width": lambda way: f"{way.layers}, {way.manifest.width}",
    "vocabulary": lambda way: f"{way.manifest.vocabulary:,}",
    "longest row, tokens": lambda way: f"{way.manifest.longest:,}",
    "`fit`": _took("fit"),
    "`export-model`": _took("export-model"),
    "compose": _took("compose"),
    "open and read one chart": _took("read"),
    "the chart alone": lambda way: f"{figure(way.chart_seconds)} s, {way.chart_tokens:,} tokens",
    "graph without weights": lambda way: f"{way.manifest.files[GRAPH].size / 1e3:.0f} kB",
    "composed weights": lambda way: f"{way.manifest.weights.size / 1e6:.0f} MB",
    "token vectors to torch": lambda way: f"{next(iter(way.largest.values())):.1e}",
    "heads to torch": lambda way: f"{max(list(way.largest.values())[1:]):.1e}",
    "clauses quoted exactly": lambda way: _exact(way.clauses),
    "evidence quoted exactly": lambda way: _exact(way.evidence),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.base_encoders", description=__doc__)
    parser.add_argument("--steps", type=int, default=STEPS, help="of training (default: %(default)s)")
    parser.add_argument("--write", type=Path, help="Markdown file to write; without it the page is printed")
    options = parser.parse_args()
    ways = []
    for family in FAMILIES:
        with tempfile.TemporaryDirectory() as folder:
            ways.append(measure(family, Path(folder), options.steps))
    deliver("\n".join(page(ways, options.steps)), options.write)
    return 0 if all(quotes.right == quotes.count > 0 for way in ways for quotes in (way.clauses, way.evidence)) else 1


if __name__ == "__main__":
    sys.exit(main())
