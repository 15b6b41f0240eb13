"""What each finding and diagnosis is called and how else people say it: the examples the concept encoder learns from.

Names come from the knowledge, further phrases from training/phrases/*.jsonl, written by the project and by nobody else.
A tenth of the phrases, by a hash of their words, is held apart to measure on. Knows texts, no tensors.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from nlp_core.assessment import Language
from nlp_core.knowledge import Knowledge

FOLDER = Path(__file__).parent / "phrases"
NOTHING = "nothing.jsonl"
"""Clauses of notes that mean no finding: what the reader must leave alone."""
_HELD_APART = 10
"""One phrase in so many is measured on and never trained on."""

Split = Literal["train", "held_apart"]


@dataclass(frozen=True, slots=True)
class Phrase:
    """One wording of one entry of the knowledge; `entry` is empty for a clause that means nothing."""

    entry: str
    text: str
    language: Language
    source: Literal["name", "phrase"]

    @property
    def split(self) -> Split:
        if self.source == "name":
            return "train"
        digest = hashlib.sha256(self.text.encode()).digest()
        return "held_apart" if digest[0] % _HELD_APART == 0 else "train"


def names_of(knowledge: Knowledge) -> Iterator[Phrase]:
    """Every name of every finding and diagnosis (`d:` before a diagnosis's id)."""
    entries = [(finding.id, finding.names) for finding in knowledge.findings.values()]
    entries += [(f"d:{diagnosis.id}", diagnosis.names) for diagnosis in knowledge.diagnoses.values()]
    for entry, names in entries:
        yield from (Phrase(entry, text, "en", "name") for text in names.en)
        yield from (Phrase(entry, text, "zh", "name") for text in names.zh)


def written_phrases(knowledge: Knowledge, folder: Path = FOLDER) -> Iterator[Phrase]:
    """Every phrase written for a finding that the knowledge has. Raises ValueError naming file and line at fault."""
    for path in sorted(folder.glob("*.jsonl")):
        if path.name == NOTHING:
            continue
        for row in _rows(path):
            if row["finding"] in knowledge.findings:
                yield from (Phrase(row["finding"], text, "en", "phrase") for text in row["en"])
                yield from (Phrase(row["finding"], text, "zh", "phrase") for text in row["zh"])


def clauses_of_nothing(folder: Path = FOLDER) -> Iterator[Phrase]:
    """Clauses that mean no finding."""
    for row in _rows(folder / NOTHING):
        yield Phrase("", row["text"], row["language"], "phrase")


def by_entry(phrases: Iterator[Phrase]) -> dict[str, list[Phrase]]:
    """Entry -> its wordings, each once."""
    grouped: dict[str, dict[str, Phrase]] = defaultdict(dict)
    for phrase in phrases:
        grouped[phrase.entry].setdefault(phrase.text.lower(), phrase)
    return {entry: list(texts.values()) for entry, texts in grouped.items()}


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        try:
            row = json.loads(line)
            if not isinstance(row, dict):
                raise ValueError("no object")
        except ValueError as error:
            raise ValueError(f"{path.name}, line {number}: {error}") from error
        yield row
