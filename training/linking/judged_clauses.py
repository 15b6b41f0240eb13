"""Clauses of our own development notes, each judged: which of the findings near to it do its words say, or none?

Input : judged.jsonl, a clause a line
Output: JudgedClause, and what a model's encoder makes of it (Example)
The judge saw the clause in its sentence and the eight findings that were near to it, and no diagnosis. Only clauses asserted as
present are here. A finding that was not among those shown counts as not said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from tqdm import tqdm

from nlp_core.assessment import Language
from nlp_core.concept_linker import LinkedClause, linked_clause
from nlp_core.concepts import LEAST_FINDING, MOST_MEANINGS
from nlp_core.name_index import NameIndex
from nlp_core.sentence_readings import SentenceEncoder, SentenceReading

JUDGED = Path(__file__).parent / "judged.jsonl"
_AT_ONCE = 256
"""Sentences read at once: progress moves, and equal lengths still meet."""

Floats = NDArray[np.float32]


class JudgedClause(BaseModel):
    """A stretch of a sentence, and what it was judged to say."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    case: str
    """The note it stands in: clauses of one note are never on both sides of a split."""
    language: Language
    sentence: str
    start: int
    end: int
    """Characters of the sentence: `sentence[start:end]` is the clause."""
    near: tuple[str, ...]
    """The findings that were shown, likest first."""
    right: tuple[str, ...]
    """Those of them that the words say of the patient."""


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """A judged clause as a model sees it. K: findings near to it; W: width of the encoder."""

    judged: JudgedClause
    clause: LinkedClause
    near: tuple[str, ...]
    """[K] findings, likest first."""
    likeness: Floats
    """[K]"""
    centres: Floats
    """[K, W]"""
    right: NDArray[np.bool_]
    """[K]"""


def read_judged(path: Path = JUDGED) -> list[JudgedClause]:
    """Raises OSError, or ValidationError for a line that is no judged clause."""
    return [JudgedClause.model_validate_json(line) for line in path.read_text("utf-8").splitlines()]


def examples(judged: Sequence[JudgedClause], sentences: SentenceEncoder, index: NameIndex) -> list[Example]:
    """Those in whose clause the model's finding head sees a finding."""
    places = range(0, len(judged), _AT_ONCE)
    return [
        example
        for at in tqdm(places, desc="judged clauses", unit=f"{_AT_ONCE} clauses")
        for example in _examples(judged[at : at + _AT_ONCE], sentences, index)
    ]


def _examples(judged: Sequence[JudgedClause], sentences: SentenceEncoder, index: NameIndex) -> list[Example]:
    read = sentences.read([one.sentence for one in judged])
    found = [(one, clause) for one, pieces in zip(judged, read, strict=True) if (clause := _clause(one, pieces))]
    nearest = index.nearest(np.array([clause.vector for _, clause in found], np.float32), MOST_MEANINGS)
    return [_beside(one, clause, near, index) for (one, clause), near in zip(found, nearest, strict=True)]


def _clause(one: JudgedClause, pieces: Sequence[SentenceReading]) -> LinkedClause | None:
    """None where the model sees no finding in it."""
    for piece in pieces:
        tokens = piece.tokens_within(one.start, one.end)
        places = tokens[piece.finding[tokens] >= LEAST_FINDING]
        if len(places):
            first, last = int(piece.starts[places[0]]), int(piece.ends[places[-1]])
            return linked_clause(
                piece,
                places,
                tokens=len(tokens),
                text=one.sentence[first:last],
                before=one.sentence[:first],
                after=one.sentence[last:],
                language=one.language,
            )
    return None


def _beside(judged: JudgedClause, clause: LinkedClause, near: Sequence[tuple[str, float]], index: NameIndex) -> Example:
    findings = tuple(finding for finding, _ in near)
    return Example(
        judged,
        clause,
        findings,
        np.array([likeness for _, likeness in near], np.float32),
        index.centres(findings),
        np.array([finding in judged.right for finding in findings]),
    )
