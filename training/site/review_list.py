"""The list a person decides on: each suggestion that users answered, beside the prepared note it most likely came from.

Input : suggestions, the marks joined, prepared notes     Output: ReviewRow; review.csv to fill in, review.html to look at
The feedback store keeps no note: of the patient's notes the one with most of the card's findings is shown, and the person
decides by it. Silence, and reasons that speak of the moment, say nothing of the diagnosis and are left out.
"""

from __future__ import annotations

import csv
import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from tqdm import tqdm

from nlp_core.assertion import Assertion
from nlp_core.knowledge import Knowledge
from training.prepare.prepared_note import SPLITS, PreparedNote
from training.site.feedback_rows import Suggestion
from training.site.prepared_folders import BadLine, Site, lines_of
from training.site.site_page import environment

CSV, PAGE = "review.csv", "review.html"
OF_THE_MOMENT = frozenset({"limited-time", "wrong-time-workflow", "inappropriate-recipient"})
"""Reasons that speak of the user's work, not of the patient."""
DECISIONS = ("confirmed", "refuted", "unsure")
COLUMNS = ("row", "card", "shown", "diagnosis", "name", "icd10cm", "outcome", "reason", "findings", "note", "found", "decision", "reviewer")  # fmt: skip
_MOST_SENTENCES = 6


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """One suggestion to decide on."""

    suggestion: Suggestion
    name: str
    icd10cm: str
    findings: tuple[str, ...]
    """Names of what spoke for it; `no …` where its absence did."""
    note: str
    """Mark of the prepared note that holds most of them."""
    found: int
    """How many of them it holds."""
    sentences: tuple[str, ...]
    """Of that note, those that hold them."""

    @property
    def row(self) -> str:
        """Ties a line of the filled-in list to its suggestion and note."""
        shown = self.suggestion.shown
        return hashlib.sha256(f"{shown.tenant} {shown.card} {shown.diagnosis} {self.note}".encode()).hexdigest()[:12]

    @property
    def cells(self) -> dict[str, str]:
        """Decision and reviewer are empty: nothing is decided beforehand."""
        one = self.suggestion
        values = (
            self.row, one.shown.card, one.shown.shown.date().isoformat(), one.shown.diagnosis, self.name, self.icd10cm, one.outcome,
            one.reason, "; ".join(self.findings), self.note, f"{self.found} of {len(self.findings)}", "", "",
        )  # fmt: skip
        return dict(zip(COLUMNS, values, strict=True))


@dataclass(slots=True)
class ReviewList:
    """Rows, and why the others are none."""

    rows: list[ReviewRow] = field(default_factory=list)
    left: Counter[str] = field(default_factory=Counter)
    bad: list[BadLine] = field(default_factory=list)


def review_list(
    suggestions: Sequence[Suggestion], marks: dict[str, str], site: Site, knowledge: Knowledge
) -> ReviewList:
    """marks: patient in the feedback store -> patient in the prepared notes."""
    made = ReviewList()
    asked: dict[str, list[Suggestion]] = {}
    for one in suggestions:
        if reason := _left(one, marks, knowledge):
            made.left[reason] += 1
        else:
            asked.setdefault(marks[one.shown.patient], []).append(one)
    notes = _notes_of(set(asked), site, made.bad)
    for patient, own in asked.items():
        for one in own:
            if patient in notes:
                made.rows.append(_row(one, notes[patient], knowledge))
            else:
                made.left["no-prepared-note"] += 1
    made.rows.sort(key=lambda row: (row.suggestion.shown.shown, row.suggestion.shown.card, row.row))
    return made


def _left(one: Suggestion, marks: dict[str, str], knowledge: Knowledge) -> str:
    if one.outcome == "silent":
        return "silent"
    if one.reason in OF_THE_MOMENT:
        return "of-the-moment"
    if one.shown.diagnosis not in knowledge.diagnoses:
        return "unknown-diagnosis"
    return "" if one.shown.patient in marks else "no-mark"


def _notes_of(patients: set[str], site: Site, bad: list[BadLine]) -> dict[str, list[PreparedNote]]:
    found: dict[str, list[PreparedNote]] = {}
    for split in SPLITS:
        for line in tqdm(lines_of(site.file(split)), desc=f"prepared, {split}", unit="note", disable=None):
            if isinstance(line, BadLine):
                bad.append(line)
            elif line.patient in patients:
                found.setdefault(line.patient, []).append(line)
    return found


def _row(one: Suggestion, notes: Sequence[PreparedNote], knowledge: Knowledge) -> ReviewRow:
    wanted = {finding.removeprefix("no "): not finding.startswith("no ") for finding in one.shown.findings}
    best = max(notes, key=lambda note: (len(_held(note, wanted)), note.note))
    diagnosis = knowledge.diagnoses[one.shown.diagnosis]
    names = tuple(
        ("" if present else "no ") + (knowledge.findings[entry].names.en[0] if entry in knowledge.findings else entry)
        for entry, present in wanted.items()
    )
    sentences = tuple(_sentences(best, wanted))[:_MOST_SENTENCES]
    return ReviewRow(
        one, diagnosis.names.en[0], diagnosis.icd10cm, names, best.note, len(_held(best, wanted)), sentences
    )


def _held(note: PreparedNote, wanted: dict[str, bool]) -> set[str]:
    said = {span.entry: span.assertion is Assertion.PRESENT for span in note.spans
            if span.assertion in (Assertion.PRESENT, Assertion.ABSENT)}  # fmt: skip
    return {entry for entry, present in wanted.items() if said.get(entry) is present}


def _sentences(note: PreparedNote, wanted: dict[str, bool]) -> Iterator[str]:
    held = _held(note, wanted)
    places = [span.start for span in note.spans if span.entry in held]
    for sentence in note.sentences:
        if any(sentence.start <= place < sentence.end for place in places):
            yield note.text[sentence.start : sentence.end].strip()


def write_review(folder: Path, made: ReviewList) -> None:
    """review.csv (no word of a note) and review.html (with sentences: keep it as the prepared notes are kept), both for
    their owner alone. A list that was begun is not overwritten: raises ValueError."""
    target = folder / CSV
    if target.exists() and _is_begun(target):
        raise ValueError(f"{target} holds decisions; it is left as it is: give another --out, or --reviewed with it")
    with _private(target) as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows({name: _plain(value) for name, value in row.cells.items()} for row in made.rows)
    with _private(folder / PAGE) as file:
        file.write(environment().get_template("review.html").render(rows=made.rows, decisions=DECISIONS, csv=CSV))


def _is_begun(path: Path) -> bool:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return any(row.get("decision") for row in csv.DictReader(file))


def _plain(value: str) -> str:
    """No spreadsheet takes it for a formula."""
    return f"'{value}" if value[:1] in ("=", "+", "-", "@") else value


def _private(path: Path) -> TextIO:
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8", newline="")
