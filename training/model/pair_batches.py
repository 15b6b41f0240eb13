"""Which texts are trained on together: pairs of wordings of one concept, beside their nearest rivals.

Half of each batch are concepts drawn at random, half are small groups of neighbours, so that "pleuritic" is learned
against "exertional" and not only against "itchy scalp". Knows phrases and likeness of names, no model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlp_core.knowledge import Knowledge
from training.phrases import Phrase

GROUP = 8
"""Concepts of one group of neighbours."""
ACROSS = 0.4
"""Share of pairs that join an English and a Chinese wording, where an entry has both."""


@dataclass(frozen=True, slots=True)
class PairBatch:
    """`left[i]` and `right[i]` mean the same; rival[i, j] False where i and j are relatives, which are no rivals."""

    left: list[str]
    right: list[str]
    rival: NDArray[np.bool_]


class PairSampler:
    """Draws batches; equal seeds draw equal batches."""

    def __init__(
        self,
        phrases: Mapping[str, Sequence[Phrase]],
        knowledge: Knowledge,
        vectors: NDArray[np.float32],
        *,
        concepts: int,
        seed: int,
    ) -> None:
        """vectors: unit rows in the order of `phrases`, by which neighbours are found. concepts: per batch."""
        self._entries = list(phrases)
        self._phrases = phrases
        self._knowledge = knowledge
        self._neighbours = np.argsort(-(vectors @ vectors.T), axis=1)[:, : 3 * GROUP]
        self._concepts = concepts
        self._random = np.random.default_rng(seed)

    def batches(self, count: int) -> Iterator[PairBatch]:
        for _ in range(count):
            yield self._batch()

    def _batch(self) -> PairBatch:
        random = self._random
        chosen = list(random.choice(len(self._entries), size=self._concepts // 2, replace=False))
        while len(chosen) < self._concepts:
            around = self._neighbours[int(random.integers(len(self._entries)))]
            chosen += list(random.choice(around, size=GROUP, replace=False))
        chosen = list(dict.fromkeys(int(place) for place in chosen))[: self._concepts]
        pairs = [self._pair(self._phrases[self._entries[place]]) for place in chosen]
        names = [self._entries[place] for place in chosen]
        rival = np.array(
            [[i == j or not self._related(names[i], names[j]) for j in range(len(chosen))] for i in range(len(chosen))]
        )
        return PairBatch([left for left, _ in pairs], [right for _, right in pairs], rival)

    def _pair(self, wordings: Sequence[Phrase]) -> tuple[str, str]:
        english = [phrase.text for phrase in wordings if phrase.language == "en"]
        chinese = [phrase.text for phrase in wordings if phrase.language == "zh"]
        if english and chinese and self._random.random() < ACROSS:
            return str(self._random.choice(english)), str(self._random.choice(chinese))
        own = english if not chinese or (len(english) > 1 and self._random.random() < 0.6) else chinese
        if len(own) == 1:
            return own[0], own[0]
        left, right = self._random.choice(own, size=2, replace=False)
        return str(left), str(right)

    def _related(self, one: str, other: str) -> bool:
        """Is one finding a kind of the other? Diagnoses have no relatives."""
        findings = self._knowledge.findings
        return one in findings and other in findings and self._knowledge.related(one, other)
