"""Intervals of means; those of shares are nlp_core's, which serving needs too."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def bootstrap_mean(values: Sequence[float], *, seed: int = 0, resamples: int = 2000) -> tuple[float, float]:
    """The 95 % interval of a mean: `resamples` draws of the values with replacement, the same for the same seed."""
    drawn = np.random.default_rng(seed).choice(np.asarray(values, dtype=np.float64), size=(resamples, len(values)))
    low, high = np.quantile(drawn.mean(axis=1), (0.025, 0.975))
    return float(low), float(high)
