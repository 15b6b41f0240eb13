"""What fuller charts are written with besides: doubted and hedged findings, two languages in a sentence, tables.

Knows patterns/fuller_*.yaml and refuses what a writer could not use; the patterns of the first charts are styles' business.
"""

from __future__ import annotations

import re
from functools import lru_cache

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from nlp_core.assertion import Assertion
from nlp_core.assessment import Language
from training.synthetic_charts.styles import FINDING_SLOTS, FOLDER, SLOT, WORD_SLOTS, Patterns, patterns

MIXED_SLOT = re.compile(r"(no_|maybe_|)(here|there)")
TABLE_SLOTS = frozenset("f fs said duration number pad".split())
Cells = dict[Assertion, str]
"""What stands in the other cell; present and absent always, possible where there is a way to say it."""

_STRICT = ConfigDict(frozen=True, extra="forbid")
_SAID_ANYWHERE = "words"
"""The cells beside which a past or a relative's finding may stand."""


class TableForm(BaseModel):
    """How the rows of one table are laid out."""

    model_config = _STRICT

    row: str
    said: str
    """Which cells."""
    most: int = Field(default=1, ge=1)
    """Findings on a line at most."""
    between: str = ""
    heads: tuple[str, ...] = ()
    """First lines; half of the tables have none."""

    @property
    def with_words(self) -> bool:
        return self.said == _SAID_ANYWHERE

    @property
    def by_answer(self) -> bool:
        """A line holds those of one answer."""
        return "{fs}" in self.row


class Tables(BaseModel):
    """Everything that tables of one language are made of."""

    model_config = _STRICT

    cells: dict[str, tuple[Cells, ...]]
    past: tuple[str, ...] = Field(min_length=1)
    family: tuple[str, ...] = Field(min_length=1)
    no_duration: tuple[str, ...] = Field(min_length=1)
    forms: tuple[TableForm, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _can_be_filled(self) -> Tables:
        for form in self.forms:
            if strange := set(SLOT.findall(form.row)) - TABLE_SLOTS:
                raise ValueError(f"tables: no such slot {sorted(strange)} in {form.row!r}")
            if form.said not in self.cells:
                raise ValueError(f"tables: no cells {form.said!r} for {form.row!r}")
        for name, choices in self.cells.items():
            if any(not {Assertion.PRESENT, Assertion.ABSENT} <= cells.keys() for cells in choices):
                raise ValueError(f"tables: {name} lacks what says present or absent")
        return self


class FullerPatterns(BaseModel):
    """Tone -> patterns, where a tone has them."""

    model_config = _STRICT

    doubted: dict[str, tuple[str, ...]]
    hedged: dict[str, tuple[str, ...]]
    mixed: tuple[str, ...]
    tables: Tables

    @model_validator(mode="after")
    def _slots_are_known(self) -> FullerPatterns:
        told = [one for tones in (self.doubted, self.hedged) for tone in tones.values() for one in tone]
        for pattern in told:
            _refuse(pattern, set(SLOT.findall(pattern)) - FINDING_SLOTS - WORD_SLOTS)
        for pattern in self.mixed:
            slots = {slot for slot in SLOT.findall(pattern) if not MIXED_SLOT.fullmatch(slot)}
            _refuse(pattern, slots - WORD_SLOTS)
        return self


@lru_cache(maxsize=2)
def fuller_patterns(language: Language) -> FullerPatterns:
    """Raises ValidationError where the file is not what a writer can use."""
    stored = yaml.safe_load((FOLDER / "patterns" / f"fuller_{language}.yaml").read_text("utf-8"))
    return FullerPatterns.model_validate(stored)


@lru_cache(maxsize=2)
def all_patterns(language: Language) -> Patterns:
    """Those of the first charts, doubted and hedged findings among them; a diagnosis that is possible is hedged too."""
    first, fuller = patterns(language), fuller_patterns(language)
    tones = {}
    for tone, parts in first.tones.items():
        hedged = fuller.hedged.get(tone, ())
        possible = (*parts.get("possible", ()), *hedged)
        tones[tone] = {**parts, "doubted": fuller.doubted.get(tone, ()), "hedged": hedged, "possible": possible}
    return first.model_copy(update={"tones": tones})


def _refuse(pattern: str, strange: set[str]) -> None:
    if strange:
        raise ValueError(f"no such slot {sorted(strange)} in {pattern!r}")
