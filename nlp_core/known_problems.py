"""Which diagnoses the problem list already holds, denies, or held once.

Input : Problem(text="COPD, severe", codings=(J44.9 of ICD-10-CM,), clinical_status="active")
Output: {"copd": "active"}
Joins what codes say (problem_codes) and what words say (problem_words). What follows (hide, show again) is the card
builder's business. The principle, docs/decisions/0010-problem-list.md:

- A kind of a disease on the list says that the disease is known: diabetic nephropathy holds diabetes.
- A general entry covers its kinds ("diabetes" covers type 2), but neither one that must not be missed or is acute on
  chronic (angina does not cover an unstable one, COPD not its exacerbation) nor a complication (diabetes does not cover
  its retinopathy).
- What a kind lacks says nothing of the rest: a refuted diabetic nephropathy refutes no diabetes.
- The words of an entry rule its codes: "rule out PE" coded I26.99 holds no embolism.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache

from nlp_core.assertion import Assertion
from nlp_core.assessment import ProblemListStatus
from nlp_core.chart import Problem
from nlp_core.knowledge import Knowledge
from nlp_core.mentions import MentionReader
from nlp_core.problem_codes import Listed, ProblemCodes
from nlp_core.problem_words import ProblemWords

_PAST = frozenset({"inactive", "remission", "resolved"})
_STRONGEST: tuple[ProblemListStatus, ...] = ("active", "refuted", "past")
_Read = Callable[[str], dict[str, Assertion]]
_UNREAL = (Assertion.FAMILY, Assertion.CONDITIONAL, Assertion.POSSIBLE)


class ProblemMatcher:
    """Matches problems to the diagnoses of one knowledge."""

    def __init__(self, knowledge: Knowledge, reader: MentionReader) -> None:
        self._codes = ProblemCodes(knowledge.diagnoses.values())
        self._words = ProblemWords(knowledge, reader)

    def known(self, problems: Iterable[Problem]) -> dict[str, ProblemListStatus]:
        """Diagnosis id -> its status on the list; where several entries match, active wins, then refuted."""
        known: dict[str, ProblemListStatus] = {}
        read = cache(self._words.read)  # for this list alone: an entry is often there twice, and none may be kept
        for problem in problems:
            if problem.verification_status == "entered-in-error":
                continue
            for diagnosis, status in self._matches(problem, read):
                known[diagnosis] = min(known.get(diagnosis, status), status, key=_STRONGEST.index)
        return known

    def _matches(self, problem: Problem, read: _Read) -> Iterator[tuple[str, ProblemListStatus]]:
        status = _status(problem)
        said = read(problem.text)
        ruled = {name: how for name, how in said.items() if how is not Assertion.PRESENT}
        for coding in (*problem.codings, *self._words.code_in(problem.text)):
            for found in self._codes.find(coding):
                how = ruled.get(found.diagnosis, Assertion.PRESENT)
                yield from _so(found.diagnosis, found.listed, _stated(how, status))
            if coding.display not in ("", problem.text):
                displayed = read(coding.display)
                yield from self._named({name: ruled.get(name, how) for name, how in displayed.items()}, status)
        yield from self._named(said, status)

    def _named(self, said: dict[str, Assertion], status: ProblemListStatus) -> Iterator[tuple[str, ProblemListStatus]]:
        for name, how in said.items():
            for found in self._codes.meaning(name):
                if found.listed == "same" or found.diagnosis not in said:
                    yield from _so(found.diagnosis, found.listed, _stated(how, status))


def _so(diagnosis: str, listed: Listed, status: ProblemListStatus | None) -> Iterator[tuple[str, ProblemListStatus]]:
    """What an entry of `status` says of the diagnosis it speaks of in the way `listed`."""
    if status is None or (status == "refuted" and listed in ("narrower", "past")):
        return
    yield diagnosis, "past" if listed == "past" else status


def _stated(said: Assertion, status: ProblemListStatus) -> ProblemListStatus | None:
    """What the words of a problem make of its status; None where they only fear it or speak of others."""
    if said in _UNREAL:
        return None
    if said is Assertion.ABSENT:
        return "refuted"
    if said is Assertion.PAST and status == "active":
        return "past"
    return status


def _status(problem: Problem) -> ProblemListStatus:
    if problem.verification_status == "refuted":
        return "refuted"
    return "past" if problem.clinical_status in _PAST else "active"
