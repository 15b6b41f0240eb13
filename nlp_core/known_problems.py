"""Which diagnoses the problem list already holds, denies, or held once.

Matches by ICD-10-CM code (equal, parent or child, an unspecified sibling) and by any name of the diagnosis in the
problem's words, English or Chinese. SNOMED-coded problems are matched by their display. What follows from it (hide,
show again) is the card builder's business.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from nlp_core.assertion import Assertion
from nlp_core.assessment import ProblemListStatus
from nlp_core.chart import Problem
from nlp_core.knowledge import Diagnosis, Knowledge
from nlp_core.mentions import MentionReader

_PAST = frozenset({"inactive", "remission", "resolved"})
_ICD_10 = re.compile(r"icd-?10|2\.16\.840\.1\.113883\.6\.(?:90|3)(?:\.|$)", re.IGNORECASE)
_STRONGEST: tuple[ProblemListStatus, ...] = ("active", "refuted", "past")


class ProblemMatcher:
    """Matches problems to the diagnoses of one knowledge."""

    def __init__(self, knowledge: Knowledge, reader: MentionReader) -> None:
        self._reader = reader
        self._by_category: dict[str, list[Diagnosis]] = {}
        for diagnosis in knowledge.diagnoses.values():
            self._by_category.setdefault(_plain(diagnosis.icd10cm)[:3], []).append(diagnosis)

    def known(self, problems: Iterable[Problem]) -> dict[str, ProblemListStatus]:
        """Diagnosis id -> its status on the list; where several entries match, active wins, then refuted."""
        known: dict[str, ProblemListStatus] = {}
        for problem in problems:
            if problem.verification_status == "entered-in-error":
                continue
            for diagnosis, status in self._matches(problem):
                known[diagnosis] = min(known.get(diagnosis, status), status, key=_STRONGEST.index)
        return known

    def _matches(self, problem: Problem) -> set[tuple[str, ProblemListStatus]]:
        status = _status(problem)
        matched = {
            (diagnosis.id, status)
            for coding in problem.codings
            if _ICD_10.search(coding.system)
            for diagnosis in self._by_category.get(_plain(coding.code)[:3], ())
            if same_disease(coding.code, diagnosis)
        }
        for words in {problem.text, *(coding.display for coding in problem.codings)} - {""}:
            mentions, _ = self._reader.read(words, sex="unknown", age_years=None)
            for mention in mentions:
                said = _said(mention.assertion, status)
                if mention.about == "diagnosis" and said:
                    matched.add((mention.entry, said))
        return matched


def same_disease(listed: str, diagnosis: Diagnosis) -> bool:
    """Does a listed ICD-10-CM code cover the diagnosis?

    Equal, parent and child codes do. Of two siblings it is enough that one is unspecified (E11.9 on the list, E11.65
    suggested) unless the diagnosis is not to be missed: stable angina on the list must not hide an unstable one.
    """
    on_list, suggested = _plain(listed), _plain(diagnosis.icd10cm)
    if not on_list or on_list[:3] != suggested[:3]:
        return False
    if on_list.startswith(suggested) or suggested.startswith(on_list):
        return True
    return not diagnosis.cannot_miss and ("9" in (on_list[3:4], suggested[3:4]))


def _said(assertion: Assertion, status: ProblemListStatus) -> ProblemListStatus | None:
    """What the words of a problem say of the disease they name; None where they only fear it or speak of others."""
    if assertion is Assertion.PRESENT:
        return status
    if assertion is Assertion.PAST:
        return "past" if status == "active" else status
    return "refuted" if assertion is Assertion.ABSENT else None


def _plain(code: str) -> str:
    return code.replace(".", "").strip().upper()


def _status(problem: Problem) -> ProblemListStatus:
    if problem.verification_status == "refuted":
        return "refuted"
    return "past" if problem.clinical_status in _PAST else "active"
