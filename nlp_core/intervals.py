"""How far a share of few tries can be trusted."""

from __future__ import annotations

import math


def wilson(share: float, count: float, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval (Wilson) of a share observed in `count` rows or tries, both ends between 0 and 1."""
    denominator = 1 + z * z / count
    middle = (share + z * z / (2 * count)) / denominator
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / denominator
    return max(0.0, middle - half), min(1.0, middle + half)
