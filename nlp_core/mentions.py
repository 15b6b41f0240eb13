"""One note read: every finding and diagnosis it names or measures, with its words and how it is asserted.

Joins the readers of text (sections, lexicon, assertion, measurements). Knows one note at a time; what several notes
and the coded chart say together is findings' business.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Literal

from spacy.tokens import Span as TokenSpan

from nlp_core.analytes import Thresholds
from nlp_core.assertion import Assertion, assertion_of
from nlp_core.chart import Sex
from nlp_core.composed_findings import Composed, Composer, CompositionRules, Said
from nlp_core.compounds import with_compounds
from nlp_core.knowledge import FindingKind, Knowledge
from nlp_core.lexicon_names import DIAGNOSIS, PREFIX, Lexicons, attribute_entry, lexicons_of
from nlp_core.limited_denials import limited_denials
from nlp_core.measurements import Measurement, MeasurementReader
from nlp_core.note import Span
from nlp_core.onset import durations
from nlp_core.reading_trust import Meaning
from nlp_core.rewording import Rewording
from nlp_core.sections import Section, Sentence, sentences
from nlp_core.spelling import Spelling
from nlp_core.text_view import TextView
from nlp_core.triggers import AssertionRules, Trigger
from nlp_core.words import blank_pipeline, doc_stems

_NOT_THIS_PATIENT_NOW = (Assertion.FAMILY, Assertion.CONDITIONAL, Assertion.PAST)


@dataclass(frozen=True, slots=True)
class Mention:
    """A stretch of one note that means a finding or names a diagnosis."""

    about: Literal["finding", "diagnosis"]
    entry: str
    """Id in the knowledge."""
    span: Span
    assertion: Assertion
    via: Literal["name", "measurement", "attributes", "concept"]
    """How it was found; `attributes`: put together from a symptom and what is said of it."""
    trust: float = 1.0
    """Probability that the words mean it, for a concept or what is near to it (reading_trust)."""
    meanings: tuple[Meaning, ...] = ()
    """Of a concept: the findings that the words may mean, likeliest first."""


LONGEST_SENTENCE = 120
"""Characters up to which a composed finding quotes its sentence from the start."""

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

    def __init__(
        self, knowledge: Knowledge, lexicons: Lexicons | None = None, spelling: Spelling | None = None
    ) -> None:
        """lexicons: the compiled ones of this knowledge; None = built here, which takes a second or two.

        spelling: None = words are read as they are written.
        """
        self.nlp = blank_pipeline()
        self._rules = AssertionRules(self.nlp)
        self.lexicons = lexicons or lexicons_of(knowledge)
        self._rewording = Rewording(spelling)
        self._composition = CompositionRules(knowledge)
        self.thresholds = Thresholds(knowledge.findings.values())
        self._measurements = MeasurementReader(self.thresholds)

    def with_lexicons(self, lexicons: Lexicons) -> MentionReader:
        """A reader by other names that shares all else with this one."""
        other = copy(self)
        other.lexicons = lexicons
        return other

    def read(self, text: str, *, sex: Sex, age_years: float | None) -> tuple[list[Mention], list[ReadSentence]]:
        """Mentions in order of their place, and the sentences for a second reader."""
        seen_as = self.seen(text)
        composer = Composer(self._composition)
        found: list[Mention] = []
        read: list[ReadSentence] = []
        for sentence, triggers in self._sentences(seen_as.text):
            words, stems = [token.lower_ for token in sentence.span], doc_stems(sentence.span)
            named = list(self._named(sentence, triggers, seen_as, words, stems))
            composed, limited = self._composed(composer, sentence, triggers, named, words, stems)
            found += [mention for mention, tokens in named if (mention.entry, tokens[0]) not in limited]
            found += self._of_the_family(sentence, triggers, seen_as, words, stems)
            found += [_put_together(part, sentence, seen_as) for part in composed]
            found += self._measured(sentence, triggers, seen_as, sex, age_years)
            covered = {index for _, tokens in named for index in tokens}
            covered |= {index for part in composed for index in range(part.start, part.end)}
            read.append(ReadSentence(sentence, triggers, frozenset(covered), seen_as))
        return found, read

    def seen(self, text: str) -> TextView:
        """The text as every reader of a note should see it: slips mended, abbreviations spelt out, lost marks put in."""
        return self._rewording.seen(text)

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
        self,
        sentence: Sentence,
        triggers: tuple[Trigger, ...],
        seen_as: TextView,
        words: Sequence[str],
        stems: Sequence[str],
    ) -> Iterator[tuple[Mention, list[int]]]:
        tokens = sentence.span
        joined = {
            t.end - tokens.start: t.start - tokens.start for t in triggers if t.group.compound and t.end < tokens.end
        }
        for match in with_compounds(self.lexicons.names, joined, words, stems):
            start, end = tokens.start + match.start, tokens.start + match.end
            if tokens.doc[end - 1].idx < sentence.heading_end:
                continue
            entry = match.entry[PREFIX:]
            if entry.startswith("family_history"):
                assertion = _of_relatives(start, end, sentence, triggers)
            else:
                assertion = assertion_of(start, end, tokens, sentence.section, triggers)
            about: Literal["finding", "diagnosis"] = "diagnosis" if match.entry.startswith(DIAGNOSIS) else "finding"
            span = _characters(tokens, match.start, match.end, seen_as)
            yield Mention(about, entry, span, assertion, "name"), [tokens.start + index for index in match.tokens]

    def _of_the_family(
        self,
        sentence: Sentence,
        triggers: tuple[Trigger, ...],
        seen_as: TextView,
        words: Sequence[str],
        stems: Sequence[str],
    ) -> Iterator[Mention]:
        """Diseases of relatives: "His father had gout." is a family history of gout."""
        tokens = sentence.span
        if sentence.section is not Section.FAMILY and not any(t.kind == Assertion.FAMILY for t in triggers):
            return
        for match in self.lexicons.relatives.find(words, stems):
            start, end = tokens.start + match.start, tokens.start + match.end
            if assertion_of(start, end, tokens, sentence.section, triggers) is Assertion.FAMILY:
                span = _characters(tokens, match.start, match.end, seen_as)
                yield Mention("finding", match.entry, span, _of_relatives(start, end, sentence, triggers), "name")

    def _composed(
        self,
        composer: Composer,
        sentence: Sentence,
        triggers: tuple[Trigger, ...],
        named: Sequence[tuple[Mention, list[int]]],
        words: Sequence[str],
        stems: Sequence[str],
    ) -> tuple[list[Composed], set[tuple[str, int]]]:
        """What the sentence says of a symptom that it or one before it names, and which of its findings (entry, first
        token) are denied only together with such words: "no rash on the palms".
        """
        said: dict[str, list[Said]] = {"finding": [], "diagnosis": []}
        for mention, tokens in named:
            said[mention.about].append(Said(mention.entry, tokens[0], tokens[-1] + 1, mention.assertion))
        taken = {index for _, tokens in named for index in tokens}
        attributes = [
            Said(entry, start, end, assertion_of(start, end, sentence.span, sentence.section, triggers))
            for entry, start, end in self._attributes(sentence, taken, words, stems)
        ]
        bare = [attribute for attribute in attributes if attribute.what.startswith("symptom ")]
        denials = {
            i for t in triggers if t.kind == Assertion.ABSENT and t.place != "beside" for i in range(t.start, t.end)
        }
        limited = limited_denials([*said["finding"], *bare], attributes, words, sentence.span.start, denials)
        used = {attribute for one in limited for attribute in (one.denied, *one.limits)}
        free = [attribute for attribute in attributes if attribute not in used]
        limited = [one for one in limited if composer.leaves_open(one.denied, one.limits)]
        composed = [part for one in limited for part in composer.deny(one.denied, one.limits)]
        composed += composer.read(sentence.section, said["finding"], free, said["diagnosis"])
        return composed, {(one.denied.what, one.denied.start) for one in limited}

    def _attributes(
        self, sentence: Sentence, taken: set[int], words: Sequence[str], stems: Sequence[str]
    ) -> Iterator[tuple[str, int, int]]:
        """(`kind value`, start, end) in document tokens; words that name a finding are no attribute besides."""
        first = sentence.span.start
        for match in self.lexicons.attributes.find(words, stems):
            if not taken.issuperset(first + index for index in match.tokens):
                yield match.entry, first + match.start, first + match.end
        for unit, start, end in durations(sentence.span.text):
            inside = sentence.span.char_span(start, end, alignment_mode="expand")
            if inside is not None:
                yield attribute_entry("duration", unit), inside.start, inside.end

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


def _put_together(part: Composed, sentence: Sentence, seen_as: TextView) -> Mention:
    """Its words are the sentence's where it is short enough to quote, else the attribute's own."""
    start, end = sentence.span.start, part.end
    if sentence.span.doc[start:end].end_char - sentence.span.start_char > LONGEST_SENTENCE:
        start = max(part.start, sentence.span.start)
    while start < end - 1 and sentence.span.doc[end - 1].idx - sentence.span.doc[start].idx > LONGEST_SENTENCE:
        start += 1
    span = _characters(sentence.span, start - sentence.span.start, end - sentence.span.start, seen_as)
    return Mention("finding", part.finding, span, part.assertion, "attributes")


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
