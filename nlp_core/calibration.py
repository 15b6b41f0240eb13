"""Scores to probabilities that mean what they say, probabilities to words, and when to stay silent.

The leading diagnosis has a curve of its own: what comes first is right more often than its score says, what comes after it
less often. Knows a fitted table (training.calibrate makes it). The shipped table was fitted on simulated patients drawn from the
knowledge, a site's own on its notes besides; every place that shows a band says which.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from nlp_core.assessment import Band, Words

_WORDS = (
    (0.90, Words(en="very likely", zh="极可能")),
    (0.75, Words(en="very likely", zh="很可能")),
    (0.60, Words(en="likely", zh="较可能")),
    (0.45, Words(en="about even", zh="可能性约半")),
    (0.30, Words(en="possible", zh="有可能")),
    (0.15, Words(en="possible", zh="可能")),
    (0.05, Words(en="less likely", zh="可能性较小")),
    (0.00, Words(en="unlikely", zh="可能性小")),
)


class Calibration(BaseModel):
    """Two monotone curves from raw to calibrated probability, for what leads and for what follows, with how they were made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fitted_on: str
    """What the table was fitted on, in words for the model card."""
    patients: int = Field(ge=0)
    site_notes: int = Field(default=0, ge=0)
    """Coded notes of a site among what it was fitted on; 0 = simulated patients alone."""
    expected_calibration_error: float = Field(ge=0)
    """On held-apart patients, the first five diagnoses together, 15 bins."""
    leading_calibration_error: float = Field(ge=0)
    """The same of the leading diagnosis alone."""
    raw: tuple[float, ...] = Field(min_length=2)
    """Where the curves are given."""
    leading: tuple[float, ...] = Field(min_length=2)
    """Calibrated probability of the diagnosis that leads."""
    following: tuple[float, ...] = Field(min_length=2)
    """Calibrated probability of one that follows it."""
    silence_below: float = Field(ge=0, le=1)
    """Calibrated probability of the leading diagnosis below which nothing is shown."""
    knowledge_version: str = ""
    """The knowledge it was fitted for."""

    @model_validator(mode="after")
    def _is_a_table(self) -> Self:
        for curve in (self.leading, self.following):
            if len(self.raw) != len(curve):
                raise ValueError(f"{len(self.raw)} raw values for {len(curve)} calibrated ones")
            if list(curve) != sorted(curve):
                raise ValueError("a calibration curve must rise")
        if list(self.raw) != sorted(set(self.raw)):
            raise ValueError("the raw values of a calibration must rise")
        if not all(0 <= value <= 1 for value in (*self.raw, *self.leading, *self.following)):
            raise ValueError("probabilities lie between 0 and 1")
        return self

    @staticmethod
    def load(path: Path) -> Calibration:
        """Raises OSError or ValidationError; a missing table is no calibration, never a guessed one."""
        return Calibration.model_validate_json(path.read_bytes())

    def probabilities(self, raw: Sequence[float]) -> list[float]:
        """Calibrated probabilities of rival diagnoses, best first as `raw` is: none above the one before it, all together at
        most 1."""
        if not raw:
            return []
        first = float(np.interp(raw[0], self.raw, self.leading))
        rest = np.minimum(np.interp(np.asarray(raw[1:]), self.raw, self.following), first)
        total = float(rest.sum())
        return [first, *(float(value) for value in rest * min(1.0, (1 - first) / total if total else 1.0))]


def band_of(probability: float) -> Band:
    """The word and the range a calibrated probability falls into."""
    high = 1.0
    for low, word in _WORDS:
        if probability >= low:
            return Band(word=word, low=low, high=high)
        high = low
    raise ValueError(f"not a probability: {probability}")
