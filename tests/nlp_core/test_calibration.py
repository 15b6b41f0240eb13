"""A table never turns two diagnoses round, and every probability has its word and its range."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from nlp_core.calibration import Calibration, band_of

probability = st.floats(0, 1)


def table(
    raw: tuple[float, ...] = (0, 1), leading: tuple[float, ...] = (0, 1), following: Any = None, **fields: Any
) -> Calibration:
    """`following` None: the same curve as what leads has."""
    usual = {
        "fitted_on": "ten invented patients",
        "patients": 10,
        "expected_calibration_error": 0,
        "leading_calibration_error": 0,
        "silence_below": 0.1,
    }
    curves = {"raw": raw, "leading": leading, "following": leading if following is None else following}
    return Calibration.model_validate({**usual, **curves, **fields})


@st.composite
def tables(draw: st.DrawFn) -> Calibration:
    raw = sorted(draw(st.sets(probability, min_size=2, max_size=8)))
    leading, following = (sorted(draw(st.lists(probability, min_size=len(raw), max_size=len(raw)))) for _ in range(2))
    return table(tuple(raw), tuple(leading), tuple(following))


@given(tables(), st.lists(probability, max_size=12))
def test_calibrated_rivals_are_probabilities_in_order_and_at_most_one_together(
    fitted: Calibration, raw: list[float]
) -> None:
    found = fitted.probabilities(sorted(raw, reverse=True))
    assert len(found) == len(raw)
    assert all(0 <= value <= 1 for value in found)
    assert found == sorted(found, reverse=True)
    assert sum(found) <= 1 + 1e-9


def test_between_two_points_lies_the_straight_line() -> None:
    fitted = table((0, 0.5, 1), (0, 0.2, 1))
    assert fitted.probabilities([0.25]) == pytest.approx([0.1])
    assert fitted.probabilities([0.75]) == pytest.approx([0.6])


def test_beyond_the_table_its_ends_hold() -> None:
    fitted = table((0.2, 0.8), (0.1, 0.7))
    assert [fitted.probabilities([raw]) for raw in (0, 1)] == [[0.1], [0.7]]


def test_what_leads_and_what_follows_have_curves_of_their_own() -> None:
    fitted = table((0, 1), (0.4, 1), (0, 0.5))
    assert fitted.probabilities([0.5, 0.4]) == pytest.approx([0.7, 0.2])


def test_what_follows_gives_way_so_that_the_leading_one_keeps_its_meaning() -> None:
    fitted = table((0, 1), (0, 1))
    assert fitted.probabilities([0.8, 0.7, 0.7]) == pytest.approx([0.8, 0.1, 0.1])


@given(probability)
def test_the_band_covers_its_probability(p: float) -> None:
    band = band_of(p)
    assert band.low <= p <= band.high
    assert band.word.en
    assert band.word.zh


@given(probability, probability)
def test_a_higher_probability_never_has_a_lower_band(one: float, other: float) -> None:
    low, high = (band_of(p) for p in sorted((one, other)))
    assert low.low <= high.low


def test_the_bands_leave_no_gap() -> None:
    bands = {(band.low, band.high) for band in (band_of(p / 1000) for p in range(1001))}
    ends = sorted({end for band in bands for end in band})
    assert sorted(bands) == list(pairwise(ends))
    assert (ends[0], ends[-1]) == (0, 1)


@pytest.mark.parametrize("p", [math.nan, -0.01])
def test_d13_what_is_no_probability_has_no_band(p: float) -> None:
    with pytest.raises(ValueError, match="not a probability"):
        band_of(p)


@pytest.mark.parametrize(
    "wrong",
    [
        {"raw": (0.5,)},
        {"silence_below": 1.5},
        {"patients": -1},
        {"expected_calibration_error": -1},
        {"following": (0, 0.5, 1)},
        {"fitted": "?"},
    ],
)
def test_a_table_of_the_wrong_shape_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        table(**wrong)


@pytest.mark.parametrize(
    ("raw", "curve"),
    [
        ((0, 0.5, 1), (0, 1)),
        ((0, 0.5, 1), (0, 0.9, 0.2)),
        ((0, 0.9, 0.2), (0, 0.5, 1)),
        ((0, 1), (0, 1.5)),
        ((0, 1), (0, math.nan)),
    ],
)
def test_a_table_that_would_turn_diagnoses_round_is_refused(raw: tuple[float, ...], curve: tuple[float, ...]) -> None:
    with pytest.raises(ValidationError):
        table(raw, curve)


def test_written_and_loaded_it_is_the_same(tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(table().model_dump_json())
    assert Calibration.load(path) == table()


def test_a_missing_table_is_an_error_and_no_guess(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"calibration\.json"):
        Calibration.load(tmp_path / "calibration.json")
