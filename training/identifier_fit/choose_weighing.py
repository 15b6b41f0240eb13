"""How head and encoder are weighed together, and the thresholds of both together, on notes that neither was fitted on.

Input : both readers, marked notes apart     Output: thresholds, weighing, what they give on these notes
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.deidentify.identifier_encoder.encoder import Answer, IdentifierEncoder, Wanted
from training.deidentify.identifier_encoder.second_reader import SecondReader, Weighing
from training.deidentify.identifier_head.head import Thresholds
from training.deidentify.identifier_head.network import Weights
from training.deidentify.identifier_head.tokens import Tokens
from training.deidentify.vocabulary import Vocabulary, vocabulary
from training.identifier_fit.choose_thresholds import (
    LANGUAGES,
    START,
    RememberingHead,
    best,
    in_language,
    ruled_notes,
    said,
)
from training.measures.planted_notes import PlantedNote

_SHARES = (0.4, 0.5, 0.6, 0.7, 0.8)


class RememberingReader(RememberingHead, SecondReader):
    """Reads each paragraph once, with head and encoder; only weighs anew."""

    def __init__(self, words: Vocabulary, weights: Weights, encoder: IdentifierEncoder, weighing: Weighing) -> None:
        super().__init__(words, weights, START, self, weighing)
        self._read_by = encoder
        self._answers: dict[str, list[Answer]] = {}

    def by_window(self, plain: str, tokens: Tokens, ruled: NDArray[np.int8], wanted: Wanted) -> Iterator[Answer]:
        """As IdentifierEncoder."""
        if plain not in self._answers:
            self._answers[plain] = list(self._read_by.by_window(plain, tokens, ruled, lambda _: True))
        return (answer for answer in self._answers[plain] if wanted(answer[0]))


def choose_weighing(
    encoder: IdentifierEncoder,
    weights: Weights,
    apart: Sequence[PlantedNote],
    most_lost: float,
    unsure: tuple[float, float],
) -> tuple[Thresholds, Weighing, dict[str, Any]]:
    """unsure: from which chance of the head to which one the encoder reads. Raises ValueError where too many words are lost."""
    reader = RememberingReader(vocabulary(), weights, encoder, Weighing(*unsure, 1.0, 1.0))
    given = {}
    for language in LANGUAGES:
        notes = in_language(apart, language)
        ruled, tried = ruled_notes(notes), []
        for share in _SHARES:
            reader.weighing = reader.weighing._replace(**{language: share})
            tried.append((*best(reader, language, notes, ruled, most_lost), reader.weighing))
        found, reader.thresholds, reader.weighing = max(tried, key=lambda one: one[0].recall)
        given[language] = said(found)
    return reader.thresholds, reader.weighing, given
