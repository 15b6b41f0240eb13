"""Calibration with a site's own notes, and the gate that keeps a worse model in the house."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.training.prepared_notes import simulated_notes, write
from tests.training.test_calibrate import readings
from training.__main__ import main
from training.calibrate import Readings, fit, leading_error_on
from training.site.calibrate_on_site import MOST_TIMES, beside
from training.site.gate import Gate, judge, read_gate
from training.site.read_site import SiteReading

GATE = Gate(fewest_patients=100, most_top3_loss=0.01, most_leading_error_growth=0.02, most_leading_error=0.05)


def site_readings(seed: int, count: int = 2000) -> Readings:
    """At this site what leads is right half as often as its raw probability says."""
    random = np.random.default_rng(seed)
    first = random.uniform(0.2, 0.9, size=count)
    raw = np.stack([first, (1 - first) / 2], axis=1)
    leads = random.uniform(size=count) < first / 2
    return Readings(raw, np.stack([leads, ~leads & (random.uniform(size=count) < 0.2)], axis=1))


def test_with_the_sites_notes_a_promise_comes_nearer_to_what_is_kept_there() -> None:
    alone = fit(readings(1), readings(2), "v1")
    together = fit(beside(readings(1), site_readings(3)), beside(readings(2), site_readings(4)), "v1", "both")
    apart = site_readings(5)
    assert leading_error_on(together, apart) < 0.7 * leading_error_on(alone, apart)
    assert together.fitted_on == "both"


def test_the_table_says_how_many_notes_of_the_site_it_knows() -> None:
    assert fit(readings(1), readings(2), "v1").site_notes == 0
    assert fit(beside(readings(1), site_readings(3)), readings(2), "v1", "both", 2000).site_notes == 2000


def test_no_note_of_a_site_counts_more_than_so_often() -> None:
    simulated, site = readings(1, 4000), site_readings(2, 60)
    assert len(beside(simulated, site).raw) == 4000 + MOST_TIMES * 60
    assert len(beside(simulated, site_readings(2, 2000)).raw) == 4000 + 2 * 2000


def test_a_site_with_too_few_patients_is_refused_before_anything_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepared = write(tmp_path / "north", simulated_notes(20, split="development"))
    target = tmp_path / "calibration.json"
    assert main(["calibrate", "--prepared", str(prepared), "--write", str(target)]) == 1
    said = capsys.readouterr().err
    assert "fewer than 50 on either side are too few" in said
    assert not target.exists()


def read_as(ranks: list[int | None], probability: float) -> list[SiteReading]:
    return [
        SiteReading(
            note=f"n{place}", patient=f"p{place}", groups={}, rank=rank, probability=(probability,), right=(rank == 1,),
            silence="",
        )
        for place, rank in enumerate(ranks)
    ]  # fmt: skip


HALF: list[int | None] = [1, None] * 100


@pytest.mark.parametrize(
    ("ours", "probability", "fails"),
    [
        (HALF, 0.5, []),
        ([1, None] * 98 + [None] * 4, 0.49, []),  # one point lost is allowed
        ([1, None] * 90 + [None] * 20, 0.45, ["right within three"]),
        (HALF, 0.8, ["calibration error"]),
        (HALF[:40], 0.5, ["patients measured on"]),
    ],
)
def test_the_gate_names_each_limit_that_is_not_kept(
    ours: list[int | None], probability: float, fails: list[str]
) -> None:
    judged = judge(GATE, read_as(ours, probability), read_as(HALF[: len(ours)], 0.5))
    failed = [one.said for one in judged if not one.passed]
    assert len(failed) == len(fails)
    assert all(said.startswith(name) for said, name in zip(failed, fails, strict=True))


def test_the_shipped_gate_is_read_and_another_one_is_checked(tmp_path: Path) -> None:
    assert read_gate() == GATE
    other = tmp_path / "gate.yaml"
    other.write_text("most_top3_loss: 2\n")
    with pytest.raises(ValueError, match="most_top3_loss"):
        read_gate(other)


def test_a_model_that_the_gate_refuses_is_not_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prepared = write(tmp_path / "north", simulated_notes(6, split="test"))
    out = tmp_path / "bundle"
    assert main(["export-model", "--out", str(out), "--gate-on", str(prepared)]) == 3
    said = capsys.readouterr()
    assert "FAILED  patients measured on: 6, at least 100" in said.out
    assert "refuses this model; nothing was written" in said.err
    assert not out.exists()
