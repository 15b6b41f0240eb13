"""Invented notes with marked identifiers (tests/training/planted), and how much of them something finds.

Input : a file of marked notes, spans that were found in them     Output: PlantedNote, Outcome
An identifier is found when every letter and digit of it is within a span; a word is lost when it is no identifier's and any of
it is within one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from training.deidentify.kinds import Found, Kind
from training.deidentify.known_identifiers import Known, KnownIdentifiers
from training.deidentify.notes import NoteCleaner, Person, nobody
from training.deidentify.record_identifiers import Identifier, Link, rows_of
from training.deidentify.vocabulary import vocabulary

PLANTED = Path("tests/training/planted")
SETS = (
    "development", "development2", "development3", "development3_check", "development4_en", "development4_check_en",
    "development4_zh", "development4_check_zh", "development5_en", "development5_check_en", "development5_zh",
    "development5_check_zh", "development6_en", "development6_check_en", "development6_zh", "development6_check_zh",
    "development7_en", "development7_check_en", "development7_zh", "development7_check_zh", "test", "unseen", "held",
)  # fmt: skip
HELD = "held"
"""The set by whose misses nothing is ever changed."""
_MARK = re.compile(r"\{\{([A-Z_]+):([^{}|]*)(?:\|([^{}|]*))?\}\}")
_WORD = re.compile(r"[\u3400-\u9fff]|[A-Za-z0-9][A-Za-z0-9.,/:'-]*")


@dataclass(frozen=True, slots=True)
class PlantedNote:
    """A note and where its identifiers stand."""

    patient: str
    text: str
    identifiers: tuple[Found, ...]
    set: str = ""
    """The name of its file."""

    @property
    def chinese(self) -> bool:
        return sum("\u3400" <= letter <= "\u9fff" for letter in self.text) > len(self.text) / 5


@dataclass(slots=True)
class Outcome:
    """Over some notes."""

    planted: Counter[Kind] = field(default_factory=Counter)
    found: Counter[Kind] = field(default_factory=Counter)
    words: int = 0
    lost: int = 0
    missed: list[str] = field(default_factory=list)
    """The words that were not found; planted ones are nobody's."""
    lost_words: list[str] = field(default_factory=list)

    @property
    def recall(self) -> float:
        return self.found.total() / max(1, self.planted.total())

    @property
    def lost_share(self) -> float:
        return self.lost / max(1, self.words)


def planted_notes(path: Path) -> Iterator[PlantedNote]:
    """The notes of a file; see the README beside it for the marks."""
    for block in re.split(r"(?m)^=== ", path.read_text(encoding="utf-8"))[1:]:
        patient, _, marked = block.partition("\n")
        yield PlantedNote(patient.strip(), *marked_text(marked), path.stem)


def marked_text(marked: str) -> tuple[str, tuple[Found, ...]]:
    """The text without the marks, and where the identifiers stand."""
    text, found, at = "", [], 0
    for mark in _MARK.finditer(marked):
        text += marked[at : mark.start()]
        shown, named = mark.group(2), mark.group(2) if mark.group(3) is None else mark.group(3)
        if named:
            start = len(text) + shown.index(named)
            found.append(Found(start, start + len(named), Kind[mark.group(1)]))
        text += shown
        at = mark.end()
    return text + marked[at:], tuple(found)


def people(path: Path, shift: int | None) -> dict[str, Person]:
    """The patients of a file of resources, as a run would know them."""
    rows = [row for line in path.read_bytes().splitlines() for row in rows_of(orjson.loads(line))]
    of: dict[str, list[Known]] = {}
    for row in rows:
        if isinstance(row, Identifier):
            of.setdefault(row.owner, []).append(Known(Kind(row.kind), row.value, row.staff))
    for row in rows:
        if isinstance(row, Link):
            of.setdefault(row.patient, []).extend(of.get(row.target, ()))
    return {
        owner.removeprefix("Patient/"): Person(owner, KnownIdentifiers(known, vocabulary()), shift)
        for owner, known in of.items() if owner.startswith("Patient/")
    }  # fmt: skip


def judge(notes: Sequence[PlantedNote], known: dict[str, Person], cleaner: NoteCleaner, shift: int | None) -> Outcome:
    """Cleans every note and counts."""
    return counted(
        (note, [(one.start, one.end) for one in cleaner.find(note.text, known.get(note.patient) or nobody(shift))])
        for note in notes
    )


def counted(found: Iterable[tuple[PlantedNote, Iterable[tuple[int, int]]]]) -> Outcome:
    """Of notes and the spans that were found in each."""
    outcome = Outcome()
    for note, spans in found:
        covered = bytearray(len(note.text))
        for start, end in spans:
            covered[start:end] = b"\1" * (end - start)
        theirs = bytearray(len(note.text))
        for one in note.identifiers:
            theirs[one.start : one.end] = b"\1" * (one.end - one.start)
            outcome.planted[one.kind] += 1
            if all(covered[at] or not note.text[at].isalnum() for at in range(one.start, one.end)):
                outcome.found[one.kind] += 1
            else:
                outcome.missed.append(f"{one.kind.name}: {note.text[one.start : one.end]}")
        for word in _WORD.finditer(note.text):
            if not any(theirs[word.start() : word.end()]):
                outcome.words += 1
                if any(covered[word.start() : word.end()]):
                    outcome.lost += 1
                    outcome.lost_words.append(word.group())
    return outcome
