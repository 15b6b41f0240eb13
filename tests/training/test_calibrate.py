"""The curves fitted on one half of the patients say the truth of the other, for what leads and for what follows."""

from __future__ import annotations

import numpy as np
import pytest

from training.calibrate import Readings, calibration_error, fit, silence_threshold


def readings(seed: int, count: int = 4000) -> Readings:
    """Patients whose leading diagnosis is right more often than its raw probability says, the second less often."""
    random = np.random.default_rng(seed)
    first = random.uniform(0.2, 0.9, size=count)
    raw = np.stack([first, (1 - first) / 2], axis=1)
    leads = random.uniform(size=count) < np.sqrt(first)
    follows = ~leads & (random.uniform(size=count) < 0.2)
    return Readings(raw, np.stack([leads, follows], axis=1))


def test_what_leads_and_what_follows_are_both_told_truly() -> None:
    apart = readings(2)
    fitted = fit(readings(1), apart, "v1")
    assert fitted.leading_calibration_error < 0.03
    assert fitted.expected_calibration_error < 0.03
    told = np.array([fitted.probabilities(row) for row in apart.raw.tolist()])
    assert calibration_error(told[:, 0], apart.right[:, 0]) < calibration_error(apart.raw[:, 0], apart.right[:, 0])


def test_scores_that_hardly_differ_are_told_as_hardly_different() -> None:
    """Rows C10 and C13: what moves a score by a thousandth moves no word on a card."""
    fitted = fit(readings(1), readings(2), "v1")
    for score in np.linspace(0.05, 0.99, 95):
        before, after = (fitted.probabilities([value])[0] for value in (score, score + 0.004))
        assert abs(after - before) < 0.01, score


def test_silence_ends_where_the_first_three_are_right_often_enough() -> None:
    random = np.random.default_rng(5)
    leading = random.uniform(0, 1, size=8000)
    right = random.uniform(size=8000) < np.clip(2 * leading, 0, 1)
    assert silence_threshold(leading, right) == pytest.approx(0.3, abs=0.04)
    assert silence_threshold(leading, np.zeros(8000, dtype=bool)) == 0.6


def test_the_table_is_of_the_knowledge_it_was_fitted_for() -> None:
    assert fit(readings(1, 500), readings(2, 500), "v7").knowledge_version == "v7"


def test_a_thousand_diagnoses_with_next_to_nothing_take_nothing_from_a_close_second() -> None:
    fitted = fit(readings(1), readings(2), "v1")
    close = fitted.probabilities([0.45, 0.275])[1]
    assert fitted.probabilities([0.45, 0.275, *[1e-7] * 1300])[1] == pytest.approx(close, rel=0.05)
