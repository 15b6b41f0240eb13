"""What dxspan knows of medicine: findings, diagnoses and how often the one occurs in the other.

Knows the shape of an entry and how entries refer to one another. Does not know the files they are written in
(knowledge_files), nor how they are matched in text (lexicon) or reasoned over (diagnoses).
The legend of every field, for the people who edit the files, is docs/knowledge.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from nlp_core.assessment import Urgency, Words
from nlp_core.chart import Setting
from nlp_core.lasting_objects import lasting_objects

FindingKind = Literal["symptom", "sign", "lab", "vital", "imaging", "history", "exposure", "medication"]
Frequency = Literal["very_common", "common", "uncommon", "rare", "very_rare"]
Onset = Literal["sudden", "hours", "days", "weeks", "months", "years"]
AttributeKind = Literal[
    "symptom", "site", "side", "radiation", "quality", "onset", "duration", "timing", "trigger", "relief"
]
"""What can change the meaning of a symptom; the values of each kind are in rules/attributes.yaml."""
Share = Annotated[float, Field(gt=0, lt=1)]

_STRICT = ConfigDict(frozen=True, extra="forbid")


class Names(BaseModel):
    """What charts and patients call it. The first of each language is the name to display."""

    model_config = _STRICT

    en: tuple[str, ...] = Field(min_length=1)
    zh: tuple[str, ...] = Field(min_length=1)

    @property
    def display(self) -> Words:
        return Words(en=self.en[0], zh=self.zh[0])


class Measured(BaseModel):
    """When a number means the finding: `above` or `below`, in `unit`, for the sex and ages (years) given."""

    model_config = _STRICT

    loinc: tuple[str, ...] = ()
    unit: str
    above: float | None = None
    below: float | None = None
    sex: Literal["female", "male"] | None = None
    min_age: float | None = None
    max_age: float | None = None


class Finding(BaseModel):
    """A symptom, sign, result or piece of history, always named in its abnormal state."""

    model_config = _STRICT

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    kind: FindingKind
    is_a: tuple[str, ...] = ()
    attributes: dict[AttributeKind, tuple[str, ...]] = Field(default_factory=dict)
    """What makes it more than its parent, each kind with the values that will do: `{"trigger": ("breathing",)}`."""
    names: Names
    background: Share
    """Share of people seen without the disease in question who have it."""
    measured: tuple[Measured, ...] = ()
    source: str = ""
    written: date | None = None
    second_read: date | None = None


class AgeRange(BaseModel):
    """Years: where most patients lie, and outside of which the diagnosis is excluded."""

    model_config = _STRICT

    typical: tuple[float, float]
    possible: tuple[float, float]


class Step(BaseModel):
    """A question or a test, tied to the finding that a positive answer would be."""

    model_config = _STRICT

    finding: str
    en: str
    zh: str

    @property
    def words(self) -> Words:
        return Words(en=self.en, zh=self.zh)


class Diagnosis(BaseModel):
    """One diagnosis; `findings`, `against` and `risk_factors` give the share of its patients who have each finding."""

    model_config = _STRICT

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    icd10cm: str
    names: Names
    frequency: Frequency
    sex: Literal["any", "female", "male"] = "any"
    age: AgeRange
    setting: dict[Setting, Annotated[float, Field(gt=0, le=1)]] = Field(default_factory=dict)
    """Where its patients are first seen with it; the shares add up to 1."""
    onset: Onset
    course: Words
    urgency: Urgency
    cannot_miss: bool = False
    findings: dict[str, Share]
    against: dict[str, Share] = Field(default_factory=dict)
    risk_factors: dict[str, Share] = Field(default_factory=dict)
    typical: Words
    confused_with: dict[str, Words] = Field(default_factory=dict)
    questions: tuple[Step, ...] = ()
    tests: tuple[Step, ...] = ()
    treatment: Words
    patients: Words
    source: str
    written: date
    second_read: date | None = None
    specialty: str = ""

    @cached_property
    def shares(self) -> dict[str, float]:
        """Every finding linked to the diagnosis with its share; where listed twice, `findings` wins."""
        return {**self.risk_factors, **self.against, **self.findings}


class Knowledge(BaseModel):
    """All entries, by id."""

    model_config = _STRICT

    version: str
    findings: dict[str, Finding]
    diagnoses: dict[str, Diagnosis]

    @staticmethod
    def load(path: Path) -> Knowledge:
        """Reads compiled knowledge. Raises OSError when the file is missing, ValidationError when it is not knowledge."""
        with lasting_objects():
            return Knowledge.model_validate_json(path.read_bytes())

    def ancestors(self, finding: str) -> tuple[str, ...]:
        """Every more general finding that `finding` implies, nearest first, each once."""
        known = self._lineage.get(finding)
        if known is None:
            known = self._lineage[finding] = tuple(self._climb(finding))
        return known

    def related(self, one: str, other: str) -> bool:
        """The same finding, or one a kind of the other."""
        return one == other or one in self.ancestors(other) or other in self.ancestors(one)

    @cached_property
    def _lineage(self) -> dict[str, tuple[str, ...]]:
        """What `ancestors` has worked out so far."""
        return {}

    def _climb(self, finding: str) -> Iterator[str]:
        seen = {finding}
        queue = list(self.findings[finding].is_a)
        while queue:
            parent = queue.pop(0)
            if parent in seen:
                continue
            seen.add(parent)
            yield parent
            queue.extend(self.findings[parent].is_a)
