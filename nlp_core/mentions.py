"""One note read: every finding and diagnosis it names or measures, with its words and how it is asserted.

Joins the readers of text (sections, lexicon, assertion, measurements). Knows one note at a time; what several notes
and the coded chart say together is findings' business.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from spacy.tokens import Span as TokenSpan

from nlp_core.analytes import Thresholds
from nlp_core.assertion import Assertion, AssertionRules, Trigger, assertion_of
from nlp_core.chart import Sex
from nlp_core.knowledge import FindingKind, Knowledge
from nlp_core.lexicon import Lexicon
from nlp_core.measurements import Measurement, MeasurementReader
from nlp_core.note import Span
from nlp_core.sections import Sentence, sentences
from nlp_core.text_view import TextView, view
from nlp_core.words import blank_pipeline, doc_stems

_FINDING, _DIAGNOSIS, _RELATIVES = "f:", "d:", "r:"
_NOT_THIS_PATIENT_NOW = (Assertion.FAMILY, Assertion.CONDITIONAL, Assertion.PAST)
_FAMILY_WORDS = re.compile(r"family history of |family history |的?家族史|家族性")


@dataclass(frozen=True, slots=True)
class Mention:
    """A stretch of one note that means a finding or names a diagnosis."""

    about: Literal["finding", "diagnosis"]
    entry: str
    """Id in the knowledge."""
    span: Span
    assertion: Assertion
    via: Literal["name", "measurement", "concept"]


LASTING: frozenset[FindingKind] = frozenset({"history", "exposure"})
"""Kinds of finding that a former mention establishes for good."""


def answer_of(mention: Mention, kind: FindingKind) -> bool | None:
    """True present, False absent, None where the words say neither of this patient now."""
    if mention.assertion is Assertion.PRESENT:
        return True
    if mention.assertion is Assertion.ABSENT:
        return False
    if mention.assertion is Assertion.PAST and kind in LASTING:
        return True
    if mention.assertion is Assertion.FAMILY and mention.entry.startswith("family_history"):
        return True
    return None


@dataclass(frozen=True, slots=True)
class ReadSentence:
    """A sentence with what was found in it: enough for a second reader (concepts) to go on."""

    sentence: Sentence
    triggers: tuple[Trigger, ...]
    covered: frozenset[int]
    """Document token indices that a name already explains."""
    view: TextView


class MentionReader:
    """Reads notes by the names and thresholds of one knowledge; built once per process."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.nlp = blank_pipeline()
        self._rules = AssertionRules(self.nlp)
        self._lexicon = Lexicon.of(_names(knowledge), self.nlp)
        self.thresholds = Thresholds(knowledge.findings.values())
        self._measurements = MeasurementReader(self.thresholds)

    def read(self, text: str, *, sex: Sex, age_years: float | None) -> tuple[list[Mention], list[ReadSentence]]:
        """Mentions in order of their place, and the sentences for a second reader."""
        seen_as = view(text)
        found: list[Mention] = []
        read: list[ReadSentence] = []
        for sentence, triggers in self._sentences(seen_as.text):
            named = list(self._named(sentence, triggers, seen_as))
            found += [mention for mention, _ in named]
            found += self._measured(sentence, triggers, seen_as, sex, age_years)
            covered = frozenset(index for _, tokens in named for index in tokens)
            read.append(ReadSentence(sentence, triggers, covered, seen_as))
        return found, read

    def _sentences(self, text: str) -> Iterator[tuple[Sentence, tuple[Trigger, ...]]]:
        triggers: list[Trigger] | None = None
        position = 0
        for sentence in sentences(text, self.nlp):
            if triggers is None:
                triggers = self._rules.triggers(sentence.span.doc)
            start, end = sentence.span.start, sentence.span.end
            while position < len(triggers) and triggers[position].start < start:
                position += 1
            first = position
            while position < len(triggers) and triggers[position].start < end:
                position += 1
            yield sentence, tuple(trigger for trigger in triggers[first:position] if trigger.end <= end)

    def _named(
        self, sentence: Sentence, triggers: tuple[Trigger, ...], seen_as: TextView
    ) -> Iterator[tuple[Mention, list[int]]]:
        tokens = sentence.span
        words = [token.lower_ for token in tokens]
        for match in self._lexicon.find(words, doc_stems(tokens)):
            start, end = tokens.start + match.start, tokens.start + match.end
            assertion = assertion_of(start, end, tokens, sentence.section, triggers)
            in_heading = tokens.doc[end - 1].idx < sentence.heading_end
            if in_heading or (match.entry.startswith(_RELATIVES) and assertion is not Assertion.FAMILY):
                continue
            if match.entry[len(_FINDING) :].startswith("family_history"):
                assertion = _of_relatives(start, end, sentence, triggers)
            mention = Mention(
                about="diagnosis" if match.entry.startswith(_DIAGNOSIS) else "finding",
                entry=match.entry[len(_FINDING) :],
                span=_characters(tokens, match.start, match.end, seen_as),
                assertion=assertion,
                via="name",
            )
            yield mention, [tokens.start + index for index in match.tokens]

    def _measured(
        self,
        sentence: Sentence,
        triggers: tuple[Trigger, ...],
        seen_as: TextView,
        sex: Sex,
        age_years: float | None,
    ) -> Iterator[Mention]:
        for value in self._measurements.find(sentence.span.text):
            if _asserted(sentence, value, triggers) in _NOT_THIS_PATIENT_NOW:
                continue
            span = seen_as.to_note(sentence.start + value.start, sentence.start + value.end)
            for finding, present in self.thresholds.meaning(value.analyte, value.value, sex=sex, age_years=age_years):
                assertion = Assertion.PRESENT if present else Assertion.ABSENT
                yield Mention("finding", finding, span, assertion, "measurement")


def _names(knowledge: Knowledge) -> Iterator[tuple[str, str]]:
    for finding in knowledge.findings.values():
        for name in (*finding.names.en, *finding.names.zh):
            yield _FINDING + finding.id, name
            relatives = _FAMILY_WORDS.sub("", name, count=1).strip()
            if finding.id.startswith("family_history") and relatives not in ("", name):
                yield _RELATIVES + finding.id, relatives
    for diagnosis in knowledge.diagnoses.values():
        for name in (*diagnosis.names.en, *diagnosis.names.zh):
            yield _DIAGNOSIS + diagnosis.id, name


def _asserted(sentence: Sentence, value: Measurement, triggers: tuple[Trigger, ...]) -> Assertion:
    """How the sentence asserts a number: "return if T above 38" measures nothing."""
    start, end = sentence.start + value.start, sentence.start + value.end
    inside = [token.i for token in sentence.span if token.idx < end and token.idx + len(token) > start]
    return assertion_of(inside[0], inside[-1] + 1, sentence.span, sentence.section, triggers)


def _of_relatives(start: int, end: int, sentence: Sentence, triggers: tuple[Trigger, ...]) -> Assertion:
    """A family history is the family's, or absent: "no family history of migraine"."""
    span, section = sentence.span, sentence.section
    besides = assertion_of(start, end, span, section, triggers, apart_from=Assertion.FAMILY)
    return Assertion.ABSENT if besides is Assertion.ABSENT else Assertion.FAMILY


def _characters(tokens: TokenSpan, start: int, end: int, seen_as: TextView) -> Span:
    first, last = tokens[start], tokens[end - 1]
    return seen_as.to_note(first.idx, last.idx + len(last))
