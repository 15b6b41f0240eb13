"""Intervals of shares and of means."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def wilson(share: float, count: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval (Wilson) of a share observed in `count` rows, both ends between 0 and 1."""
    denominator = 1 + z * z / count
    middle = (share + z * z / (2 * count)) / denominator
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / denominator
    return max(0.0, middle - half), min(1.0, middle + half)


def bootstrap_mean(values: Sequence[float], *, seed: int = 0, resamples: int = 2000) -> tuple[float, float]:
    """The 95 % interval of a mean: `resamples` draws of the values with replacement, the same for the same seed."""
    drawn = np.random.default_rng(seed).choice(np.asarray(values, dtype=np.float64), size=(resamples, len(values)))
    low, high = np.quantile(drawn.mean(axis=1), (0.025, 0.975))
    return float(low), float(high)
