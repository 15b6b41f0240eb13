"""The kinds of note, and the sentence patterns and headings of each language: styles.yaml and patterns/ as data.

Knows the files and refuses what a writer could not use: a pattern with an unknown slot, a tone without a part.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from nlp_core.assessment import Language
from nlp_core.knowledge import Onset
from training.synthetic_charts.wordings import Register

FOLDER = Path(__file__).parent
Layout = Literal["headed", "prose", "lines", "list", "table"]
Part = Literal["complaint", "history", "negatives", "past", "social", "family", "exam", "results", "possible", "plan"]
Pattern = Literal[
    "opening", "present", "absent", "sign", "sign_absent", "result", "result_absent",
    "past", "family", "possible", "conditional", "nothing", "doubted", "hedged",
]  # fmt: skip
Charts = Literal["first", "fuller"]
"""`first`: as the shipped model learned from them. `fuller`: with tables, doubts, hedges, two languages in a sentence and
Chinese slips besides."""
SLOT = re.compile(r"\{(\w+)\}")
FINDING_SLOTS = frozenset("f F fs Fs fs_or f_bare p".split())
WORD_SLOTS = frozenset(
    "age age_short age_lay age_years sex he He him his His duration relative Relative past past_year clock nothing".split()
)

_STRICT = ConfigDict(frozen=True, extra="forbid")


class ListWords(BaseModel):
    """What stands between the members of a list."""

    model_config = _STRICT

    between: str
    last_present: str
    last_absent: str


class Patterns(BaseModel):
    """Everything one language is written with."""

    model_config = _STRICT

    tones: dict[str, dict[Pattern, tuple[str, ...]]]
    headings: dict[Part, tuple[str, ...]]
    relatives: tuple[str, ...] = Field(min_length=1)
    past: tuple[str, ...] = Field(min_length=1)
    durations: dict[Onset, tuple[str, ...]]
    unrelated: tuple[str, ...] = Field(min_length=1)
    list_words: ListWords

    @model_validator(mode="after")
    def _slots_are_known(self) -> Patterns:
        for tone, parts in self.tones.items():
            for part, patterns in parts.items():
                for pattern in patterns:
                    if strange := set(SLOT.findall(pattern)) - FINDING_SLOTS - WORD_SLOTS:
                        raise ValueError(f"{tone}, {part}: no such slot {sorted(strange)} in {pattern!r}")
        return self


class Style(BaseModel):
    """One kind of note."""

    model_config = _STRICT

    tone: str
    register_: Register = Field(alias="register")
    layout: Layout
    parts: tuple[Part, ...]
    kind: dict[Language, str]


@lru_cache(maxsize=2)
def patterns(language: Language) -> Patterns:
    """Raises ValidationError where the file is not what a writer can use."""
    return Patterns.model_validate(yaml.safe_load((FOLDER / "patterns" / f"{language}.yaml").read_text("utf-8")))


@lru_cache(maxsize=1)
def styles() -> dict[str, Style]:
    """Name of the style -> style."""
    stored = yaml.safe_load((FOLDER / "styles.yaml").read_text("utf-8"))
    return {name: Style.model_validate(style) for name, style in stored.items()}
