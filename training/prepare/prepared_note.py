"""One line of train.jsonl, development.jsonl or test.jsonl: a note, what was coded of it, what may be learned from it.

The shape is that of training/synthetic_charts' gold.jsonl with several diagnoses; every offset counts code points of `text`.
`text` has the words that name its own diagnoses blotted out, character by character, so no answer stands in the input.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from nlp_core.assertion import Assertion
from nlp_core.assessment import Language
from nlp_core.chart import Setting, Sex

Split = Literal["train", "development", "test"]
SPLITS: tuple[Split, ...] = ("train", "development", "test")
BLOT = "_"
"""Stands for each letter and digit of a word that was blotted out."""
OLDEST = 90
"""Ages above are given as this."""

_STRICT = ConfigDict(frozen=True, extra="forbid")


class CodedDiagnosis(BaseModel):
    """A diagnosis of the knowledge that the note's patient has by the codes of the chart."""

    model_config = _STRICT

    id: str
    icd10cm: str
    """The knowledge's own code for it, not the chart's."""
    listed: Literal["same", "narrower"]
    """What is coded is the diagnosis itself, or a kind of it."""
    via: Literal["code", "name", "review"]
    """By the code, or where no code is known by the words beside it; `review`: a person confirmed a suggestion."""
    joined: Literal["encounter", "date", "review"]
    """Coded in the note's own encounter; or recorded at or after the note, where one of both names no encounter."""


class BlottedSpan(BaseModel):
    """Half-open stretch of the text that named a diagnosis of the note."""

    model_config = _STRICT

    start: int = Field(ge=0)
    end: int = Field(ge=0)


class WeakSpan(BaseModel):
    """Words that the knowledge's own reader takes for an entry: a weak label, right as often as the rules are."""

    model_config = _STRICT

    start: int = Field(ge=0)
    end: int = Field(ge=0)
    entry: str
    """Finding id, or `d:` and a diagnosis id."""
    assertion: Assertion


class PreparedSentence(BaseModel):
    """Half-open stretch; `telling`: it holds a present finding that one of the coded diagnoses explains."""

    model_config = _STRICT

    start: int = Field(ge=0)
    end: int = Field(ge=0)
    telling: bool


class CodedFinding(BaseModel):
    """A finding that a coded fact of the same encounter means: a measured value, a symptom on the problem list."""

    model_config = _STRICT

    finding: str
    present: bool


class PreparedNote(BaseModel):
    """One example."""

    model_config = _STRICT

    version: Literal[1] = 1
    patient: str
    """Keyed mark; the same patient has the same one in every run with the same key, and nobody without it can tell who."""
    note: str
    """Keyed mark of the document."""
    split: Split
    language: Language
    kind: str = ""
    age_years: int | None = None
    sex: Sex = "unknown"
    setting: Setting | None = None
    text: str
    diagnoses: tuple[CodedDiagnosis, ...] = ()
    """Empty: none was coded of this note, which does not say that there was none."""
    known: tuple[str, ...] = ()
    """Diagnoses recorded before the note was written: not to be asked for again."""
    blotted: tuple[BlottedSpan, ...] = ()
    spans: tuple[WeakSpan, ...] = ()
    sentences: tuple[PreparedSentence, ...] = ()
    coded_findings: tuple[CodedFinding, ...] = ()
