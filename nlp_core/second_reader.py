"""What the encoder adds to a note that names have read: clauses in other words, assertions no rule saw, telling sentences.

Input : mentions and sentences of notes (mentions.MentionReader)
Output: of each note the mentions, some asserted otherwise, those of the concepts besides; and the sentences as the encoder read
        them, for the case matcher
A sentence goes through the encoder once, for all of it, and only where a head's answer could count: "lungs clear, no rash" does
not. Knows which head answers what, and from which probability on it counts.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nlp_core.assertion import RULING_SECTIONS, Assertion
from nlp_core.case_matcher import sentence_figures
from nlp_core.clauses import SKIPPED_SECTIONS
from nlp_core.concepts import ConceptReader
from nlp_core.machine_talk import speaks_to_a_machine
from nlp_core.mentions import Mention, ReadSentence
from nlp_core.no_language import is_no_language
from nlp_core.note import Span
from nlp_core.sections import Section
from nlp_core.sentence_readings import SentenceEncoder, SentenceReading

SUREST_ASSERTION = 0.9
"""Probability from which the assertion head counts where no rule speaks; see docs/log.md."""
LEAST_TELLING = 0.2
"""Probability of telling anything of the illness from which a sentence is told: what speaks to a machine has .0 to .15 (docs/log.md)."""
_UNREAD = RULING_SECTIONS & SKIPPED_SECTIONS
"""Sections that no head and no concept is asked about."""

Readings = Mapping[str, Sequence[SentenceReading]]


@dataclass(frozen=True, slots=True)
class HeadsUsed:
    """Which heads count; measurements switch them one by one."""

    finding: bool = True
    assertion: bool = True
    cases: bool = True
    """Whether sentences are told to the case matcher."""


@dataclass(frozen=True, slots=True, eq=False)
class ToldSentence:
    """A sentence as the encoder read it. figures: see case_matcher.sentence_figures."""

    span: Span
    figures: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class NamedNote:
    """One note as names read it: what they say, and its sentences, both in order of their place."""

    mentions: list[Mention]
    sentences: list[ReadSentence]


@dataclass(frozen=True, slots=True)
class SecondReading:
    """What is known of one note after both readings."""

    mentions: list[Mention]
    told: list[ToldSentence]
    telling: Sequence[float | None] = ()
    """By sentence: probability that it tells anything of the illness, None where no head was asked. Empty: none was."""


class SecondReader:
    """Reads after the names; built once per process."""

    def __init__(
        self,
        concepts: ConceptReader,
        sentences: SentenceEncoder | None = None,
        used: HeadsUsed | None = None,
    ) -> None:
        """sentences: None where the model has no heads."""
        self._concepts, self._sentences = concepts, sentences
        self._used = used or HeadsUsed()

    @property
    def sentences(self) -> SentenceEncoder | None:
        """What it reads sentences with."""
        return self._sentences

    def read(self, notes: Sequence[NamedNote]) -> list[SecondReading]:
        """What is known of each note; their sentences go through the encoder together. Raises EncoderError."""
        if self._sentences is None:
            return [
                SecondReading([*one.mentions, *self._concepts.find(_said_first(one.sentences))], []) for one in notes
            ]
        asked = [dict.fromkeys(read.sentence.span.text for read in self._asked(one)) for one in notes]
        texts = [text for texts in asked for text in texts]  # what notes copy of each other is read once, and counted
        readings = dict(zip(texts, self._sentences.read(texts), strict=True))
        # Each note with the sentences it asked about alone, so that its neighbours change nothing.
        return [
            self._read_one(one, {text: readings[text] for text in texts})
            for one, texts in zip(notes, asked, strict=True)
        ]

    def _read_one(self, note: NamedNote, readings: Readings) -> SecondReading:
        """Both readings of a note, mentions in order of their place."""
        sentences = note.sentences
        found = self._concepts.find(_said_first(sentences), readings, gated=self._used.finding)
        said = list(self._reviewed(note, readings)) if self._used.assertion else list(note.mentions)
        told = list(_told(note, readings)) if self._used.cases else []
        return SecondReading([*said, *found], told, [_telling(read, readings) for read in sentences])

    def _asked(self, note: NamedNote) -> Iterator[ReadSentence]:
        """The sentences for which it matters what a head says."""
        places = _Places(note.sentences)
        reviewed: set[int] = set()
        if self._used.assertion:
            reviewed = {id(places.sentence_of(one.span)) for one in note.mentions if one.assertion is Assertion.PRESENT}
        for read in note.sentences:
            if read.sentence.section in _UNREAD or _tells_nobody(read.sentence.span.text):
                continue
            if id(read) in reviewed or self._concepts.asks_about(read):
                yield read

    def _reviewed(self, note: NamedNote, readings: Readings) -> Iterator[Mention]:
        """Where no rule speaks (present) the head's other answer counts if it is sure."""
        places = _Places(note.sentences)
        for mention in note.mentions:
            read = places.sentence_of(mention.span)
            if mention.assertion is Assertion.PRESENT and read and read.sentence.section not in RULING_SECTIONS:
                judged = _asserted(read, mention.span, readings)
                yield replace(mention, assertion=judged) if judged else mention
            else:
                yield mention


