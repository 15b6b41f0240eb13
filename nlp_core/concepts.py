"""What is worded otherwise: clauses no name explains, matched to the nearest names in the encoder's space.

Input : the sentences of a note with what names already explained, e.g. "it feels like a tight band round my chest"
Output: mentions `via="concept"` of the likeliest finding, only where the likeness is clear and, where the model has heads,
        the finding head says that a finding stands there; its words are then what is quoted.
How likely the words mean it, or nothing, is the concept linker's to say where the model has one (concept_linker), else the
curve's over likeness (reading_trust). Knows vectors and probabilities; what a clause is, clauses knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nlp_core.assertion import Assertion
from nlp_core.assessment import Language
from nlp_core.clauses import Clause, clauses_of
from nlp_core.concept_linker import ConceptLinker, LinkedClause, probabilities
from nlp_core.encoder import Encoder
from nlp_core.mentions import Mention, ReadSentence
from nlp_core.name_index import NameIndex
from nlp_core.neutral_words import neutral
from nlp_core.reading_trust import HAND_SET, Meaning, ReadingTrust
from nlp_core.sentence_readings import SentenceReading

LEAST_LIKENESS: dict[Language, float] = {"en": 0.50, "zh": 0.46}
"""Likeness (name_index) below which the nearest finding is no match, by the language of the clause, where the finding head has chosen the
words; see docs/concepts.md."""
LEAST_LIKENESS_ALONE: dict[Language, float] = {"en": 0.74, "zh": 0.76}
"""The same where a model without heads reads whole clauses."""
MOST_MEANINGS = 8
"""Findings that one clause may mean; with 5 to 24 the right diagnosis gets as much (docs/log.md)."""
LEAST_FINDING = 0.5
"""Probability of standing inside a finding below which a token is none of its words; see docs/concepts.md."""


@dataclass(frozen=True, slots=True)
class _ReadClause:
    """A clause, and what its sentence says of it where the model has heads."""

    clause: Clause
    assertion: Assertion
    linked: LinkedClause | None = None
    """None also where it is asserted otherwise than present: linkers learn on statements alone."""

    @staticmethod
    def of(clause: Clause, linked: LinkedClause | None = None) -> _ReadClause:
        assertion = clause.assertion
        return _ReadClause(clause, assertion, linked if assertion is Assertion.PRESENT else None)


Nearest = Sequence[tuple[str, float]]
"""Findings with their likeness, likest first."""


class ConceptReader:
    """Matches clauses to findings."""

    def __init__(
        self,
        encoder: Encoder,
        index: NameIndex,
        backgrounds: Mapping[str, float] | None = None,
        trust: ReadingTrust = HAND_SET,
        linker: ConceptLinker | None = None,
        *,
        least_likeness: Mapping[Language, float] | None = None,
        least_finding: float = LEAST_FINDING,
    ) -> None:
        """backgrounds: finding -> share of all patients who have it, 0 to 1; None = unknown, taken as 1. trust: how a likeness
        becomes a probability, where no linker says it. least_likeness: None = the usual one, which depends on whether sentences are read with heads.
        """
        self._encoder = encoder
        self._index = index
        self._backgrounds = backgrounds or {}
        self._trust = trust.concept
        self._linker = linker
        self._least = least_likeness
        self._least_finding = least_finding

    @staticmethod
    def asks_about(read: ReadSentence) -> bool:
        """Does a clause of the sentence say something that no name explains?"""
        return next(clauses_of((read,)), None) is not None

    def find(
        self,
        sentences: Iterable[ReadSentence],
        readings: Mapping[str, Sequence[SentenceReading]] | None = None,
        *,
        gated: bool = True,
    ) -> list[Mention]:
        """Mentions of what the clauses mean, in order of their place.

        readings: the sentences by their text, as an encoder with heads reads them, at least those that it `asks_about`; None =
        clauses are read alone. gated: only where the finding head sees a finding.
        """
        clauses = list(clauses_of(sentences))
        if not clauses:
            return []
        if readings is None:
            read: Sequence[tuple[Clause, LinkedClause | None]] = [(clause, None) for clause in clauses]
            vectors = self._encoder.embed([neutral(clause.text) for clause in clauses])
            least = self._least or LEAST_LIKENESS_ALONE
        else:
            in_sentences = self._in_their_sentences(clauses, readings, self._least_finding if gated else 0.0)
            read = in_sentences
            vectors = np.array([linked.vector for _, linked in in_sentences], np.float32)
            least = self._least or LEAST_LIKENESS
        return self._linked(read, self._index.nearest(vectors, MOST_MEANINGS), least)

    def _in_their_sentences(
        self, clauses: Sequence[Clause], readings: Mapping[str, Sequence[SentenceReading]], least: float
    ) -> list[tuple[Clause, LinkedClause]]:
        """The clauses in which the finding head sees a finding, narrowed to its words, as they stand in the sentence."""
        found = []
        for clause in clauses:
            begun = clause.read.sentence.start
            for piece in readings[clause.read.sentence.span.text]:
                tokens = piece.tokens_within(clause.first - begun, clause.last - begun)
                places = tokens[piece.finding[tokens] >= least]
                if len(places):
                    start, end = int(piece.starts[places[0]]), int(piece.ends[places[-1]])
                    narrowed = clause.narrowed(begun + start, begun + end)
                    found.append((narrowed, narrowed.linked(piece, places, len(tokens))))
                    break
        return found

    def _linked(
        self,
        read: Sequence[tuple[Clause, LinkedClause | None]],
        nearest: Sequence[Nearest],
        least: Mapping[Language, float],
    ) -> list[Mention]:
        """The mentions of those that are like enough to anything."""
        kept = [
            (_ReadClause.of(clause, linked), near)
            for (clause, linked), near in zip(read, nearest, strict=True)
            if near[0][1] >= least[clause.language] and not clause.denied_in_part
        ]
        linked = self._by_linker([(one.linked, near) for one, near in kept if one.linked])
        return [
            _mention(one, next(linked) if self._linker and one.linked else self._by_likeness(one.clause, near))
            for one, near in kept
        ]

    def _by_likeness(self, clause: Clause, near: Nearest) -> tuple[Meaning, ...]:
        return self._trust.meanings(near, self._backgrounds, clause.language)

    def _by_linker(self, asked: Sequence[tuple[LinkedClause, Nearest]]) -> Iterator[tuple[Meaning, ...]]:
        """Of each clause what it may mean, likeliest first; nothing without a linker."""
        if not self._linker or not asked:
            return
        likeness = np.array([[like for _, like in near] for _, near in asked], np.float32)
        centres = np.stack([self._index.centres([finding for finding, _ in near]) for _, near in asked])
        chances = probabilities(self._linker.log_odds([clause for clause, _ in asked], likeness, centres))
        for (_, near), own in zip(asked, chances.tolist(), strict=True):
            meanings = (Meaning(finding, like, chance) for (finding, like), chance in zip(near, own, strict=True))
            yield tuple(sorted(meanings, key=lambda meaning: -meaning.probability))


def _mention(read: _ReadClause, meanings: tuple[Meaning, ...]) -> Mention:
    """Of the finding that the clause most likely means."""
    trust = sum(meaning.probability for meaning in meanings)
    clause = read.clause
    span = clause.read.view.to_note(clause.first, clause.last)
    return Mention("finding", meanings[0].finding, span, read.assertion, "concept", trust, meanings)
