"""Token sequences in batches without padding.

Input : sequences of 3, 5 and 3 tokens
Output: a batch [1, 5] and a batch [2, 3], each row knowing which sequence it is
Knows lengths alone. On a CPU one padded batch of mixed lengths takes 3.8 times as long as the same texts one by one
(docs/log.md), so only equals share a batch. Batch carries a mask all the same: a GPU's way of batching may pad.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_TOKENS = 512
"""Tokens of a batch beyond which a core reads no faster (measured: 16 to 64 short texts, or two windows)."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Rows of token ids for one run of the encoder.

    ids and mask: int64 [rows, length]; mask 1 = token, 0 = padding, at least one token in each row.
    members[row] is the place of that row's sequence in what was batched.
    """

    ids: NDArray[np.int64]
    mask: NDArray[np.int64]
    members: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.ids.ndim != 2 or self.ids.shape != self.mask.shape or len(self.members) != len(self.ids):
            raise ValueError(
                f"a batch wants ids and mask [rows, length] and a member for each row, "
                f"not ids {self.ids.shape}, mask {self.mask.shape}, {len(self.members)} members"
            )
        if not self.ids.size or not self.mask.any(axis=1).all():
            raise ValueError("a batch has a row without tokens")


def same_length_batches(
    sequences: Sequence[Sequence[int] | NDArray[np.int64]], *, most_tokens: int = MOST_TOKENS
) -> list[Batch]:
    """Every sequence once, equals together, longest first, no padding.

    A batch holds at most `most_tokens` tokens; a longer sequence is a batch of its own.
    Raises ValueError for a sequence without tokens, naming its place.
    """
    by_length: defaultdict[int, list[int]] = defaultdict(list)
    for place, sequence in enumerate(sequences):
        if len(sequence) == 0:
            raise ValueError(f"sequence {place} has no tokens")
        by_length[len(sequence)].append(place)
    batches: list[Batch] = []
    for length, places in sorted(by_length.items(), reverse=True):
        rows = max(1, most_tokens // length)
        for first in range(0, len(places), rows):
            members = tuple(places[first : first + rows])
            ids = np.array([sequences[place] for place in members], np.int64)
            batches.append(Batch(ids, np.ones_like(ids), members))
    return batches
