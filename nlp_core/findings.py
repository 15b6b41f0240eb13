"""What the whole chart says of each finding: mentions of all notes and coded facts brought to one answer.

Newer notes speak over older ones, a copied sentence counts once, symptoms of long ago are not today's. Each answer
keeps the words it rests on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from nlp_core.assertion import Assertion
from nlp_core.chart import Chart, Fact
from nlp_core.facts import FactFinding
from nlp_core.knowledge import Knowledge
from nlp_core.mentions import LASTING, Mention, answer_of
from nlp_core.newest_first import is_future
from nlp_core.note import Note, Span
from nlp_core.reading_trust import HAND_SET, Meaning, ReadingTrust
from nlp_core.second_reader import ToldSentence

CURRENT = timedelta(days=90)
"""Symptoms, signs and results older than this, counted from the newest note, are no longer the present illness."""
CURRENT_FACTS = timedelta(days=365)
"""Coded results hold longer than words: a yearly check is the usual rhythm."""
MOST_TOLD = 500
"""Sentences told as a whole: those of the newest notes. A chart of thousands is known by its findings, and each costs a row of all
diagnoses."""
_NOT_ABOUT_PATIENT = (Assertion.FAMILY, Assertion.CONDITIONAL)
MAX_QUOTE = 160
"""Characters of a quoted span at most; longer ones are no evidence a reader takes in at a glance."""


@dataclass(frozen=True, slots=True)
class Source:
    """The words or the fact an answer rests on."""

    reference: str
    span: Span | None
    quote: str
    kind: str
    author_role: str = ""
    date: datetime | None = None


@dataclass(frozen=True, slots=True)
class Observed:
    """One finding's answer: present or absent, with its sources, best first."""

    finding: str
    present: bool
    sources: tuple[Source, ...]
    trust: float = 1.0
    """Probability that its most trusted source means it, or one of the findings near to it (reading_trust)."""
    meanings: tuple[Meaning, ...] = ()
    """What the words may mean, likeliest first, where no name says it; empty: the finding itself."""

    def chance(self, finding: str) -> float:
        """Probability that the words mean `finding`, 0 for one that they were not near to."""
        if not self.meanings:
            return self.trust if finding == self.finding else 0.0
        return next((meaning.probability for meaning in self.meanings if meaning.finding == finding), 0.0)


@dataclass(frozen=True, slots=True)
class _Said:
    """One source's answer."""

    present: bool
    source: Source
    trust: float = 1.0
    meanings: tuple[Meaning, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """A sentence as the encoder read it. figures: see case_matcher.sentence_figures."""

    source: Source
    figures: NDArray[np.float32]


@dataclass(slots=True)
class ChartFindings:
    """Everything observed, by finding; what sentences say as a whole; and the diagnoses that notes name, by how."""

    observed: dict[str, Observed] = field(default_factory=dict)
    named: dict[str, dict[Assertion, list[Source]]] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)


def bring_together(
    chart: Chart,
    mentions: Sequence[tuple[Note, Mention]],
    facts: Iterable[FactFinding],
    knowledge: Knowledge,
    told: Sequence[tuple[Note, ToldSentence]] = (),
    trust: ReadingTrust = HAND_SET,
) -> ChartFindings:
    """One answer per finding from the mentions (newest note first) and the facts of a chart; what is told, once each.

    trust: how far each way of reading can be trusted.
    """
    result = ChartFindings()
    now = _present_time(chart)
    answers: dict[str, list[_Said]] = defaultdict(list)
    for note, mention in mentions:
        if mention.span.end - mention.span.start > MAX_QUOTE:
            continue
        source = _source(note, mention.span)
        if mention.about == "diagnosis":
            _name(result.named, mention, source, now)
            continue
        kind = knowledge.findings[mention.entry].kind
        answer = answer_of(mention, kind)
        if answer is not None and (kind in LASTING or _is_current(note.date, now, CURRENT)):
            answers[mention.entry].append(
                _Said(answer, source, mention.trust * trust.of(mention.via), mention.meanings)
            )
    for fact in facts:
        lasting = knowledge.findings[fact.finding].kind in LASTING
        if lasting or _is_current(fact.fact.date, now, CURRENT_FACTS):
            answers[fact.finding].append(_Said(fact.present, _fact_source(fact), trust.of("coded")))
    result.told = _told_once((note, one) for note, one in told if _is_current(note.date, now, CURRENT))
    for finding, said in answers.items():
        result.observed[finding] = _settle(finding, said, chart.as_of)
    return result


