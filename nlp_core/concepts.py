"""What is worded otherwise: clauses no name explains, matched to the nearest name in the encoder's space.

Input : the sentences of a note with what names already explained, e.g. "it feels like a tight band round my chest"
Output: mentions `via="concept"` of the nearest finding, only where the likeness is clear.
Knows clauses and vectors. Reads English only: the base encoder does not know Chinese (see docs/architecture.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Span as TokenSpan

from nlp_core.assertion import assertion_of
from nlp_core.encoder import Encoder
from nlp_core.knowledge import Knowledge
from nlp_core.mentions import Mention, ReadSentence
from nlp_core.sections import Section
from nlp_core.words import FILLERS, stem

LEAST_LIKENESS = 0.68
"""Cosine below which the nearest name is no match; chosen on written pairs, see docs/log.md."""
_SHORTEST, _LONGEST = 2, 16
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
_SKIPPED = (Section.FAMILY, Section.ALLERGIES, Section.PLAN, Section.MEDICATIONS)


class NameIndex:
    """The names of all findings as vectors: `entries[i]` owns `vectors[i]` (float32 [names, width], unit length)."""

    def __init__(self, entries: Sequence[str], vectors: NDArray[np.float32]) -> None:
        if len(entries) != len(vectors):
            raise ValueError(f"{len(entries)} entries for {len(vectors)} vectors")
        self._entries = list(entries)
        self._vectors = vectors

    @staticmethod
    def build(knowledge: Knowledge, encoder: Encoder) -> NameIndex:
        """Embeds the English names of every symptom, sign, imaging and exposure finding."""
        pairs = [
            (finding.id, name)
            for finding in knowledge.findings.values()
            if finding.kind in ("symptom", "sign", "imaging", "exposure")
            for name in finding.names.en
            if len(name) > 4
        ]
        return NameIndex([entry for entry, _ in pairs], encoder.embed([name for _, name in pairs]))

    def save(self, path: Path) -> None:
        np.savez(path, entries=np.array(self._entries), vectors=self._vectors.astype(np.float16))

    @staticmethod
    def load(path: Path) -> NameIndex:
        with np.load(path, allow_pickle=False) as stored:
            return NameIndex([str(entry) for entry in stored["entries"]], stored["vectors"].astype(np.float32))

    def nearest(self, vectors: NDArray[np.float32]) -> list[tuple[str, float]]:
        """For each row (unit length) the entry of the nearest name and the cosine."""
        likeness = vectors @ self._vectors.T
        best = likeness.argmax(axis=1)
        return [(self._entries[column], float(likeness[row, column])) for row, column in enumerate(best)]


@dataclass(frozen=True, slots=True)
class _Clause:
    read: ReadSentence
    start: int
    """First token in the document."""
    end: int


class ConceptReader:
    """Matches clauses to findings by likeness."""

    def __init__(self, encoder: Encoder, index: NameIndex, least_likeness: float = LEAST_LIKENESS) -> None:
        self._encoder = encoder
        self._index = index
        self._least = least_likeness

    def find(self, sentences: Iterable[ReadSentence]) -> list[Mention]:
        """Mentions of what the clauses mean, in order of their place."""
        clauses = [clause for read in sentences if read.sentence.section not in _SKIPPED for clause in _clauses(read)]
        if not clauses:
            return []
        texts = [clause.read.sentence.span.doc[clause.start : clause.end].text for clause in clauses]
        nearest = self._index.nearest(self._encoder.embed(texts))
        return [
            _mention(clause, entry)
            for clause, (entry, likeness) in zip(clauses, nearest, strict=True)
            if likeness >= self._least
        ]


def _clauses(read: ReadSentence) -> Iterator[_Clause]:
    """Stretches between borders that no name touches and that carry at least two words of their own."""
    span: TokenSpan = read.sentence.span
    start = span.start
    for token in [*span, None]:
        if token is not None and token.lower_ not in _BORDERS and "\n" not in token.text:
            continue
        end = token.i if token is not None else span.end
        if _worth_reading(read, start, end):
            yield _Clause(read, start, end)
        start = end + 1


def _worth_reading(read: ReadSentence, start: int, end: int) -> bool:
    if end <= start or read.covered & set(range(start, end)):
        return False
    words = [t for t in read.sentence.span.doc[start:end] if stem(t.text).isalpha() and t.text.isascii()]
    if any(token.lower_ in _NORMAL for token in words):
        return False
    return sum(t.lower_ not in FILLERS for t in words) >= _SHORTEST and len(words) <= _LONGEST


def _mention(clause: _Clause, entry: str) -> Mention:
    """A ruling word inside the clause ("no", "if") rules the whole clause: the clause's last token stands for it."""
    read = clause.read
    doc = read.sentence.span.doc
    first, last = doc[clause.start], doc[clause.end - 1]
    assertion = assertion_of(clause.end - 1, clause.end, read.sentence.span, read.sentence.section, read.triggers)
    return Mention("finding", entry, read.view.to_note(first.idx, last.idx + len(last)), assertion, "concept")
