"""How far a share of few tries can be trusted: Wilson's interval at 95 %."""

from __future__ import annotations

import math

_Z = 1.96


def wilson(hits: float, tries: float) -> tuple[float, float]:
    """(low, high) of the share `hits / tries`, each between 0 and 1; (0, 1) without tries."""
    if not tries:
        return 0.0, 1.0
    share, square = hits / tries, _Z * _Z
    middle = (share + square / (2 * tries)) / (1 + square / tries)
    reach = _Z / (1 + square / tries) * math.sqrt(share * (1 - share) / tries + square / (4 * tries * tries))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def in_percent(hits: float, tries: float) -> str:
    """`27 % (18–38)`; empty without tries."""
    low, high = wilson(hits, tries)
    return f"{100 * hits / tries:.0f} % ({100 * low:.0f}–{100 * high:.0f})" if tries else ""
