"""Coded facts of the chart as findings: an abnormal potassium is one, so is a diabetes on the problem list.

Knows laboratory values, vital signs, coded or worded results, problems, medications and habits. Notes are mentions'
business.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from nlp_core.analytes import Analyte
from nlp_core.chart import Chart, Fact, Problem
from nlp_core.knowledge import Knowledge
from nlp_core.mentions import LASTING, Mention, MentionReader, answer_of
from nlp_core.newest_first import newest_first

_HIGH, _LOW = frozenset({"H", "HH", "HU", "A>"}), frozenset({"L", "LL", "LU"})
_NEGATIVE_WORDS = frozenset({"negative", "not detected", "absent", "none", "no", "阴性", "未检出", "无"})
_LIVE = frozenset({"", "active", "recurrence", "relapse"})
_UNTRUE = frozenset({"refuted", "entered-in-error"})


@dataclass(frozen=True, slots=True)
class FactFinding:
    """A finding that a coded fact means."""

    finding: str
    present: bool
    fact: Fact | Problem
    said: str
    """The fact in words, e.g. `Potassium 6.2 mmol/L`."""


class FactReader:
    """Turns facts into findings with the names and thresholds of one knowledge."""

    def __init__(self, knowledge: Knowledge, reader: MentionReader) -> None:
        self._kinds = {finding.id: finding.kind for finding in knowledge.findings.values()}
        self._reader = reader
        self._thresholds = reader.thresholds

    def findings(self, chart: Chart) -> Iterator[FactFinding]:
        """Every finding the coded chart means; of one laboratory code only the newest value speaks."""
        measured: set[str] = set()
        for fact in newest_first(chart.facts, chart.as_of):
            if fact.value is not None and fact.kind in ("laboratory", "vital_sign"):
                analyte = self._analyte(fact)
                if analyte is None or analyte.id in measured:
                    continue
                measured.add(analyte.id)
                yield from self._measured(fact, analyte, chart)
            else:
                yield from self._worded(fact)
        for problem in chart.problems:
            if problem.verification_status not in _UNTRUE:
                yield from self._problem(problem)

    def _analyte(self, fact: Fact) -> Analyte | None:
        return next((a for c in fact.codings if (a := self._thresholds.by_loinc.get(c.code)) is not None), None)

    def _measured(self, fact: Fact, analyte: Analyte, chart: Chart) -> Iterator[FactFinding]:
        said = f"{fact.text} {fact.value:g} {fact.unit}".strip()
        value = analyte.convert(fact.value, fact.unit) if fact.value is not None else None
        answers: dict[str, bool] = {}
        if value is not None:
            answers.update(self._thresholds.meaning(analyte, value, sex=chart.sex, age_years=chart.age_years))
        side = _flag(fact)
        if side:  # the laboratory knows its own limits better than a general threshold does
            answers.update(dict.fromkeys(self._thresholds.direction(analyte, side, sex=chart.sex), True))
        yield from (FactFinding(finding, present, fact, said) for finding, present in answers.items())

    def _worded(self, fact: Fact) -> Iterator[FactFinding]:
        """Facts said in words: `Chest X-ray: lobar consolidation`, `Tobacco use: current smoker`."""
        if fact.kind == "allergy":
            return
        said = f"{fact.text}: {fact.value_text}" if fact.value_text else fact.text
        negative = fact.interpretation in ("NEG", "N") or fact.value_text.lower().strip(" .。") in _NEGATIVE_WORDS
        positive = fact.interpretation in ("POS", "A", "AA")
        text = fact.text if positive or negative else said
        lead = "Family history: " if fact.kind == "family_history" else ""
        for mention in self._mentions(lead + text):
            if not self._may_mean(fact, mention.entry):
                continue
            present = answer_of(mention, self._kinds[mention.entry])
            if present is not None:
                yield FactFinding(mention.entry, present and not negative, fact, said)

    def _may_mean(self, fact: Fact, finding: str) -> bool:
        """A procedure's name says what was looked for ("Pregnancy test"), a medication's what was prescribed."""
        if fact.kind == "family_history":
            return finding.startswith("family_history")
        if fact.kind in ("procedure", "medication"):
            return self._kinds[finding] in ("history", "medication")
        return True

    def _problem(self, problem: Problem) -> Iterator[FactFinding]:
        said = problem.text or next((c.display for c in problem.codings if c.display), "")
        for mention in self._mentions(said):
            lasting = self._kinds[mention.entry] in LASTING
            if answer_of(mention, self._kinds[mention.entry]) and (lasting or is_current(problem)):
                yield FactFinding(mention.entry, True, problem, said)

    def _mentions(self, text: str) -> list[Mention]:
        if not text:
            return []
        mentions, _ = self._reader.read(text, sex="unknown", age_years=None)
        return [mention for mention in mentions if mention.about == "finding"]


def is_current(problem: Problem) -> bool:
    """Is the problem live and not denied?"""
    return problem.clinical_status in _LIVE and problem.verification_status not in _UNTRUE


def _flag(fact: Fact) -> Literal["above", "below"] | None:
    """What the laboratory itself says of its value, by flag or by reference range."""
    if fact.interpretation in _HIGH or (fact.value is not None and fact.high is not None and fact.value > fact.high):
        return "above"
    if fact.interpretation in _LOW or (fact.value is not None and fact.low is not None and fact.value < fact.low):
        return "below"
    return None
