"""What is worded otherwise: clauses no name explains, matched to the nearest names in the encoder's space.

Input : the sentences of a note with what names already explained, e.g. "it feels like a tight band round my chest"
Output: mentions `via="concept"` of the likeliest finding, only where the likeness is clear and, where the model has heads,
        the finding head says that a finding stands there; its words are then what is quoted.
How likely the words mean it, or nothing, is the concept linker's to say where the model has one (concept_linker), else the
curve's over likeness (reading_trust). Knows clauses and vectors, English and Chinese.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Span as TokenSpan

from nlp_core.assertion import Assertion, assertion_of
from nlp_core.assessment import Language
from nlp_core.concept_linker import ConceptLinker, LinkedClause, linked_clause, probabilities
from nlp_core.encoder import Encoder
from nlp_core.mentions import Mention, ReadSentence
from nlp_core.name_index import NameIndex
from nlp_core.neutral_words import neutral
from nlp_core.reading_trust import HAND_SET, Meaning, ReadingTrust
from nlp_core.sections import Section
from nlp_core.sentence_readings import SentenceReading
from nlp_core.words import FILLERS, stem

LEAST_LIKENESS: dict[Language, float] = {"en": 0.50, "zh": 0.46}
"""Likeness (name_index) below which the nearest finding is no match, by the language of the clause, where the finding head has chosen the
words; see docs/concepts.md."""
LEAST_LIKENESS_ALONE: dict[Language, float] = {"en": 0.74, "zh": 0.76}
"""The same where a model without heads reads whole clauses."""
MOST_MEANINGS = 8
"""Findings that one clause may mean; with 5 to 24 the right diagnosis gets as much (docs/log.md)."""
LEAST_FINDING = 0.5
"""Probability of standing inside a finding below which a token is none of its words; see docs/concepts.md."""
_SHORTEST, _LONGEST = 2, 16
"""Words of an English clause that is worth reading; the fewest without fillers."""
_SHORTEST_CHINESE, _LONGEST_CHINESE = 4, 26
"""Characters of a Chinese one."""
_LONGEST_STRETCH = 30
"""Tokens between two borders that no clause reaches."""
_PART, _STEP = 6, 3
"""Tokens of the parts that such a stretch is read in, and from one part to the next."""
_BORDERS = frozenset(", ; : . ! ? ( ) • | 、 。 ， ； ：".split()) | {
    "and",
    "but",
    "or",
    "with",
    "which",
    "that",
    "then",
}
_NORMAL = frozenset(
    "clear normal unremarkable intact negative none stable benign nontender regular symmetric symmetrical supple soft equal"
    " reactive full wnl well healthy good fine ok okay appropriate alert oriented clean moist nondistended".split()
)
"""Words of a normal finding: to the encoder "lungs clear" is near to everything else said of lungs."""
_NORMAL_CHINESE = re.compile(
    r"正常|未见异常|无异常|清楚|良好|无殊|平软|对称|规则|整齐|通畅|稳定|健康|没事|都好|还好|挺好"
)
_CHINESE = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
SKIPPED_SECTIONS = frozenset((Section.FAMILY, Section.ALLERGIES, Section.PLAN, Section.MEDICATIONS))
"""Sections whose clauses are no concepts of the present illness."""


@dataclass(frozen=True, slots=True)
class _Clause:
    read: ReadSentence
    start: int
    """First token in the document."""
    end: int

    @property
    def first(self) -> int:
        """Its first character in the document."""
        return self.read.sentence.span.doc[self.start].idx

    @property
    def last(self) -> int:
        """The character behind its last one."""
        token = self.read.sentence.span.doc[self.end - 1]
        return token.idx + len(token)

    @property
    def text(self) -> str:
        return self.read.sentence.span.doc[self.start : self.end].text

    @property
    def language(self) -> Language:
        return "zh" if _CHINESE.search(self.text) else "en"

    @property
    def assertion(self) -> Assertion:
        """A ruling word inside the clause ("no", "if") rules the whole clause: the clause's last token stands for it."""
        sentence = self.read.sentence
        return assertion_of(self.end - 1, self.end, sentence.span, sentence.section, self.read.triggers)

    @property
    def denied_in_part(self) -> bool:
        """Is a word of it denied alone ("a non-radiating tightness")? Nobody knows then what its meaning is denied of."""
        triggers = (trigger for trigger in self.read.triggers if trigger.group.compound)
        return any(self.start <= trigger.end < self.end for trigger in triggers)

    def narrowed(self, first: int, last: int) -> _Clause:
        """Only its tokens that touch the document's characters `[first, last)`; itself where none does."""
        doc = self.read.sentence.span.doc
        inside = [at for at in range(self.start, self.end) if doc[at].idx < last and doc[at].idx + len(doc[at]) > first]
        return replace(self, start=inside[0], end=inside[-1] + 1) if inside else self

    def linked(self, piece: SentenceReading, places: NDArray[np.int64], tokens: int) -> LinkedClause:
        """As a linker is asked about it. places: its tokens inside findings, of `tokens` that it had."""
        text, sentence = self.read.view.text, self.read.sentence
        return linked_clause(
            piece,
            places,
            tokens=tokens,
            text=text[self.first : self.last],
            before=text[sentence.start : self.first],
            after=text[self.last : sentence.end],
            language=self.language,
        )