def _told(note: NamedNote, readings: Readings) -> Iterator[ToldSentence]:
    """The sentences of this patient's illness that went through the encoder, each once; none that names a diagnosis: the reader
    knows it, and what a note shouts must make nothing likely."""
    places = _Places(note.sentences)
    named = {id(places.sentence_of(mention.span)) for mention in note.mentions if mention.about == "diagnosis"}
    for read in _said_first(note.sentences):
        if read.sentence.section in RULING_SECTIONS or id(read) in named:
            continue
        span = read.view.to_note(read.sentence.start, read.sentence.end)
        for piece in readings.get(read.sentence.span.text, ()):
            if len(piece.starts) and piece.telling >= LEAST_TELLING:
                yield ToldSentence(span, sentence_figures(piece))


def _said_first(sentences: Sequence[ReadSentence]) -> list[ReadSentence]:
    """Without what is said again: names put a finding together once in a note, so in a copied sentence its words would stand
    there unexplained, and be matched to another finding. And without what tells nobody anything."""
    first: dict[tuple[str, Section], ReadSentence] = {}
    for read in sentences:
        if _tells_nobody(read.sentence.span.text):
            continue
        first.setdefault((read.sentence.span.text, read.sentence.section), read)
    return list(first.values())


def _tells_nobody(sentence: str) -> bool:
    """Is it for a machine, or no language?"""
    return speaks_to_a_machine(sentence) or is_no_language(sentence)


def _telling(read: ReadSentence, readings: Readings) -> float | None:
    pieces = readings.get(read.sentence.span.text, ())
    return max((piece.telling for piece in pieces), default=None)


class _Places:
    """Which sentence a stretch of the note stands in."""

    def __init__(self, sentences: Sequence[ReadSentence]) -> None:
        self._sentences = sentences
        self._starts = [read.view.to_note(read.sentence.start, read.sentence.end).start for read in sentences]

    def sentence_of(self, span: Span) -> ReadSentence | None:
        at = bisect_right(self._starts, span.start) - 1
        return self._sentences[at] if at >= 0 else None


def _asserted(read: ReadSentence, span: Span, readings: Readings) -> Assertion | None:
    """The head's answer for the words at `span`; None where it says present, is not sure or was not asked."""
    start, end = read.view.from_note(span)
    for piece in readings.get(read.sentence.span.text, ()):
        places = piece.tokens_within(start - read.sentence.start, end - read.sentence.start)
        if len(places):
            judged, probability = piece.asserted(places)
            return judged if judged is not Assertion.PRESENT and probability >= SUREST_ASSERTION else None
    return None
