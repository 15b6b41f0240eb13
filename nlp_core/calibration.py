"""Scores to probabilities that mean what they say, probabilities to words, and when to stay silent.

Knows a fitted table (training.calibrate makes it). The table in force was fitted on simulated patients drawn from the
knowledge; every place that shows a band says so.
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
    """A monotone table from raw to calibrated probability, with how it was made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fitted_on: str
    """What the table was fitted on, in words for the model card."""
    patients: int = Field(ge=0)
    expected_calibration_error: float = Field(ge=0)
    """On held-apart patients, 15 bins."""
    raw: tuple[float, ...] = Field(min_length=2)
    calibrated: tuple[float, ...] = Field(min_length=2)
    silence_below: float = Field(ge=0, le=1)
    """Calibrated probability of the leading diagnosis below which nothing is shown."""
    knowledge_version: str = ""
    """The knowledge it was fitted for."""

    @model_validator(mode="after")
    def _is_a_table(self) -> Self:
        if len(self.raw) != len(self.calibrated):
            raise ValueError(f"{len(self.raw)} raw values for {len(self.calibrated)} calibrated ones")
        if list(self.raw) != sorted(set(self.raw)) or list(self.calibrated) != sorted(self.calibrated):
            raise ValueError("a calibration table must rise")
        if not all(0 <= value <= 1 for value in (*self.raw, *self.calibrated)):
            raise ValueError("probabilities lie between 0 and 1")
        return self

    @staticmethod
    def load(path: Path) -> Calibration:
        """Raises OSError or ValidationError; a missing table is no calibration, never a guessed one."""
        return Calibration.model_validate_json(path.read_bytes())

    def probability(self, raw: float) -> float:
        """Calibrated probability of a raw one, both 0 to 1."""
        return float(np.interp(raw, self.raw, self.calibrated))

    def probabilities(self, raw: Sequence[float]) -> list[float]:
        """Calibrated probabilities of rival diagnoses: each by the table, all together at most 1."""
        calibrated = np.interp(np.asarray(raw), self.raw, self.calibrated)
        return [float(value) for value in calibrated / max(1.0, float(calibrated.sum()))]


def band_of(probability: float) -> Band:
    """The word and the range a calibrated probability falls into."""
    high = 1.0
    for low, word in _WORDS:
        if probability >= low:
            return Band(word=word, low=low, high=high)
        high = low
    raise ValueError(f"not a probability: {probability}")
