"""The record in a few of its own sentences: problems, course, current medication, what is pending.

Input : a chart as it was read (chart_reading.ReadChart), the knowledge
Output: RecordSummary: sentences, each the exact words at its place, or the reason why there are none
Extractive only: no word is added or left out within a quote. A sentence is worth what it tells that none chosen before
it tells: present findings by how rare they are, diagnoses named as present, what its words say of course, medication and
plans, and how much the encoder's salience head thinks it tells. Denials, relatives, advice for later and what a newer
note denies are worth nothing, nor is a sentence copied forward. Equal charts have equal summaries.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import log

from nlp_core.assertion import Assertion
from nlp_core.assessment import SUMMARY_HEADINGS, RecordSummary, Silence, SummaryHeading, SummaryItem
from nlp_core.chart_reading import ReadChart
from nlp_core.findings import CURRENT
from nlp_core.knowledge import Knowledge
from nlp_core.mentions import LASTING, Mention, answer_of
from nlp_core.note import Note, Span
from nlp_core.read_notes import ReadNote, SaidSentence
from nlp_core.summary_cues import NEVER_QUOTED, heading_of

MOST_ITEMS = 8
MOST_CHARACTERS = 700
"""Of all quotes together."""
LONGEST_QUOTE = 300
"""A longer sentence is no sentence to quote; there it ends at the last comma before."""
CHINESE_WEIGHT = 2.5
"""A Chinese character says about as much as so many Latin ones: it takes that much of the budget."""
_AT_MOST: dict[SummaryHeading, int] = {"problem": MOST_ITEMS, "course": 3, "medication": 2, "pending": 2}
_CUE_WORTH: dict[SummaryHeading, float] = {"problem": 0.0, "course": 1.0, "medication": 2.0, "pending": 2.0}
_NAMED_WORTH = 4.0
"""Worth of a diagnosis that a note names as present."""
_TELLING_WORTH = 1.0
_LEAST_TELLING = 0.5
"""Probability of telling anything from which a sentence of the course needs no finding besides."""
_LEAST_WORTH = 0.5
_ALIKE = 0.8
"""Share of letter pairs in common from which two sentences are one, copied."""
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_COMMAS = re.compile(r"[,;，；、]")


@dataclass(frozen=True, slots=True)
class _Sentence:
    """One that might be quoted."""

    note: Note
    span: Span
    heading: SummaryHeading
    worth: dict[str, float]
    """By entry that it shows to be present, `d:` before diagnoses."""
    besides: float
    """Worth of its own, whatever was chosen before."""
    pairs: frozenset[str]
    size: float

    def gain(self, told: set[str]) -> float:
        return self.besides + sum(worth for entry, worth in self.worth.items() if entry not in told)


class Summariser:
    """Sums up charts by one knowledge."""

    def __init__(
        self, knowledge: Knowledge, *, most_items: int = MOST_ITEMS, most_characters: float = MOST_CHARACTERS
    ) -> None:
        self._knowledge = knowledge
        self._most_items, self._most_characters = most_items, most_characters

    def summarise(self, read: ReadChart, unfit: Silence | None = None) -> RecordSummary:
        """`unfit`: why the chart as a whole is not to be spoken of."""
        if unfit:
            return RecordSummary(silence=unfit)
        chosen = self._chosen(list(self._candidates(read)))
        if not chosen:
            fell_short = read.notes_unread or read.partly
            return RecordSummary(silence="partly_read" if fell_short else "no_finding")
        return RecordSummary(items=tuple(_item(one) for one in _in_order(chosen)))

    def _chosen(self, waiting: list[_Sentence]) -> list[_Sentence]:
        """Greedily what tells most of the new for its length, until nothing is worth its place or fits."""
        chosen: list[_Sentence] = []
        told: set[str] = set()
        left = self._most_characters
        while waiting and len(chosen) < self._most_items:
            best = max(waiting, key=lambda one: one.gain(told) / one.size**0.5)
            waiting.remove(best)
            if best.gain(told) < _LEAST_WORTH:
                break
            full = sum(one.heading == best.heading for one in chosen) >= _AT_MOST[best.heading]
            if full or best.size > left or any(_alike(best, other) for other in chosen):
                continue
            chosen.append(best)
            left -= best.size
            told |= self._implied(best.worth)
        return chosen

    def _implied(self, entries: dict[str, float]) -> set[str]:
        """What is told with `entries`: themselves and all that is more general."""
        findings = [entry for entry in entries if entry in self._knowledge.findings]
        return {*entries, *(general for finding in findings for general in self._knowledge.ancestors(finding))}

    def _candidates(self, read: ReadChart) -> Iterator[_Sentence]:
        newest = max((one.note.date for one in read.notes if one.note.date), default=None)
        for note in read.notes:
            current = newest is None or note.note.date is None or newest - note.note.date <= CURRENT
            for said in note.sentences:
                sentence = self._sentence(note, said, read, current=current)
                if sentence:
                    yield sentence

    def _sentence(self, note: ReadNote, said: SaidSentence, read: ReadChart, *, current: bool) -> _Sentence | None:
        if said.section in NEVER_QUOTED:
            return None
        span = _quotable(note.note, said.span)
        quote = note.note.quote(span)
        mentions = note.mentions_in(span)
        worth = dict(self._worth(mentions, read))
        heading = heading_of(quote, said.section) if current else None
        if heading in ("course", None) and not worth:
            tells = said.telling is not None and said.telling >= _LEAST_TELLING
            if heading is None or not tells or _denies(mentions):
                return None
        besides = _CUE_WORTH[heading or "problem"] + _TELLING_WORTH * (said.telling or 0.0)
        return _Sentence(note.note, span, heading or "problem", worth, besides, _pairs(quote), size(quote))

    def _worth(self, mentions: Sequence[Mention], read: ReadChart) -> Iterator[tuple[str, float]]:
        """Of each entry that is present here and by the chart as a whole."""
        for mention in mentions:
            if mention.about == "diagnosis":
                ways = read.found.named.get(mention.entry, {})
                if mention.assertion is Assertion.PRESENT and Assertion.PRESENT in ways:
                    yield f"d:{mention.entry}", _NAMED_WORTH
                continue
            finding = self._knowledge.findings[mention.entry]
            observed = read.found.observed.get(mention.entry)
            if observed and observed.present and answer_of(mention, finding.kind) and not _of_relatives(mention):
                lasting = 0.5 if finding.kind in LASTING else 1.0
                yield mention.entry, lasting * mention.trust * min(5.0, -log(finding.background))


def _of_relatives(mention: Mention) -> bool:
    return mention.assertion is Assertion.FAMILY


def _denies(mentions: Sequence[Mention]) -> bool:
    """Does the sentence name things only to deny them, or of somebody or some time else?"""
    return bool(mentions) and all(mention.assertion is not Assertion.PRESENT for mention in mentions)


def _quotable(note: Note, span: Span) -> Span:
    """The sentence, or its beginning up to a comma where it is too long; never its end alone, which a denial at the
    beginning may rule."""
    if span.end - span.start <= LONGEST_QUOTE:
        return span
    commas = [match.start() for match in _COMMAS.finditer(note.text, span.start + 1, span.start + LONGEST_QUOTE)]
    return Span(start=span.start, end=commas[-1] if commas else span.start + LONGEST_QUOTE)


def _item(sentence: _Sentence) -> SummaryItem:
    note = sentence.note
    return SummaryItem(
        heading=sentence.heading,
        reference=note.reference,
        span=sentence.span,
        quote=note.quote(sentence.span),
        kind=note.kind,
        author_role=note.author_role,
        date=note.date,
    )


def _in_order(chosen: Sequence[_Sentence]) -> list[_Sentence]:
    """By heading, newest first, undated last; within a note by place."""

    def place(one: _Sentence) -> tuple[int, float, str, int]:
        return SUMMARY_HEADINGS.index(one.heading), _age(one.note.date), one.note.reference, one.span.start

    return sorted(chosen, key=place)


def _age(date: datetime | None) -> float:
    return -date.timestamp() if date else float("inf")


def _pairs(quote: str) -> frozenset[str]:
    letters = "".join(character for character in quote.casefold() if character.isalnum())
    return frozenset(letters[at : at + 2] for at in range(max(1, len(letters) - 1)))


def _alike(one: _Sentence, other: _Sentence) -> bool:
    return len(one.pairs & other.pairs) >= _ALIKE * len(one.pairs | other.pairs)


def size(quote: str) -> float:
    """What a quote takes of the budget: characters, Chinese ones by CHINESE_WEIGHT."""
    chinese = len(_CHINESE.findall(quote))
    return len(quote) - chinese + CHINESE_WEIGHT * chinese
