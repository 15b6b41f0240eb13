"""The same notes otherwise written, and told of somebody else: how far the answer changes.

Input : SiteNotes (a sample: each note is read some twenty times)     Output: losses in points, flips with intervals
By the means of training.measures (perturb, counterfactuals, measure_swaps), which say what each change is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict
from tqdm import tqdm

from nlp_core.assess import Reader
from training.measures.measure_robustness import Story, falls
from training.measures.measure_swaps import KINDS, Judge, read, swaps
from training.measures.own_cases import Case, Gold
from training.measures.perturb import PERTURBATIONS
from training.site.site_figures import Share
from training.site.site_notes import SiteNote, chart_of

_STRICT = ConfigDict(frozen=True, extra="forbid")


class Written(BaseModel):
    """One way of writing: shares of notes with a right diagnosis within three, in percent."""

    model_config = _STRICT

    row: str
    name: str
    before: float
    after: float
    loss: float
    """Points."""
    half_interval: float
    """Of the loss, 95 %, note by note."""


class Told(BaseModel):
    """One kind of swap where medicine does not care; a flip is another leading diagnosis."""

    model_config = _STRICT

    name: str
    swaps: int
    notes: int
    flipped: Share | None
    """None where no note could be told so."""


def otherwise_written(reader: Reader, notes: Sequence[SiteNote]) -> list[Written]:
    """Every perturbation of every note."""
    stories = [Story(one.note.text, one.note.language, one.right) for one in notes]
    found = falls(reader, stories, PERTURBATIONS)
    return [
        Written(
            row=how.row,
            name=how.name,
            before=round(found[how.name].before, 2),
            after=round(found[how.name].after, 2),
            loss=round(found[how.name].points, 2),
            half_interval=round(found[how.name].half_interval, 2),
        )
        for how in PERTURBATIONS
    ]


def told_of_others(reader: Reader, notes: Sequence[SiteNote], *, seed: int) -> list[Told]:
    """Every swap of every note that the knowledge says medicine does not care about."""
    judge = Judge(reader.knowledge)
    made, flipped, of = Counter[str](), Counter[str](), {kind: set[int]() for kind in KINDS}
    for row, one in enumerate(tqdm(notes, desc="swaps", unit="note", disable=None)):
        chart, language = chart_of(one.note, reader.knowledge), one.note.language
        before = read(reader, chart)
        if not before.ranked:
            continue
        for kind, _, swapped in swaps(chart, "note", language, np.random.default_rng((seed, row))):
            after = read(reader, swapped)
            if not judge.cares(kind, _case(one), chart, swapped, before, after):
                made[kind] += 1
                of[kind].add(row)
                flipped[kind] += before.leading[:1] != after.leading[:1]
    return [
        Told(
            name=title,
            swaps=made[kind],
            notes=len(of[kind]),
            flipped=Share.of(flipped[kind], made[kind]) if made[kind] else None,
        )
        for kind, title in KINDS.items()
    ]


def _case(one: SiteNote) -> Case:
    """What the judge asks of a case: the right codes."""
    gold = tuple(Gold(name="", icd10=diagnosis.icd10cm) for diagnosis in one.note.diagnoses)
    return Case(id="", style="note", gold=gold, zh="", en="")
