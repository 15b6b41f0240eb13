"""Every note of a site read by one model the serving way, and kept: a run that was cut goes on where it ended.

Input : SiteNotes and a model     Output: SiteReading, one a line of a file that holds keyed marks and no word of a note
Knows what a hit is (docs/evaluation.md: the three-character category) and what a card leaves out (what is on the problem
list). Does not know what the figures are for (site_figures).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

from pydantic import BaseModel, ConfigDict, ValidationError
from tqdm import tqdm

from nlp_core.assessment import Assessment
from training.calibrate import LEADING
from training.measures.evaluate import category, rank_of
from training.site.measured_model import MeasuredModel
from training.site.site_notes import SiteNote, chart_of, groups_of


class SiteReading(BaseModel):
    """What one model made of one note."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    note: str
    """Keyed mark, so that two models' readings can be paired; it goes into no report."""
    patient: str
    groups: dict[str, str]
    rank: int | None
    """Of the first right category; None: not among the candidates."""
    probability: tuple[float, ...]
    """Of the first five candidates."""
    right: tuple[bool, ...]
    """As many as there are probabilities."""
    silence: str
    """Why there would be no card; empty where there would be one."""

    def within(self, most: int) -> bool:
        return self.rank is not None and self.rank <= most


def read_site(
    model: MeasuredModel, notes: Sequence[SiteNote], kept: Path | None, depends_on: str, *, what: str
) -> list[SiteReading]:
    """In the order of `notes`. kept: file of readings that are not made twice; None keeps none.

    depends_on: what else the readings follow from; a file of other ones is begun anew.
    """
    head = f"{depends_on} {model.version} {model.knowledge.version}"
    known = {reading.note: reading for reading in _kept(kept, head)} if kept else {}
    with _opened(kept, head, known) as file:
        found = []
        for one in tqdm(notes, desc=f"notes, {what}", unit="note", disable=None):
            mark = f"{one.site}/{one.note.note}"
            if mark not in known:
                known[mark] = reading_of(one, model.reader.assess(chart_of(one.note, model.knowledge)))
                file.write(known[mark].model_dump_json() + "\n")
                file.flush()
            found.append(known[mark])
    return found


def reading_of(one: SiteNote, assessment: Assessment) -> SiteReading:
    """What is on the problem list is left out, as a card leaves it out; silence is told, not obeyed."""
    candidates = [candidate for candidate in assessment.candidates if candidate.problem_list != "active"]
    leading = candidates[:LEADING]
    return SiteReading(
        note=f"{one.site}/{one.note.note}",
        patient=f"{one.site}/{one.note.patient}",
        groups=groups_of(one),
        rank=rank_of([("", candidate.icd10cm, candidate.probability) for candidate in candidates], set(one.right)),
        probability=tuple(round(candidate.probability, 6) for candidate in leading),
        right=tuple(category(candidate.icd10cm) in one.right for candidate in leading),
        silence=assessment.silence or ("" if candidates else "already-known"),
    )


def _kept(path: Path, head: str) -> Iterator[SiteReading]:
    """Those of a file with this head; a line that was cut off is read anew."""
    lines = path.read_text("utf-8").splitlines() if path.is_file() else []
    if not lines or lines[0] != head:
        return
    for line in lines[1:]:
        try:
            yield SiteReading.model_validate_json(line)
        except ValidationError:
            continue


def _opened(path: Path | None, head: str, known: dict[str, SiteReading]) -> TextIO:
    """The file with its head and what is known, for its owner alone; /dev/null where none is kept."""
    if path is None:
        return open(os.devnull, "w", encoding="utf-8")
    part = path.with_name(f"{path.name}.part")
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.writelines([f"{head}\n", *(f"{reading.model_dump_json()}\n" for reading in known.values())])
    part.replace(path)
    return path.open("a", encoding="utf-8")
