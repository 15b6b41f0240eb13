"""Intervals of shares."""

from __future__ import annotations

import math


def wilson(share: float, count: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval (Wilson) of a share observed in `count` rows, both ends between 0 and 1."""
    denominator = 1 + z * z / count
    middle = (share + z * z / (2 * count)) / denominator
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / denominator
    return middle - half, middle + half
