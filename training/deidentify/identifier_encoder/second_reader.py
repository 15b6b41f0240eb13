"""The small head with the encoder behind it: what the head is unsure of, the encoder reads, and both are weighed together.

Input : as training.deidentify.identifier_head.head     Output: the same
A window of text is read by the encoder where the head is unsure of one of its tokens at least. Knows the record beside this file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np
import orjson
from numpy.typing import NDArray

from training.deidentify.identifier_encoder.encoder import Answer, Wanted, shipped_encoder
from training.deidentify.identifier_encoder.weights import HERE, RECORD
from training.deidentify.identifier_head.head import IdentifierHead, Thresholds, shipped_weights
from training.deidentify.identifier_head.network import Floats, Weights
from training.deidentify.identifier_head.tokens import Tokens
from training.deidentify.vocabulary import Vocabulary

_DIGITS = 4


class Weighing(NamedTuple):
    """How the two readers are taken together."""

    least: float
    """The head is unsure of a token from this chance on ..."""
    most: float
    """... to this one."""
    latin: float
    chinese: float
    """Weight of the encoder's chances, for Latin and Chinese tokens; the head's have the rest of 1."""


class WindowReader(Protocol):
    """An IdentifierEncoder, or what remembers its answers."""

    def by_window(self, plain: str, tokens: Tokens, ruled: NDArray[np.int8], wanted: Wanted, /) -> Iterator[Answer]:
        """Of each window that is wanted: its tokens, and float [tokens of it, classes]."""
        ...


class SecondReader(IdentifierHead):
    """One per process."""

    def __init__(
        self, words: Vocabulary, weights: Weights, thresholds: Thresholds, encoder: WindowReader, weighing: Weighing
    ) -> None:
        super().__init__(words, weights, thresholds)
        self._encoder = encoder
        self.weighing = weighing

    def reviewed(self, plain: str, tokens: Tokens, ruled: NDArray[np.int8], chances: Floats) -> Floats:
        """Both readers' chances weighed; the head's alone where nothing is in doubt."""
        unsure = self._unsure(chances)
        if not unsure.any():
            return chances

        told = chances.copy()
        chinese = np.array(["|" in form for form in tokens.forms])
        shares = np.where(chinese, self.weighing.chinese, self.weighing.latin).astype(np.float32)[:, None]
        for of, given in self._encoder.by_window(plain, tokens, ruled, lambda of: bool(unsure[of].any())):
            told[of] = np.round(shares[of] * given + (1 - shares[of]) * chances[of], _DIGITS)
        return told

    def _unsure(self, chances: Floats) -> NDArray[np.bool_]:
        told = 1 - chances[:, 0]
        unsure: NDArray[np.bool_] = (told >= np.float32(self.weighing.least)) & (told <= np.float32(self.weighing.most))
        return unsure


def shipped_second_reader(words: Vocabulary) -> SecondReader:
    """Head and encoder as they are shipped. Raises ValueError where weights are not those of their records."""
    record = orjson.loads((HERE / RECORD).read_bytes())
    return SecondReader(
        words,
        shipped_weights(),
        Thresholds(**record["thresholds"]),
        shipped_encoder(words),
        Weighing(**record["weighing"]),
    )
