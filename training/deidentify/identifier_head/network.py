"""The head itself: rows of a table summed for each token, two layers over its neighbours, a score for each class.

Input : tokens' rows     Output: float array [tokens, classes], the probability of each class
Knows numpy alone. Weights are whole numbers and so is every sum on the way (below 2^24, exact in 32 bits), so that the same text
gives the same answer on every machine, whatever its library adds up first.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

CLASSES = ("other", "name", "place", "date", "number")
WIDE, WIDE_2 = 5, 3
"""Tokens that the first and the second layer see at once."""
LARGEST_SUM, LARGEST_HIDDEN = 1_023, 255
"""Of a token's rows in one column, and of a layer's answer: what keeps the sums of the next layer exact."""
_BLOCK = 32
"""Tokens that are multiplied at once: so few that the library does not wake its other threads, which cost more than they do."""
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Weights:
    """table [rows, width]; first [5 * width, hidden], second [3 * hidden, hidden], last [hidden, classes], each with its bias."""

    table: NDArray[np.int8]
    first: Floats
    first_bias: Floats
    second: Floats
    second_bias: Floats
    last: Floats
    last_bias: Floats
    scales: Floats
    """What a unit of the first and of the second layer's sums is in units of their answers, and of the last one's in scores."""


def read_weights(path: Path) -> Weights:
    """Raises OSError or KeyError where the file is no such one."""
    with np.load(path) as kept:
        return Weights(
            **{name: kept[name] if name == "table" else kept[name].astype(np.float32) for name in Weights.__slots__}
        )


def probabilities(sums: Floats, weights: Weights, between: NDArray[np.bool_]) -> Floats:
    """sums: [tokens, width], whole numbers. between: [tokens], rows of nothing that keep one paragraph from the next."""
    kept = np.minimum(np.maximum(sums, -LARGEST_SUM), LARGEST_SUM)  # np.clip and .max take longer than such few rows do
    hidden = _layer(kept, weights.first, weights.first_bias, WIDE, weights.scales[0])
    hidden[between] = 0
    hidden = _layer(hidden, weights.second, weights.second_bias, WIDE_2, weights.scales[1])
    scores = (hidden @ weights.last + weights.last_bias) * weights.scales[2]
    scores -= np.maximum.reduce(scores, axis=1, keepdims=True)
    powers = np.exp(scores)
    return np.asarray(np.round(powers / np.add.reduce(powers, axis=1, keepdims=True), 4), dtype=np.float32)


def _layer(values: Floats, weights: Floats, bias: Floats, wide: int, scale: np.float32) -> Floats:
    """Each token with its neighbours side by side, kept between 0 and 255 and whole."""
    side, (count, width) = wide // 2, values.shape
    near = np.zeros((-count % _BLOCK + count, wide * width), np.float32)
    for at in range(wide):
        shift = at - side
        near[max(0, -shift) : count - max(0, shift), at * width : (at + 1) * width] = values[
            max(0, shift) : count + min(0, shift)
        ]
    summed = (near.reshape(-1, _BLOCK, wide * width) @ weights).reshape(-1, weights.shape[1])[:count]
    summed += bias
    summed *= scale
    np.rint(summed, out=summed)
    np.maximum(summed, 0, out=summed)
    return np.minimum(summed, LARGEST_HIDDEN, out=summed)
