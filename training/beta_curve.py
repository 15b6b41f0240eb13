"""A smooth rising curve from one probability to a truer one: beta calibration (Kull, Silva Filho and Flach, 2017).

`logit(true) = a log(p) - b log(1 - p) + c` with a, b >= 0, by the least cross-entropy. Three figures where a staircase has
dozens: two scores that differ by next to nothing are told as next to the same, near 1 too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_NEAREST = 1e-7
"""How near to 0 and 1 a probability is taken to be at most: their logarithms must be numbers."""


@dataclass(frozen=True, slots=True)
class BetaCurve:
    """A fitted curve; `a` and `b` say how steep it is towards 0 and towards 1."""

    a: float
    b: float
    c: float

    @staticmethod
    def fit(told: NDArray[np.float64], true: NDArray[np.bool_]) -> BetaCurve:
        """told, true: [cases], the probability that was told and whether it came true. Raises ValueError for no cases."""
        if not len(told):
            raise ValueError("no cases to fit a calibration curve on")
        # Imported here: scipy takes half a second to load, and the other commands do without it.
        from scipy.optimize import minimize

        terms, outcome = _terms(told), true.astype(np.float64)

        def cross_entropy(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            logits = terms @ weights
            loss = np.mean(np.logaddexp(0.0, logits) - outcome * logits)
            return float(loss), terms.T @ (_logistic(logits) - outcome) / len(outcome)

        best = minimize(cross_entropy, np.array([1.0, 1.0, 0.0]), jac=True, bounds=[(0, None), (0, None), (None, None)])
        a, b, c = (float(weight) for weight in best.x)
        return BetaCurve(a, b, c)

    def at(self, told: NDArray[np.float64]) -> NDArray[np.float64]:
        """The truer probability of each told one, the same shape."""
        return _logistic(_terms(told) @ np.array([self.a, self.b, self.c]))


def _terms(told: NDArray[np.float64]) -> NDArray[np.float64]:
    inside = np.clip(told, _NEAREST, 1 - _NEAREST)
    return np.stack([np.log(inside), -np.log1p(-inside), np.ones_like(inside)], axis=-1)


def _logistic(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-logits)), np.float64)
