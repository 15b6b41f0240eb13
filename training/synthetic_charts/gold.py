"""A written note with its gold: which stretch means which entry of the knowledge, and how it is asserted.

Knows pieces of text and offsets. `text[span.start:span.end]` is always the words that mean the entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from nlp_core.assertion import Assertion
from nlp_core.assessment import Language


@dataclass(frozen=True, slots=True)
class Piece:
    """A few words; `entry` is empty where they mean nothing of the knowledge."""

    text: str
    entry: str = ""
    """Finding id, or `d:` and a diagnosis id."""
    assertion: Assertion = Assertion.PRESENT

    def reworded(self, text: str) -> Piece:
        """The same meaning in other letters."""
        return replace(self, text=text)


@dataclass(frozen=True, slots=True)
class GoldSpan:
    """Half-open stretch of the note, in code points."""

    start: int
    end: int
    entry: str
    assertion: Assertion


@dataclass(frozen=True, slots=True)
class GoldSentence:
    """Half-open stretch of the note; `telling`: it holds a present finding that the diagnosis explains."""

    start: int
    end: int
    telling: bool


@dataclass(frozen=True, slots=True)
class WrittenSentence:
    """One sentence as pieces, with what stands after it (a blank, a line break)."""

    pieces: tuple[Piece, ...]
    after: str = " "
    telling: bool = False

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces)

    def with_pieces(self, pieces: Iterable[Piece]) -> WrittenSentence:
        return replace(self, pieces=tuple(pieces))


@dataclass(frozen=True, slots=True)
class WrittenNote:
    """A whole note: its text is made of its sentences, its gold read off them."""

    style: str
    kind: str
    language: Language
    sentences: tuple[WrittenSentence, ...]

    @property
    def text(self) -> str:
        return "".join(sentence.text + sentence.after for sentence in self.sentences).rstrip()

    @property
    def spans(self) -> tuple[GoldSpan, ...]:
        """In order of their place."""
        return tuple(_spans(self.sentences))

    @property
    def sentence_spans(self) -> tuple[GoldSentence, ...]:
        """In order of their place."""
        return tuple(_sentences(self.sentences))


def _spans(sentences: Sequence[WrittenSentence]) -> Iterator[GoldSpan]:
    at = 0
    for sentence in sentences:
        for piece in sentence.pieces:
            if piece.entry:
                yield GoldSpan(at, at + len(piece.text), piece.entry, piece.assertion)
            at += len(piece.text)
        at += len(sentence.after)


def _sentences(sentences: Sequence[WrittenSentence]) -> Iterator[GoldSentence]:
    at = 0
    for sentence in sentences:
        length = len(sentence.text)
        if length:
            yield GoldSentence(at, at + length, sentence.telling)
        at += length + len(sentence.after)
