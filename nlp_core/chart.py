"""One patient's chart: notes, coded facts, problems, age and sex.

Knows what a chart holds once FHIR has been read (fhir_notes does that) and how it crosses the queue as JSON.
Holds no name, no identifier and no address of the patient: nothing here may need them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from nlp_core.note import Note

Sex = Literal["female", "male", "unknown"]
Setting = Literal["ambulatory", "emergency", "inpatient"]
"""Where a patient is seen: the encounter classes AMB, EMER and IMP of HL7 v3 ActCode, spelt out."""
FactKind = Literal[
    "laboratory",
    "vital_sign",
    "social_history",
    "medication",
    "allergy",
    "procedure",
    "family_history",
    "reason",
    "report",
]


MAX_CHARACTERS = 400_000
"""Characters of notes read per chart; older notes beyond are left out and counted."""


class Coding(BaseModel):
    """A code with its system, as FHIR writes it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    system: str = ""
    code: str = ""
    display: str = ""


class Fact(BaseModel):
    """One coded statement of the chart that is not a problem: a laboratory value, a vital sign, a medication, ..."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: FactKind
    reference: str
    """FHIR reference of the source, e.g. `Observation/9`."""
    codings: tuple[Coding, ...] = ()
    text: str = ""
    """What the chart calls it: `code.text`, else the first display."""
    value: float | None = None
    """Numeric value in `unit`."""
    value_text: str = ""
    """A coded or free-text value, e.g. `positive`; empty for numbers."""
    unit: str = ""
    """UCUM code where given, else the unit's text."""
    low: float | None = None
    """Lower end of the reference range, in `unit`."""
    high: float | None = None
    """Upper end of the reference range, in `unit`."""
    interpretation: str = ""
    """HL7 v3 ObservationInterpretation code (`H`, `L`, `HH`, `A`, `POS`, ...) or empty."""
    date: datetime | None = None
    relationship: str = ""
    """Family history only: who, e.g. `father`."""


class Problem(BaseModel):
    """One entry of the problem list or encounter diagnoses (FHIR Condition)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reference: str
    codings: tuple[Coding, ...] = ()
    text: str = ""
    clinical_status: str = ""
    """FHIR condition-clinical code; empty when absent."""
    verification_status: str = ""
    """FHIR condition-ver-status code; empty when absent."""
    date: datetime | None = None
    """Onset, else recorded date."""


class Unread(BaseModel):
    """Something of the chart that could not be read or was left out on purpose, counted and never silent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    what: str
    """Resource type or prefetch key, e.g. `DocumentReference`, `problems`."""
    reason: str
    """A fixed word, never chart text: `other-patient`, `entered-in-error`, `superseded`, `not-text`, `undecodable`,
    `too-large`, `restricted`, `not-authorized`, `not-available`, `over-limit`, `malformed`, `not-fetched`, `not-done` (cancelled, not taken, draft)."""
    count: int = Field(default=1, ge=1)


class Chart(BaseModel):
    """What dxspan knows of one patient when it reasons."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    age_years: float | None = None
    """Age at `as_of` in years, fractions kept (a newborn of 3 days is 0.008); None = unknown."""
    sex: Sex = "unknown"
    setting: Setting | None = None
    """Where the patient is seen, by the newest encounter; None = unknown."""
    deceased: bool = False
    as_of: datetime
    """The moment the chart is read, with time zone: what `recent` is measured against."""
    notes: tuple[Note, ...] = ()
    """Newest first; notes dated in the future after all others, undated ones last."""
    facts: tuple[Fact, ...] = ()
    problems: tuple[Problem, ...] = ()
    problems_available: bool = True
    """False when the problem list could not be read: the card then says so and offers no `add`."""
    unread: tuple[Unread, ...] = ()
