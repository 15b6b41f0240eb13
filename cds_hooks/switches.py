"""What is switched off or made to run in the shadow, by tenant, diagnosis and model version.

Input: the switches themselves and an assessment. Output: yes or no, and the assessment without what is off. Knows
neither where switches are kept (switches_file) nor how an answer says that something is off (switched_answers).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from nlp_core.assessment import Assessment, Candidate, NextStep

ICD_10_CODE = re.compile(r"[A-Z][0-9][0-9A-Z](\.?[0-9A-Z]{1,4})?")
"""With or without its dot."""

Mode = Literal["off", "shadow"]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._+-]{1,80}$")]


def _mode(value: Any) -> Any:
    """`mode: off` without quotes is `false` in YAML."""
    return "off" if value is False else value


class Switch(BaseModel):
    """One thing switched off, or made to run in the shadow. What is left out means all of it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, coerce_numbers_to_str=True)

    mode: Annotated[Mode, BeforeValidator(_mode)] = "off"
    """shadow: read and kept for comparison, nothing shown."""
    tenant: Name | None = None
    diagnosis: Name | None = None
    """Its id in the knowledge, or an ICD-10-CM code; a category covers its codes, I26 is I26.99 too."""
    model_version: Name | None = None
    """As cards say it: `<bundle version>+<first 12 hex digits of the bundle's digest>`."""
    reason: str = Field(min_length=1, max_length=200)
    """For people, in the file alone; never logged."""
    since: AwareDatetime

    @model_validator(mode="after")
    def _of_whom(self) -> Self:
        if self.mode == "shadow" and self.diagnosis:
            raise ValueError("a diagnosis is switched off or on, it has no shadow")
        return self

    @property
    def what(self) -> tuple[str | None, str | None, str | None]:
        """Tenant, diagnosis and model version: two switches of the same are one."""
        return self.tenant, self.diagnosis, self.model_version

    def meets(self, tenant: str, model_version: str | None) -> bool:
        """Is it for this tenant's answers by this model? None = not known yet; then no switch of a model is."""
        return self.tenant in (None, tenant) and self.model_version in (None, model_version)

    def names(self, candidate: Candidate) -> bool:
        """Is it about this diagnosis, by name, and not about all?"""
        if self.diagnosis is None or self.diagnosis == candidate.diagnosis:
            return self.diagnosis is not None
        code = self.diagnosis.upper()
        return bool(ICD_10_CODE.fullmatch(code)) and plain_code(candidate.icd10cm).startswith(plain_code(code))


def plain_code(code: str) -> str:
    """An ICD-10-CM code without its dot."""
    return code.replace(".", "")


class Switches(BaseModel):
    """All of them; none by default. An entry without tenant, diagnosis and model version switches everything off."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    switches: tuple[Switch, ...] = ()

    def all_off(self, tenant: str, model_version: str | None = None) -> bool:
        """Is nothing to be shown to this tenant, or nothing of this model; None = whatever model will read?"""
        return any(
            one.mode == "off" and one.diagnosis is None and one.meets(tenant, model_version) for one in self.switches
        )

    def diagnoses_off(self, assessment: Assessment, tenant: str) -> tuple[Candidate, ...]:
        """The candidates that are not to be shown to this tenant."""
        meeting = [one for one in self.switches if one.mode == "off" and one.meets(tenant, assessment.model_version)]
        return tuple(c for c in assessment.candidates if any(one.names(c) for one in meeting))

    def in_shadow(self, tenant: str, model_version: str) -> bool:
        """Are this model's answers to this tenant kept instead of shown?"""
        return any(one.mode == "shadow" and one.meets(tenant, model_version) for one in self.switches)

    def comparing(self, tenant: str) -> bool:
        """Is any model in the shadow for this tenant, so that what the others show is worth keeping beside it?"""
        return any(one.mode == "shadow" and one.tenant in (None, tenant) for one in self.switches)


NOTHING_SWITCHED = Switches()


def without(assessment: Assessment, off: Sequence[Candidate]) -> Assessment:
    """`assessment` as if the diagnoses `off` had never been thought of: also without what is asked for them alone.

    What is left may be too weak to speak; then it is silent, as the reader would have been.
    """
    if not off:
        return assessment
    left = tuple(candidate for candidate in assessment.candidates if candidate not in off)
    weak = bool(left) and left[0].probability < assessment.silence_below
    names = {candidate.diagnosis for candidate in left}
    steps = tuple(s for s in assessment.next_steps if names.intersection(s.diagnoses) and not _speaks_of(s, off))
    silence = assessment.silence or ("weak_evidence" if weak else None)
    return assessment.model_copy(update={"candidates": left, "next_steps": steps, "silence": silence})


def _speaks_of(step: NextStep, off: Sequence[Candidate]) -> bool:
    """Another diagnosis's question may name the one that is off."""
    said = f"{step.words.en}\n{step.words.zh}".casefold()
    return any(name and name.casefold() in said for one in off for name in (one.names.en, one.names.zh))
