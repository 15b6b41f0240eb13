"""The answer of the core in domain words: ranked diagnoses, each with what speaks for and against it.

Knows no card, no Markdown, no HTTP: card, viewer, summary and batch report are drawn from it. It crosses the queue as
JSON; `MESSAGE_VERSION` in worker.messages changes whenever a field here does.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from nlp_core.note import Span

Language = Literal["en", "zh"]
Silence = Literal[
    "no_note",
    "too_little_text",
    "unsupported_language",
    "no_finding",
    "weak_evidence",
    "deceased",
    "old_notes",
    "partly_read",
    "stuffed_text",
    "other_patient_text",
]
"""`partly_read`: what was read shows nothing, and not all was. The last two warn of the chart itself: a name repeated to
be found, another patient's note pasted in (trust)."""
WhyPartly = Literal["length", "time", "model"]
"""Why a note was read in part: only its beginning, as it is too long; or by names alone, as time was up, or as the encoder
gave nothing that may be used."""
MOST_FOR = 6
"""Longest `evidence_for` of a candidate: a list this long may leave weaker findings out."""
SummaryHeading = Literal["problem", "course", "medication", "pending"]
"""What a sentence of the record tells: what the patient has, how it goes, what is taken now, what is still to come."""
SUMMARY_HEADINGS: tuple[SummaryHeading, ...] = get_args(SummaryHeading)
ProblemListStatus = Literal["active", "refuted", "past"]
Urgency = Literal["emergency", "urgent", "soon", "routine"]


class Words(BaseModel):
    """The same thing said in both languages."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    en: str
    zh: str

    def said_in(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en


class Evidence(BaseModel):
    """One finding's share in one diagnosis, with the words or the coded fact it rests on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    finding: str
    """Id of the finding in the knowledge; empty where a sentence as a whole speaks."""
    names: Words
    present: bool
    """True when the patient has the finding, False when the chart says it is absent."""
    share: FiniteFloat
    """Natural-log odds it adds to the diagnosis: above 0 speaks for it, below 0 against."""
    reference: str
    """FHIR reference of the note or the fact."""
    span: Span | None = None
    """Where in the note; None when the evidence is a coded fact."""
    quote: str
    """The exact words `note.text[span.start:span.end]`, or the fact as `potassium 6.2 mmol/L`."""
    kind: str = ""
    """Type of note, or of fact."""
    author_role: str = ""
    date: datetime | None = None


class Band(BaseModel):
    """A calibrated range of probability with its word."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    word: Words
    low: float = Field(ge=0, le=1)
    high: float = Field(ge=0, le=1)


class Candidate(BaseModel):
    """One diagnosis worth considering."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    diagnosis: str
    """Id of the diagnosis in the knowledge."""
    names: Words
    icd10cm: str
    probability: float = Field(ge=0, le=1)
    band: Band | None = None
    """None where no calibration backs a word."""
    urgency: Urgency
    cannot_miss: bool = False
    named_in_chart: bool = False
    """A note already names this diagnosis as established."""
    problem_list: ProblemListStatus | None = None
    """What the problem list already says of it: there (`active`), denied (`refuted`) or over (`past`)."""
    evidence_for: tuple[Evidence, ...] = ()
    """Strongest share first."""
    evidence_against: tuple[Evidence, ...] = ()
    """Strongest share first."""


class NextStep(BaseModel):
    """A question or a test that would tell the leading candidates apart."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["question", "test"]
    finding: str
    words: Words
    gain: FiniteFloat = Field(ge=0)
    """Expected information gain over the candidates, in bits."""
    diagnoses: tuple[str, ...] = ()
    """Ids of the leading candidates whose entry in the knowledge asks for it in these words."""


class SummaryItem(BaseModel):
    """One sentence of the record that says how the patient is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    heading: SummaryHeading
    reference: str
    """FHIR reference of the note."""
    span: Span
    quote: str
    """The exact words `note.text[span.start:span.end]`."""
    kind: str = ""
    """Type of note."""
    author_role: str = ""
    date: datetime | None = None


class RecordSummary(BaseModel):
    """The record in a few of its own sentences, or the reason why there are none. Exactly one of the two is set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    items: tuple[SummaryItem, ...] = ()
    """By heading in the order of SUMMARY_HEADINGS, newest first within one."""
    silence: Silence | None = None

    @model_validator(mode="after")
    def _either(self) -> Self:
        if bool(self.items) == (self.silence is not None):
            raise ValueError("a summary holds either sentences or the reason why there are none")
        return self


class PartlyRead(BaseModel):
    """A note that was read, though not wholly."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reference: str
    kind: str = ""
    date: datetime | None = None
    why: WhyPartly


class Assessment(BaseModel):
    """What dxspan makes of one chart. `silence` says why nothing should be shown; candidates may still be listed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: Language
    """Language of most of the notes' text."""
    candidates: tuple[Candidate, ...] = ()
    """Best first, at most ten."""
    next_steps: tuple[NextStep, ...] = ()
    silence: Silence | None = None
    silence_below: float = Field(default=0.0, ge=0, le=1)
    """Probability of the leading candidate below which nothing is shown; 0 where no calibration says so."""
    calibrated_on_site: bool = False
    """Were probabilities fitted on notes of this site too, and not on simulated patients alone?"""
    notes_read: int = Field(ge=0)
    notes_unread: int = Field(default=0, ge=0)
    """Notes left out for want of time or budget (the oldest ones)."""
    partly_read: tuple[PartlyRead, ...] = ()
    """Of the notes read those that were not read wholly, newest first; a note may stand here for two reasons."""
    summary: RecordSummary | None = None
    """Has a silence of its own: a chart may be summed up that shows no diagnosis. None only where a reader makes none."""
    newest_note: datetime | None = None
    """Never in the future: what is dated so counts as undated."""
    oldest_note: datetime | None = None
    newest_laboratory: datetime | None = None
    """Date of the newest laboratory fact; None when the chart has none."""
    model_version: str
    """`<bundle version>+<first 12 hex digits of the bundle's digest>`."""
    knowledge_version: str

    @property
    def fell_short(self) -> bool:
        """Did time or the encoder fail a note that was begun? A limit of ours, as its length is, is no failure."""
        return any(note.why in ("time", "model") for note in self.partly_read)