@dataclass(frozen=True, slots=True)
class _Read:
    """A clause, and what its sentence says of it where the model has heads."""

    clause: _Clause
    assertion: Assertion
    linked: LinkedClause | None = None
    """None also where it is asserted otherwise than present: linkers learn on statements alone."""

    @staticmethod
    def of(clause: _Clause, linked: LinkedClause | None = None) -> _Read:
        assertion = clause.assertion
        return _Read(clause, assertion, linked if assertion is Assertion.PRESENT else None)


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
        return next(_clauses_of((read,)), None) is not None

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
        clauses = list(_clauses_of(sentences))
        if not clauses:
            return []
        if readings is None:
            read = [_Read.of(clause) for clause in clauses]
            vectors = self._encoder.embed([neutral(clause.text) for clause in clauses])
            least = self._least or LEAST_LIKENESS_ALONE
        else:
            in_sentences = self._in_their_sentences(clauses, readings, self._least_finding if gated else 0.0)
            read = [_Read.of(clause, linked) for clause, linked in in_sentences]
            vectors = np.array([linked.vector for _, linked in in_sentences], np.float32)
            least = self._least or LEAST_LIKENESS
        return self._linked(read, self._index.nearest(vectors, MOST_MEANINGS), least)

    def _in_their_sentences(
        self, clauses: Sequence[_Clause], readings: Mapping[str, Sequence[SentenceReading]], least: float
    ) -> list[tuple[_Clause, LinkedClause]]:
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
        self, read: Sequence[_Read], nearest: Sequence[Nearest], least: Mapping[Language, float]
    ) -> list[Mention]:
        """The mentions of those that are like enough to anything."""
        kept = [
            (one, near)
            for one, near in zip(read, nearest, strict=True)
            if near[0][1] >= least[one.clause.language] and not one.clause.denied_in_part
        ]
        linked = self._by_linker([(one.linked, near) for one, near in kept if one.linked])
        return [
            _mention(one, next(linked) if self._linker and one.linked else self._by_likeness(one.clause, near))
            for one, near in kept
        ]

    def _by_likeness(self, clause: _Clause, near: Nearest) -> tuple[Meaning, ...]:
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


def _clauses_of(sentences: Iterable[ReadSentence]) -> Iterator[_Clause]:
    for read in sentences:
        if read.sentence.section not in SKIPPED_SECTIONS:
            yield from _clauses(read)


def _clauses(read: ReadSentence) -> Iterator[_Clause]:
    """Stretches between borders that no name touches and that carry at least two words of their own."""
    span: TokenSpan = read.sentence.span
    start = span.start
    for token in [*span, None]:
        if token is not None and token.lower_ not in _BORDERS and "\n" not in token.text:
            continue
        end = token.i if token is not None else span.end
        for first, last in _stretches(read, start, end):
            if _worth_reading(read, first, last):
                yield _Clause(read, first, last)
        start = end + 1


def _stretches(read: ReadSentence, start: int, end: int) -> Iterator[tuple[int, int]]:
    """`[start, end)` itself; what is too long for a clause, as text without punctuation is, in parts between its names."""
    if end - start <= _LONGEST_STRETCH:
        yield start, end
        return
    first = start
    for index in range(start, end + 1):
        if index == end or index in read.covered:
            yield from ((part, min(part + _PART, index)) for part in range(first, max(first + 1, index - _STEP), _STEP))
            first = index + 1


def _worth_reading(read: ReadSentence, start: int, end: int) -> bool:
    if end <= start or read.covered & set(range(start, end)):
        return False
    tokens = read.sentence.span.doc[start:end]
    text = tokens.text
    if _NORMAL_CHINESE.search(text):
        return False
    chinese = len(_CHINESE.findall(text))
    if chinese:
        return _SHORTEST_CHINESE <= chinese <= _LONGEST_CHINESE
    words = [token for token in tokens if stem(token.text).isalpha() and token.text.isascii()]
    if any(token.lower_ in _NORMAL for token in words):
        return False
    return sum(t.lower_ not in FILLERS for t in words) >= _SHORTEST and len(words) <= _LONGEST


def _mention(read: _Read, meanings: tuple[Meaning, ...]) -> Mention:
    """Of the finding that the clause most likely means."""
    trust = sum(meaning.probability for meaning in meanings)
    clause = read.clause
    span = clause.read.view.to_note(clause.first, clause.last)
    return Mention("finding", meanings[0].finding, span, read.assertion, "concept", trust, meanings)
