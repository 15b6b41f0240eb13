"""Which of the findings near to a clause its words mean, or none: learned on judged clauses.

Input : a clause as its sentence was read, and the findings near to it with their likeness (name_index)
Output: natural-log odds of each against "none of them"
Most clauses of a chart mean no finding, however near one lies: "renal ultrasound", "septum central", "eats meat". A small network
says so from the clause alone; beside each finding count its likeness, the directions of the space in which the two agree, and where
in the space the finding lies: some are often near and seldom meant. Findings it has not learned on are linked too. Knows arrays.
Where it learns: training.linking.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp_core.assertion import Assertion
from nlp_core.assessment import Language
from nlp_core.encoder import check_finite
from nlp_core.head_outputs import ASSERTIONS
from nlp_core.sentence_readings import SentenceReading

Floats = NDArray[np.float32]

_PRESENT = ASSERTIONS.index(Assertion.PRESENT)
_HEADS = "heads"
MIDDLE = 0.6
"""Likeness from which its slope counts."""
VECTOR, _PRODUCT = 10.0, 100.0
"""Brings components of unit vectors, and of products of two, to about 1."""


@dataclass(frozen=True, slots=True, eq=False)
class LinkedClause:
    """A clause with what is told of it. W: width of the encoder."""

    language: Language
    vector: Floats
    """[W], unit length: mean of its tokens inside findings."""
    sentence: Floats
    """[W]: mean of all tokens of its piece of sentence."""
    figures: Floats
    """[len(FIGURES)], in their order."""


FIGURES = (
    "one",
    "chinese",
    "mean probability of standing in a finding",
    "highest probability of standing in a finding",
    "share of the clause's tokens inside the finding",
    "log of one more than its tokens",
    "probability that the sentence tells of the illness",
    "probability that the assertion is present",
    "is the whole sentence",
    "log of one more than its words",
    "is one word",
    "holds a digit",
    "begins the sentence",
)


def linked_clause(
    piece: SentenceReading,
    places: NDArray[np.int64],
    *,
    tokens: int,
    text: str,
    before: str,
    after: str,
    language: Language,
) -> LinkedClause:
    """A clause of one piece of a sentence.

    places: its tokens inside findings. tokens: how many the clause has in all. text: the words from the first to the last of
    `places`; before, after: the rest of the sentence around them.
    """
    chinese = language == "zh"
    words = len(text) if chinese else len(text.split())
    figures = (
        1.0,
        chinese,
        piece.finding[places].mean(),
        piece.finding[places].max(),
        len(places) / tokens,
        np.log1p(len(places)),
        piece.telling,
        piece.assertion[places, _PRESENT].mean(),
        not before.strip() and len(after.strip()) < 2,
        np.log1p(words),
        words <= (2 if chinese else 1),
        any(character.isdigit() for character in text),
        not before.strip(),
    )
    return LinkedClause(language, piece.vector_of(places), piece.mean, np.array(figures, np.float32))


class ConceptLinker:
    """Links clauses to findings; safe to use from several threads."""

    def __init__(self, tensors: Mapping[str, NDArray[Any]], heads: str = "") -> None:
        """tensors: see TENSORS. heads: hex SHA-256 of the bundle's heads it was learned behind. Raises ValueError where a tensor is
        missing."""
        missing = [name for name in TENSORS if name not in tensors]
        if missing:
            raise ValueError(f"a concept linker wants {', '.join(missing)}")
        self.heads = heads
        self._tensors = {name: np.asarray(tensors[name], np.float32) for name in TENSORS}

    def log_odds(self, clauses: Sequence[LinkedClause], likeness: Floats, centres: Floats) -> Floats:
        """[clauses, K]: natural-log odds of each finding against none.

        likeness: [clauses, K], about 1 at most. centres: [clauses, K, W], unit vectors of the findings (name_index). Raises NotFinite.
        """
        if not len(clauses):
            return np.zeros(likeness.shape, np.float32)
        own = self._tensors
        figures, vectors = (np.stack([getattr(one, name) for one in clauses]) for name in ("figures", "vector"))
        hidden = np.maximum(clause_inputs(clauses) @ own["into"] + own["bias"], 0)
        alone = figures @ own["figures"] + hidden @ own["out"] + own["shift"]
        slopes = own["likeness"][figures[:, FIGURES.index("chinese")].astype(np.int64)]
        beside = agreement(vectors, centres) @ own["agreement"] + centres * VECTOR @ own["finding"]
        found = alone[:, None] + slopes[:, None] * (likeness - MIDDLE) + beside
        check_finite("the links of clauses to findings", found)
        return np.asarray(found, np.float32)

    def save(self, path: Path) -> None:
        """In half precision."""
        from nlp_core.tensor_files import save_halves

        save_halves(path, self._tensors, {_HEADS: self.heads})

    @staticmethod
    def load(path: Path) -> ConceptLinker:
        """Raises OSError, or ValueError where the file is something else."""
        from nlp_core.tensor_files import read_tensors

        tensors, told = read_tensors(path, "concept linker")
        return ConceptLinker(tensors, told.get(_HEADS, ""))


TENSORS = ("figures", "into", "bias", "out", "shift", "likeness", "agreement", "finding")
"""Of the clause alone: figures [len(FIGURES)], and a hidden layer of H: into [2 W + figures, H], bias and out [H], shift [1]. Beside
a finding: likeness [2], for English and Chinese, agreement [W], and finding [W] for where it lies."""


def clause_inputs(clauses: Sequence[LinkedClause]) -> Floats:
    """[clauses, 2 W + figures]: what the hidden layer is given."""
    vectors = np.stack([clause.vector for clause in clauses]) * VECTOR
    sentences = np.stack([clause.sentence for clause in clauses]) * VECTOR
    return np.concatenate([vectors, sentences, np.stack([clause.figures for clause in clauses])], axis=1)


def agreement(vectors: Floats, centres: Floats) -> Floats:
    """[clauses, K, W]: in which directions each clause agrees with each finding. vectors: [clauses, W]. centres: [clauses, K, W]."""
    return vectors[:, None] * centres * _PRODUCT


def probabilities(log_odds: Floats) -> Floats:
    """[clauses, K]: of each finding, what is left of 1 being "none"."""
    highest = np.maximum(log_odds.max(axis=1, keepdims=True), 0)
    odds = np.exp(log_odds - highest)
    return np.asarray(odds / (np.exp(-highest) + odds.sum(axis=1, keepdims=True)), np.float32)
