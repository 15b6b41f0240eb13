"""What a set of notes is like, in counts: what was taken, what was left out and why, how much is copied.

Knows fixed words and numbers; nothing here says anything of a single patient. Counters are named `what/which`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from training.prepare.prepared_note import PreparedNote
from training.prepare.read_notes import ReadNote


class Quality:
    """Counts as notes go by; `counts` can be put away and taken up again."""

    def __init__(self, counts: Counter[str] | None = None) -> None:
        self.counts: Counter[str] = counts if counts is not None else Counter()
        self._of_patient: set[str] = set()
        self._joined: set[str] = set()

    def begin_patient(self) -> None:
        self._of_patient, self._joined = set(), set()

    def end_patient(self, conditions: int) -> None:
        """conditions: how many of the patient's Conditions mean a diagnosis of the knowledge."""
        self.counts["conditions/joined"] += len(self._joined)
        self.counts["conditions/with no note"] += conditions - len(self._joined)

    def take(self, found: ReadNote, note: PreparedNote | None) -> None:
        """One document, `note` None where it is left out."""
        self.counts["notes"] += 1
        if note is None:
            self.counts[f"left/{found.reason}"] += 1
            return
        self.counts[f"split/{note.split}"] += 1
        self.counts[f"language/{note.language}"] += 1
        self.counts["labelled" if note.diagnoses else "without-codes"] += 1
        self.counts["blotted-notes"] += bool(note.blotted)
        self.counts["spans"] += len(note.spans)
        self.counts["telling-sentences"] += sum(sentence.telling for sentence in note.sentences)
        self.counts["sentences"] += len(note.sentences)
        self.counts["coded-findings"] += len(note.coded_findings)
        self.counts[f"length/{_length(len(note.text))}"] += 1
        self.counts[f"age/{_age(note.age_years)}"] += 1
        self.counts[f"sex/{note.sex}"] += 1
        for diagnosis in note.diagnoses:
            self.counts[f"class/{diagnosis.id}/{note.split}"] += 1
            self.counts[f"joined/{diagnosis.joined}"] += 1
            self.counts[f"via/{diagnosis.via}"] += 1
            self._once(f"class-patients/{diagnosis.id}")
        if found.joined:
            self._joined |= found.joined.entries
        self._once(f"patients/{note.split}")

    def take_paragraphs(self, found: ReadNote, before: set[int]) -> None:
        """How much of a text stood in an earlier note of the same patient."""
        self.counts["characters"] += found.characters
        self.counts["copied-characters"] += sum(size for digest, size in found.paragraphs if digest in before)

    def under(self, what: str) -> Iterator[tuple[str, int]]:
        """Counters below `what/`, by name."""
        for name, count in sorted(self.counts.items()):
            if name.startswith(f"{what}/") and count:
                yield name[len(what) + 1 :], count

    def classes(self) -> dict[str, dict[str, int]]:
        """Diagnosis -> split -> notes."""
        found: dict[str, dict[str, int]] = {}
        for name, count in self.under("class"):
            diagnosis, split = name.split("/")
            found.setdefault(diagnosis, {})[split] = count
        return found

    def report(self) -> dict[str, Any]:
        """Everything as plain JSON."""
        groups = ("left", "split", "patients", "language", "joined", "via", "conditions", "length", "age", "sex")
        plain = (
            "notes",
            "labelled",
            "without-codes",
            "blotted-notes",
            "sentences",
            "telling-sentences",
            "spans",
            "coded-findings",
        )
        return {
            **{name.replace("-", "_"): self.counts[name] for name in plain},
            "copied_share": self.copied_share(),
            **{group: dict(self.under(group)) for group in groups},
            "classes": self.classes(),
            "class_patients": dict(self.under("class-patients")),
        }

    def copied_share(self) -> float:
        """Share of characters that stand in paragraphs of an earlier note of the same patient, duplicates included."""
        return round(self.counts["copied-characters"] / (self.counts["characters"] or 1), 4)

    def _once(self, name: str) -> None:
        """Counts once for each patient."""
        if name not in self._of_patient:
            self._of_patient.add(name)
            self.counts[name] += 1


def _length(characters: int) -> str:
    return next((f"up to {most:,}" for most in (500, 2_000, 5_000, 20_000) if characters <= most), "over 20,000")


def _age(years: int | None) -> str:
    if years is None:
        return "unknown"
    return next((f"under {most}" for most in (1, 18, 40, 65, 80) if years < most), "80 and over")
