"""Shares and intervals of a classifier's answers."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from training.tuning.measured import interval, macro_f1, measured, resampled


def test_macro_f1_is_scikit_learns() -> None:
    random = np.random.default_rng(2)
    for _ in range(20):
        right, answered = random.integers(4, size=(2, 30))
        present = sorted(set(right.tolist()))
        assert macro_f1(right, answered, 5) == pytest.approx(
            f1_score(right, answered, labels=present, average="macro", zero_division=0)
        )


def test_intervals_hold_the_figure_and_are_the_same_each_time() -> None:
    right, answered = [0, 1, 2] * 20, [0, 1, 1] * 20
    found = measured(right, answered, ("a", "b", "c"))
    assert found == measured(right, answered, ("a", "b", "c"))
    assert found.accuracy == pytest.approx(2 / 3)
    assert found.macro_f1_interval[0] < found.macro_f1 < found.macro_f1_interval[1]
    assert found.per_class["c"].f1 == 0
    assert found.confusion == [[20, 0, 0], [0, 20, 0], [0, 20, 0]]


def test_the_same_texts_are_drawn_from_every_list() -> None:
    assert all((one == other).all() for one, other in resampled([0, 1, 2], [0, 1, 2], times=5))
    assert interval([1.0] * 10) == (1.0, 1.0)


def test_nothing_to_measure_on_is_an_error() -> None:
    with pytest.raises(ValueError, match="no text to measure on"):
        measured([], [], ("a",))