def _told_once(told: Iterable[tuple[Note, ToldSentence]]) -> list[Told]:
    """The first `MOST_TOLD`. A copied sentence counts once; a long one is quoted by its first words."""
    once: dict[str, Told] = {}
    for note, sentence in told:
        if len(once) == MOST_TOLD:
            break
        source = _source(note, _quoted(note, sentence.span))
        once.setdefault(note.quote(sentence.span).lower(), Told(source, sentence.figures))
    return list(once.values())


def _quoted(note: Note, span: Span) -> Span:
    """The span, or as many of its first words as a reader takes in at a glance."""
    if span.end - span.start <= MAX_QUOTE:
        return span
    words = note.text[span.start : span.start + MAX_QUOTE]
    whole = words.rpartition(" ")[0].rstrip()
    return Span(start=span.start, end=span.start + len(whole or words))


def _present_time(chart: Chart) -> datetime:
    """What "current" is measured from: the newest note that is not dated in the future, else the reading itself."""
    past = [note.date for note in chart.notes if note.date and not is_future(note.date, chart.as_of)]
    return max(past, default=chart.as_of)


def _name(named: dict[str, dict[Assertion, list[Source]]], mention: Mention, source: Source, now: datetime) -> None:
    """Only the newest note that names a diagnosis is asked, and what it named long ago is history."""
    said = mention.assertion
    if not _is_current(source.date, now, CURRENT):
        if said in (Assertion.POSSIBLE, Assertion.ABSENT):
            return  # what was feared or ruled out long ago says nothing of today
        said = Assertion.PAST if said is Assertion.PRESENT else said
    ways = named.setdefault(mention.entry, {})
    about_patient = [known for way, known in ways.items() if way not in _NOT_ABOUT_PATIENT]
    if said in _NOT_ABOUT_PATIENT or all(known[0].reference == source.reference for known in about_patient):
        ways.setdefault(said, []).append(source)


def _is_current(date: datetime | None, now: datetime, long: timedelta) -> bool:
    return date is None or now - date <= long


def _settle(finding: str, said: list[_Said], now: datetime) -> Observed:
    """The newest source that speaks decides, dated ones before undated; within one a presence outweighs a denial."""
    said = sorted(said, key=lambda one: _age(one.source.date, now))
    newest = said[0].source.reference
    present = any(one.present for one in said if one.source.reference == newest)
    agreeing = [one for one in said if one.present is present]
    unique = {(one.source.reference, one.source.quote.lower()): one.source for one in reversed(agreeing)}
    surest = max(agreeing, key=lambda one: (not one.meanings, one.trust))
    return Observed(finding, present, tuple(reversed(unique.values())), surest.trust, surest.meanings)


def _age(date: datetime | None, now: datetime) -> float:
    """Seconds before `now`; what is undated or dated in the future counts as oldest."""
    if date is None or is_future(date, now):
        return float("inf")
    return (now - date).total_seconds()


def _source(note: Note, span: Span) -> Source:
    return Source(note.reference, span, note.quote(span), note.kind, note.author_role, note.date)


def _fact_source(found: FactFinding) -> Source:
    fact = found.fact
    kind = fact.kind.replace("_", " ") if isinstance(fact, Fact) else "problem list"
    return Source(fact.reference, None, found.said, kind, "", fact.date)
