"""Pictures of the last hour as shapes of an SVG: bars for counts, lines for values; no axis library, no script.

Input: values, one for each minute, oldest first. Output: coordinates within WIDTH × HEIGHT. Knows no words and no colours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cds_hooks.operators.minutes import MINUTES

WIDTH, HEIGHT = 600, 100
_STEP = WIDTH / MINUTES
_GAP = 1.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One part of one minute's column."""

    kind: str
    x: float
    y: float
    width: float
    height: float


def nice_top(most: float) -> float:
    """The end of a scale that holds `most`: 1, 2 or 5 times a power of ten."""
    if most <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(most))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= most * (1 - 1e-9))


def stacked(minutes: Sequence[dict[str, int]], top: float) -> list[Bar]:
    """A column for each minute, its kinds on one another in the order of the mapping; the last minute stands on the right."""
    bars = []
    for place, counts in enumerate(minutes[-MINUTES:]):
        x, y = WIDTH - (len(minutes[-MINUTES:]) - place) * _STEP, float(HEIGHT)
        for kind, count in counts.items():
            height = count / top * HEIGHT
            y -= height
            if count:
                bars.append(Bar(kind, round(x, 1), round(y, 1), _STEP - _GAP, round(height, 1)))
    return bars


def line(values: Sequence[float | None], top: float) -> list[str]:
    """`points` of polylines; minutes without a value leave a gap, what is above the scale runs along its end."""
    pieces: list[list[str]] = [[]]
    shown = values[-MINUTES:]
    for place, value in enumerate(shown):
        if value is None:
            pieces.append([])
            continue
        x = WIDTH - (len(shown) - place - 0.5) * _STEP
        pieces[-1].append(f"{x:.1f},{height_of(value, top):.1f}")
    # A single minute is a dot: a line of one point draws nothing.
    return [" ".join(piece if len(piece) > 1 else [*piece, piece[0]]) for piece in pieces if piece]


def height_of(value: float, top: float) -> float:
    """Where a value lies, from above."""
    return HEIGHT - min(value / top, 1.0) * HEIGHT
