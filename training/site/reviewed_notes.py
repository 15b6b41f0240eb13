"""Decisions of a person put into the prepared notes: what `fit --with` then learns from.

Input : review.csv as it was filled in, the prepared folder     Output: the same folder anew, with the confirmed diagnoses
A confirmed diagnosis joins its note, its names are blotted out there, and the sentences it explains become telling; a refuted
one leaves the note. Every note stays in its split: nobody who is measured on is learned from.
"""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from nlp_core.knowledge import Knowledge
from nlp_core.mentions import MentionReader
from training.prepare.blotting import Blotter, blotted, is_only_the_answer
from training.prepare.prepared_note import SPLITS, BlottedSpan, CodedDiagnosis, PreparedNote
from training.prepare.telling import told_sentences
from training.site.prepared_folders import BadLine, Site, lines_of
from training.site.review_list import DECISIONS


@dataclass(slots=True)
class Decisions:
    """By mark of the note."""

    confirmed: dict[str, set[str]] = field(default_factory=dict)
    refuted: dict[str, set[str]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    bad: list[BadLine] = field(default_factory=list)


def read_decisions(path: Path, knowledge: Knowledge) -> Decisions:
    """Good rows are kept, bad ones named by line: an unknown decision or diagnosis, a decision of nobody, or two that
    contradict each other (then neither counts). Raises FileNotFoundError, ValueError for a file of other columns."""
    found = Decisions()
    said: dict[tuple[str, str], tuple[str, int]] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        missing = {"note", "diagnosis", "decision", "reviewer"} - set(rows.fieldnames or ())
        if missing:
            raise ValueError(f"{path}: no column {', '.join(sorted(missing))}; the list has the columns of review.csv")
        for row in rows:
            cells = {name: (value or "").strip() for name, value in row.items() if isinstance(value, str)}
            _take(cells, rows.line_num, path.name, knowledge, said, found)
    for (note, diagnosis), (decision, _) in said.items():
        found.counts[decision] += 1
        if decision in ("confirmed", "refuted"):
            (found.confirmed if decision == "confirmed" else found.refuted).setdefault(note, set()).add(diagnosis)
    return found


def _take(
    cells: dict[str, str], line: int, name: str, knowledge: Knowledge, said: dict[tuple[str, str], tuple[str, int]],
    found: Decisions,
) -> None:  # fmt: skip
    decision, key = cells.get("decision", "").lower(), (cells.get("note", ""), cells.get("diagnosis", ""))
    if not decision:
        found.counts["undecided"] += 1
    elif decision not in DECISIONS:
        found.bad.append(BadLine(name, line, "unknown-decision"))
    elif not cells.get("reviewer"):
        found.bad.append(BadLine(name, line, "no-reviewer"))
    elif key[1] not in knowledge.diagnoses:
        found.bad.append(BadLine(name, line, "unknown-diagnosis"))
    elif key in said and said[key][0] != decision:
        found.bad += [BadLine(name, said[key][1], "contradicted"), BadLine(name, line, "contradicted")]
        said[key] = ("contradicted", line)
    else:
        said.setdefault(key, (decision, line))


class Reviewer:
    """Changes notes by decisions; built once per run."""

    def __init__(self, knowledge: Knowledge, reader: MentionReader) -> None:
        self._knowledge, self._reader, self._blotter = knowledge, reader, Blotter(knowledge)

    def changed(self, note: PreparedNote, confirmed: Set[str], refuted: Set[str]) -> PreparedNote | None:
        """None where the confirmed names were all that the note says."""
        kept = tuple(one for one in note.diagnoses if one.id not in refuted)
        new = sorted(confirmed - {one.id for one in kept})
        diagnoses = (*kept, *(self._coded(one) for one in new))
        mentions, _ = self._reader.read(note.text, sex=note.sex, age_years=note.age_years)
        hidden = _joined([*note.blotted, *self._blotter.spans(note.text, set(new), (), mentions)])
        text = blotted(note.text, hidden)
        if is_only_the_answer(text):
            return None
        spans = tuple(
            span for span in note.spans
            if not any(span.start < one.end and one.start < span.end for one in hidden)
        )  # fmt: skip
        labels = {one.id for one in diagnoses if one.id in self._knowledge.diagnoses}
        told = told_sentences(text, spans, labels, self._knowledge, self._reader.nlp)
        return note.model_copy(
            update={"text": text, "diagnoses": diagnoses, "blotted": hidden, "spans": spans, "sentences": tuple(told)}
        )  # fmt: skip

    def _coded(self, diagnosis: str) -> CodedDiagnosis:
        code = self._knowledge.diagnoses[diagnosis].icd10cm
        return CodedDiagnosis(id=diagnosis, icd10cm=code, listed="same", via="review", joined="review")


def _joined(spans: list[BlottedSpan]) -> tuple[BlottedSpan, ...]:
    joined: list[BlottedSpan] = []
    for span in sorted(spans, key=lambda one: (one.start, one.end)):
        if joined and span.start <= joined[-1].end:
            joined[-1] = BlottedSpan(start=joined[-1].start, end=max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return tuple(joined)


def write_reviewed(out: Path, site: Site, decisions: Decisions, reviewer: Reviewer) -> Counter[str]:
    """Every split anew, whole or not at all; returns what was done, counted. Raises OSError."""
    done: Counter[str] = Counter()
    parts = []
    for split in SPLITS:
        part = out / f"{split}.jsonl.part"
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            for note in _changed(lines_of(site.file(split)), decisions, reviewer, done, f"notes, {split}"):
                file.write(note.model_dump_json().encode() + b"\n")
                done[f"{split}-notes"] += 1
        parts.append(part)
    for part in parts:
        part.replace(part.with_suffix(""))
    return done


def _changed(
    lines: Iterator[PreparedNote | BadLine], decisions: Decisions, reviewer: Reviewer, done: Counter[str], what: str
) -> Iterator[PreparedNote]:
    for line in tqdm(lines, desc=what, unit="note", disable=None):
        if isinstance(line, BadLine):
            decisions.bad.append(line)
            continue
        confirmed, refuted = decisions.confirmed.get(line.note, set()), decisions.refuted.get(line.note, set())
        if not confirmed and not refuted:
            yield line
            continue
        changed = reviewer.changed(line, confirmed, refuted)
        done["left-out" if changed is None else "changed" if changed != line else "as-they-were"] += 1
        if changed is not None:
            yield changed
