"""The measured figures are those of the shipped model, and its quoted words carry the diagnosis further than chance."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest

from nlp_core.assess import Reader
from training.measures.measure_evidence import (
    VALUES,
    Measured,
    Standing,
    Texts,
    draw,
    drops,
    kept,
    measure,
    measure_text,
    page,
    removed,
)
from training.measures.own_cases import DEVELOPMENT, read_cases
from training.measures.remembering_reader import remembering_reader

CASES = read_cases(DEVELOPMENT)[::15]


@cache
def shipped() -> Reader:
    return remembering_reader()


@cache
def measured() -> tuple[Measured, ...]:
    return tuple(measure(shipped(), CASES, draws=2, seed=5))


def test_removing_the_quoted_spans_lowers_the_score_well_beyond_random_ones() -> None:
    by_spans, by_chance = drops(measured(), VALUES[0][1], removed)
    assert fmean(by_spans) > 1.8 * fmean(by_chance)
    assert fmean(one > other for one, other in zip(by_spans, by_chance, strict=True)) >= 0.9


def test_the_quoted_spans_alone_hold_the_score_well_beyond_random_ones() -> None:
    by_spans, by_chance = drops(measured(), VALUES[0][1], kept)
    assert fmean(by_spans) < 0.5 * fmean(by_chance)
    assert fmean(one.spans.kept.rank <= 3 for one in measured()) >= 0.8


def test_every_case_is_measured_in_both_languages() -> None:
    assert [one.language for one in measured()] == ["en"] * len(CASES) + ["zh"] * len(CASES)
    assert all(one.whole.rank == 1 and 0 < one.quoted_share < 1 for one in measured())


def test_a_text_that_says_nothing_is_left_out() -> None:
    assert measure_text(shipped(), "Well.", "en", draws=1, random=np.random.default_rng(0)) is None


def standing(score: float) -> Standing:
    return Standing(score, 0.0, 0.5, 1)


def test_drops_are_those_of_the_spans_and_the_mean_of_the_draws() -> None:
    random = tuple(Texts(standing(score), standing(0)) for score in (8, 6))
    one = Measured("en", 0.1, standing(9), Texts(standing(2), standing(8)), random, False)
    assert drops([one], VALUES[0][1], removed) == ([7], [2])


def test_the_same_figures_give_the_same_page_and_plot(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    for name in ("one.svg", "two.svg"):
        draw(measured(), tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    written = page(shipped(), measured(), plot="one.svg", options="")
    assert shipped().model_version in written
    assert written.count("| en |") == written.count("| zh |") == 1 + 2 * len(VALUES)
