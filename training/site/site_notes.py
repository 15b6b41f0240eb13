"""A site's coded notes as serving would meet them: a chart, the categories that are right, the groups it belongs to.

Input : prepared folders, a split     Output: SiteNote, at most so many, the same ones in every run
What was recorded before the note stands on the chart's problem list, so it is hidden as a card would hide it. Coded facts
are not rebuilt: a prepared note keeps the findings they mean, not the facts.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from tqdm import tqdm

from nlp_core.chart import Chart, Coding, Problem
from nlp_core.knowledge import Knowledge
from nlp_core.note import Note
from training.measures.evaluate import category
from training.prepare.prepared_note import PreparedNote, Split
from training.site.prepared_folders import BadLine, Site, lines_of

_AS_OF = datetime(2026, 1, 15, tzinfo=UTC)
"""Any moment: prepared notes have no date, and undated is read as of today."""
_BANDS = ((1, "under 1"), (18, "1 to 17"), (40, "18 to 39"), (65, "40 to 64"), (80, "65 to 79"))
_ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"


@dataclass(frozen=True, slots=True)
class SiteNote:
    """One note with coded diagnoses."""

    site: str
    note: PreparedNote
    right: frozenset[str]
    """Three-character ICD-10-CM categories of its coded diagnoses."""


@dataclass(slots=True)
class SiteNotes:
    """What a split holds."""

    notes: list[SiteNote] = field(default_factory=list)
    without_codes: int = 0
    beyond: int = 0
    """Coded notes left out since more were there than asked for."""
    bad: list[BadLine] = field(default_factory=list)

    @property
    def patients(self) -> int:
        return len({(one.site, one.note.patient) for one in self.notes})


def read_site_notes(sites: Sequence[Site], split: Split, *, most: int) -> SiteNotes:
    """The notes with coded diagnoses; of more than `most` those with the lowest marks, which is a draw by keyed hash.

    Raises ValueError where a folder lacks the split or none of its notes is coded.
    """
    found, count = SiteNotes(), 0

    def coded() -> Iterator[SiteNote]:
        nonlocal count
        for site in sites:
            for line in tqdm(lines_of(site.file(split)), desc=f"{site.name}, {split}", unit="note", disable=None):
                if isinstance(line, BadLine):
                    found.bad.append(replace(line, file=f"{site.name}/{line.file}") if len(sites) > 1 else line)
                elif line.diagnoses:
                    count += 1
                    yield SiteNote(site.name, line, frozenset(category(d.icd10cm) for d in line.diagnoses))
                else:
                    found.without_codes += 1

    found.notes = heapq.nsmallest(most, coded(), key=lambda one: (one.note.note, one.site))
    found.beyond = count - len(found.notes)
    if not found.notes:
        where = ", ".join(str(site.file(split)) for site in sites)
        raise ValueError(f"no note with a coded diagnosis in {where} ({len(found.bad)} lines could not be read)")
    return found


def chart_of(note: PreparedNote, knowledge: Knowledge) -> Chart:
    """The chart of one note; what was known before it is on the problem list."""
    known = (knowledge.diagnoses[one] for one in note.known if one in knowledge.diagnoses)
    problems = tuple(
        Problem(
            reference=f"Condition/{place}", codings=(Coding(system=_ICD10CM, code=diagnosis.icd10cm),),
            text=diagnosis.names.en[0], clinical_status="active", verification_status="confirmed",
        )
        for place, diagnosis in enumerate(known)
    )  # fmt: skip
    return Chart(
        age_years=note.age_years, sex=note.sex, setting=note.setting, as_of=_AS_OF, problems=problems,
        notes=(Note(reference="DocumentReference/prepared", text=note.text, kind=note.kind),),
    )  # fmt: skip


def groups_of(one: SiteNote) -> dict[str, str]:
    """Dimension -> the group the note is in."""
    return {
        "sex": one.note.sex,
        "age": _band(one.note.age_years),
        "language": {"en": "English", "zh": "Chinese"}[one.note.language],
        "setting": one.note.setting or "unknown",
        "site": one.site,
    }


def counted(notes: Sequence[SiteNote]) -> dict[str, Counter[str]]:
    """Dimension -> group -> patients: what a dry run tells."""
    patients: dict[str, dict[str, set[tuple[str, str]]]] = {}
    for one in notes:
        for dimension, group in groups_of(one).items():
            patients.setdefault(dimension, {}).setdefault(group, set()).add((one.site, one.note.patient))
    return {dim: Counter({group: len(who) for group, who in of.items()}) for dim, of in patients.items()}


def _band(years: int | None) -> str:
    if years is None:
        return "unknown"
    return next((name for below, name in _BANDS if years < below), "80 and over")
