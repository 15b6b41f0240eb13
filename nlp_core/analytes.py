"""What can be measured, in which units, and when a number means a finding of the knowledge.

Knows units and thresholds. Where the number stood (a FHIR Observation or a sentence) is facts' and measurements'
business.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

from nlp_core.chart import Sex
from nlp_core.knowledge import Finding, Measured, Names

ANALYTES = Path(__file__).parent / "rules" / "analytes.yaml"


class Analyte(BaseModel):
    """One measurable thing; `units` maps a written unit to its factor into `unit` ("F": Fahrenheit's own rule)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    loinc: tuple[str, ...]
    unit: str
    units: dict[str, float | Literal["F"]]
    plausible: tuple[float, float]
    names: Names

    def convert(self, value: float, unit: str) -> float | None:
        """`value` in the analyte's own unit, or None for an unknown unit or an implausible number.

        An empty unit is guessed: the first under which the number is plausible.
        """
        candidates = [unit] if unit else list(self.units)
        for candidate in candidates:
            factor = self._factor(candidate)
            if factor is None:
                continue
            converted = (value - 32) / 1.8 if factor == "F" else value * factor
            if self.plausible[0] <= converted <= self.plausible[1]:
                return converted
        return None

    def _factor(self, unit: str) -> float | Literal["F"] | None:
        if unit in self.units:
            return self.units[unit]
        folded = _folded(unit)
        return next((f for name, f in self.units.items() if _folded(name) == folded), None)


class Thresholds:
    """Which findings a measured value means, by analyte."""

    def __init__(self, findings: Iterable[Finding], path: Path = ANALYTES) -> None:
        raw = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        self.analytes = {entry["id"]: Analyte.model_validate(entry) for entry in raw}
        self.by_loinc = {code: analyte for analyte in self.analytes.values() for code in analyte.loinc}
        self._rules: dict[str, list[tuple[str, Measured]]] = defaultdict(list)
        for finding in findings:
            for measured in finding.measured:
                for analyte in {self.by_loinc[code].id for code in measured.loinc if code in self.by_loinc}:
                    rule = _in_unit_of(self.analytes[analyte], measured)
                    if rule is not None:
                        self._rules[analyte].append((finding.id, rule))

    def meaning(
        self, analyte: Analyte, value: float, *, sex: Sex, age_years: float | None
    ) -> Iterator[tuple[str, bool]]:
        """(finding, present) for a value in the analyte's unit.

        Only rules for this sex and age speak; a finding with several rules is present when one of them says so.
        """
        answers: dict[str, bool] = {}
        for finding, rule in self._rules.get(analyte.id, ()):
            if not _applies(rule, sex, age_years):
                continue
            above = rule.above is not None and value > rule.above
            below = rule.below is not None and value < rule.below
            answers[finding] = answers.get(finding, False) or above or below
        yield from answers.items()

    def direction(self, analyte: Analyte, side: Literal["above", "below"], *, sex: Sex) -> list[str]:
        """Findings that a value flagged high (`above`) or low (`below`) by the laboratory means.

        Where an analyte has graded findings (fever, high fever) only the mildest follows from a flag. A finding of one
        sex (low testosterone) does not follow in the other, nor where the sex is unknown. The age is left to the
        laboratory: its limits are those of the patient's age.
        """
        rules = [
            (finding, rule) for finding, rule in self._rules.get(analyte.id, ()) if getattr(rule, side) is not None
        ]
        sexes: dict[str, set[str | None]] = defaultdict(set)
        for finding, rule in rules:
            sexes[finding].add(rule.sex)
        limits = [
            (getattr(rule, side), finding)
            for finding, rule in rules
            if rule.sex in (None, sex) or (sex not in ("female", "male") and len(sexes[finding]) > 1)
        ]
        if not limits:
            return []
        mildest = min(limits)[0] if side == "above" else max(limits)[0]
        return list(dict.fromkeys(finding for limit, finding in limits if limit == mildest))


def _folded(unit: str) -> str:
    """Case, blanks and the three ways to write micro (u, U+00B5, U+03BC) do not matter."""
    return unit.replace(" ", "").replace("\u00b5", "u").replace("\u03bc", "u").lower()


def _in_unit_of(analyte: Analyte, measured: Measured) -> Measured | None:
    """The rule with its limit in the analyte's own unit; None where its unit is not one of the analyte's."""
    side = "above" if measured.above is not None else "below"
    written: float | None = getattr(measured, side)
    limit = analyte.convert(written, measured.unit) if written is not None else None
    return None if limit is None else measured.model_copy(update={side: limit, "unit": analyte.unit})


def _applies(rule: Measured, sex: Sex, age_years: float | None) -> bool:
    if rule.sex is not None and rule.sex != sex:
        return False
    if rule.min_age is None and rule.max_age is None:
        return True
    if age_years is None:
        return rule.min_age is not None and rule.min_age >= 12 and rule.max_age is None  # adults are the usual case
    return (rule.min_age or 0) <= age_years <= (rule.max_age if rule.max_age is not None else 200)
