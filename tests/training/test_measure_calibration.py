"""Figures of calibration and silence are those of the readings given, and the plots are the same every time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nlp_core.calibration import Calibration
from training.measures.graded_readings import Graded, grade, together
from training.measures.measure_calibration import draw_reliability, draw_risk_coverage, page, reliability, risk_coverage

TABLE = Calibration(
    fitted_on="nobody",
    patients=0,
    expected_calibration_error=0,
    leading_calibration_error=0,
    raw=(0, 1),
    leading=(0, 1),
    following=(0, 1),
    silence_below=0.3,
    knowledge_version="v1",
)


def graded(name: str = "a set") -> Graded:
    """Four patients: right and sure, right and unsure (second place), wrong and unsure, wrong and silent."""
    probability = np.array([[0.9, 0.1], [0.5, 0.4], [0.5, 0.2], [0.1, 0.1]])
    right = np.array([[True, False], [False, True], [False, False], [False, False]])
    return Graded(name, probability, right, np.array([False, False, False, True]))


def test_the_curve_runs_from_the_surest_to_all_and_counts_ties_together() -> None:
    coverage, risk = risk_coverage(graded())
    assert coverage.tolist() == [0.25, 0.75, 1.0]
    assert risk.tolist() == pytest.approx([0, 1 / 3, 0.5])


def test_reliability_groups_patients_by_probability() -> None:
    random = np.random.default_rng(0)
    leading = random.uniform(size=(5000, 1))
    right = random.uniform(size=(5000, 1)) < leading
    probability, share = reliability(Graded("", leading, right, np.zeros(5000, dtype=np.bool_)))
    assert len(probability) == 10
    assert np.all(np.diff(probability) > 0)
    assert share == pytest.approx(probability, abs=0.06)


def test_the_page_says_what_silence_loses_and_spares() -> None:
    written = page(TABLE, "m1", [graded()], seed=3, plots=("one.svg", "two.svg"), options="")
    assert "| a set | 25.0 % | 50.0 % | 66.7 % | 0.0 % | 25.0 % | 50.0 % |" in written
    assert "| a set | 4 | 0.50 | 0.25 (0.05–0.70) |" in written
    assert "(one.svg)" in written
    assert "(two.svg)" in written


def test_every_leading_probability_is_in_one_band() -> None:
    written = page(TABLE, "m1", [graded()], seed=3, plots=(), options="")
    cells = [line.split(" | ")[-1] for line in written.splitlines() if "% | " in line and "–" in line and ", " in line]
    assert sum(int(cell.split(" of ")[1].rstrip(" |")) for cell in cells if " of " in cell) == 4


def test_sets_are_joined_row_by_row() -> None:
    both = together("both", [graded(), graded()])
    assert both.leading.tolist() == [*graded().leading, *graded().leading]
    assert both.within_three.tolist() == [True, True, False, False] * 2


def test_a_chart_without_candidates_is_a_miss_of_no_probability() -> None:
    from tests.nlp_core.small_charts import INFLUENZA, chart_of, small_reader

    assessments = [small_reader().assess(chart_of(text)) for text in ("Well.", INFLUENZA)]
    found = grade("", ((assessment, lambda candidate: candidate.icd10cm == "J11.1") for assessment in assessments))
    assert found.leading[0] == 0
    assert found.silent.tolist() == [True, False]
    assert found.right[:, 0].tolist() == [False, True]


def test_the_same_figures_draw_the_same_plots(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    written = []
    for run in ("one", "two"):
        draw_reliability([graded()], tmp_path / f"{run}-r.svg")
        draw_risk_coverage(TABLE, [graded()], tmp_path / f"{run}-c.svg")
        written.append([(tmp_path / f"{run}-{kind}.svg").read_bytes() for kind in "rc"])
    assert written[0] == written[1]
