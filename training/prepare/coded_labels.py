"""What a Condition says of the knowledge's diagnoses, and the words that would give it away in a note.

Input : Condition with SNOMED 195662009 "Acute viral pharyngitis (disorder)"
Output: {viral_pharyngitis: same}, by its code; {"acute viral pharyngitis", "195662009"}
By the code maps of nlp_core (problem_codes); where no code is known, by the words beside it (problem_words). The words rule the
codes: "rule out PE" coded I26.99 is no embolism. Provisional, refuted and withdrawn entries are no labels.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from nlp_core.assertion import Assertion
from nlp_core.chart import Problem
from nlp_core.fhir_fields import Json
from nlp_core.fhir_problems import problem_of
from nlp_core.knowledge import Knowledge
from nlp_core.mentions import MentionReader
from nlp_core.problem_codes import ProblemCodes
from nlp_core.problem_words import ProblemWords
from nlp_core.unreadable import Unreadable

Via = Literal["code", "name"]
Listed = Literal["same", "narrower"]
_UNSURE = frozenset({"provisional", "differential", "unconfirmed", "refuted", "entered-in-error"})
_SNOMED_TAG = re.compile(r"\s*\((?:disorder|finding|situation|event|morphologic abnormality|procedure)\)\s*\Z", re.I)
_SHORTEST_GIVEAWAY = 4
"""Characters of a code or a display that are looked for in notes; shorter ones stand in other words."""


@dataclass(frozen=True, slots=True)
class Label:
    """One diagnosis of a Condition."""

    diagnosis: str
    listed: Listed
    via: Via


class CodedLabels:
    """Reads Conditions by one knowledge; built once per process."""

    def __init__(self, knowledge: Knowledge, reader: MentionReader) -> None:
        self._codes = ProblemCodes(knowledge.diagnoses.values())
        self._words = ProblemWords(knowledge, reader)

    def labels(self, problem: Problem) -> list[Label]:
        """Each diagnosis once, `same` before `narrower`; none for an entry that is not sure."""
        if problem.verification_status in _UNSURE:
            return []
        said = self._words.read(problem.text)
        found: dict[str, Label] = {}
        for label in [*self._by_code(problem), *(() if self._is_known(problem) else self._by_name(said))]:
            known = found.get(label.diagnosis)
            if said.get(label.diagnosis, Assertion.PRESENT) is Assertion.PRESENT and (
                known is None or known.listed == "narrower"
            ):
                found[label.diagnosis] = label
        return list(found.values())

    def _by_code(self, problem: Problem) -> Iterator[Label]:
        for coding in problem.codings:
            for found in self._codes.find(coding):
                if found.listed in ("same", "narrower"):
                    yield Label(found.diagnosis, found.listed, "code")

    def _by_name(self, said: dict[str, Assertion]) -> Iterator[Label]:
        for name, how in said.items():
            for found in self._codes.meaning(name) if how is Assertion.PRESENT else ():
                if found.listed in ("same", "narrower"):
                    yield Label(found.diagnosis, found.listed, "name")

    def _is_known(self, problem: Problem) -> bool:
        return any(True for coding in problem.codings for _ in self._codes.find(coding))


def problem_in(resource: Json) -> Problem | None:
    """None for a Condition that says nothing."""
    try:
        return problem_of(resource)
    except Unreadable:
        return None


def giveaways(problem: Problem) -> list[str]:
    """The words and codes of the entry as a note might repeat them, in lower case."""
    said = [problem.text, *(coding.display for coding in problem.codings)]
    said = [_SNOMED_TAG.sub("", text).strip().lower() for text in said]
    codes = [coding.code.strip().lower() for coding in problem.codings]
    return [text for text in dict.fromkeys([*said, *codes]) if len(text) >= _SHORTEST_GIVEAWAY]
