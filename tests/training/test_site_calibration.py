"""Calibration with a site's own notes, and the gate that keeps a worse model in the house."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nlp_core.compose_knowledge import add_knowledge
from tests.training.prepared_notes import simulated_notes, write
from tests.training.test_calibrate import readings
from tests.training.tiny_encoders import save_encoder
from training.__main__ import main
from training.calibrate import Readings, fit, leading_error_on
from training.export_model import REFUSED
from training.site.calibrate_on_site import MOST_TIMES, beside, site_halves
from training.site.gate import VERDICT, Gate, judge, read_gate
from training.site.prepared_folders import sites_of
from training.site.read_site import SiteReading
from training.site.site_notes import SiteNote

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


def with_bad_lines(file: Path) -> None:
    """Two behind the good ones: no note, and one that was cut off."""
    with file.open("a", encoding="utf-8") as lines:
        lines.write('{"text": "Zebulon Quill"}\n{"version": 1, "text": "Zebulon')


def test_lines_that_cannot_be_read_are_told_and_the_good_ones_count(tmp_path: Path) -> None:
    prepared = write(tmp_path / "north", simulated_notes(240, split="development"))
    with_bad_lines(prepared / "development.jsonl")
    halves = site_halves(sites_of([str(prepared)]), most=2000)
    assert len(halves.fit) + len(halves.apart) == 240
    assert [str(one) for one in halves.bad] == [
        "development.jsonl, line 241: missing", "development.jsonl, line 242: cut-off",
    ]  # fmt: skip
    south = write(tmp_path / "south", simulated_notes(1, split="development", seed=6))
    both = site_halves(sites_of([str(prepared), str(south)]), most=2000)
    assert [one.file for one in both.bad] == ["north/development.jsonl"] * 2


def test_a_dry_run_of_calibration_counts_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prepared = write(tmp_path / "north", simulated_notes(240, split="development"))
    with_bad_lines(prepared / "development.jsonl")
    target = tmp_path / "calibration.json"
    given = ["calibrate", "--prepared", str(prepared), "--write", str(target), "--patients", "7", "--dry-run"]
    assert main(given) == 0
    said = capsys.readouterr()
    assert "7 to fit on, 7 held apart" in said.out
    assert "held apart\ndry run: nothing written" in said.out
    assert "left out: 2 unreadable lines\nleft out: development.jsonl, line 241: missing" in said.err
    assert "Zebulon" not in said.out + said.err
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
    assert "refuses this model; nothing but gate.json was written" in said.err
    assert [path.name for path in out.iterdir()] == [VERDICT]
    verdict = json.loads((out / VERDICT).read_text())
    assert (verdict["passed"], verdict["patients"], verdict["model"]) == (False, 6, "")


PATIENTS = 120


def gated(folder: Path, *options: str) -> int:
    """The command on a site of PATIENTS notes and one line that is none, with the limits that are shipped."""
    prepared = write(folder / "north", simulated_notes(PATIENTS, split="test"))
    with (prepared / "test.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"text": "Zebulon Quill"}\n')
    model = save_encoder("bert", folder / "model")
    given = ["--model", str(model), "--out", str(folder / "bundle"), "--gate-on", str(prepared)]
    return main(["export-model", *given, *options])


@pytest.mark.parametrize(
    ("right", "probability", "fails"),
    [
        (PATIENTS // 2, 0.5, []),
        (PATIENTS // 2 - 10, 0.42, ["right within three"]),
        (PATIENTS // 2, 0.8, ["calibration error"]),
    ],
)
def test_only_what_keeps_the_limits_is_exported_and_the_verdict_lies_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], right: int,
    probability: float, fails: list[str],
) -> None:  # fmt: skip
    """Readings are given here: the tiny model would read nothing, and the shipped one is measured elsewhere."""
    asked: list[int] = []

    def given(_model: Any, notes: Sequence[SiteNote], *_: object, what: str) -> list[SiteReading]:
        asked.append(len(notes))
        ours = what == "this model"
        ranks: list[int | None] = [
            1 if place < (right if ours else PATIENTS // 2) else None for place in range(PATIENTS)
        ]
        return read_as(ranks, probability if ours else 0.5)

    monkeypatch.setattr("training.site.gate.read_site", given)
    monkeypatch.setattr("training.export_model.EXTRA_STEPS", (add_knowledge,))  # nothing else is read
    out = tmp_path / "bundle"
    assert gated(tmp_path) == (REFUSED if fails else 0)
    said = capsys.readouterr()
    failed = [line.removeprefix("FAILED  ") for line in said.out.splitlines() if line.startswith("FAILED")]
    assert [line.startswith(name) for line, name in zip(failed, fails, strict=True)] == [True] * len(fails)
    assert "left out: test.jsonl, line 121: missing" in said.err
    assert (out / "manifest.json").exists() == (not fails)
    verdict = json.loads((out / VERDICT).read_text())
    assert verdict["passed"] == (not fails)
    assert Gate.model_validate(verdict["limits"]) == GATE
    assert (verdict["notes"], verdict["patients"], verdict["unreadable_lines"]) == (PATIENTS, PATIENTS, 1)
    assert verdict["figures"]["top3"]["ours"] == pytest.approx(right / PATIENTS, abs=1e-4)
    assert [one["said"] for one in verdict["judged"] if not one["passed"]] == failed
    assert verdict["model"]
    assert verdict["model"] != verdict["shipped"]
    assert asked == [PATIENTS, PATIENTS]


def test_a_dry_run_of_the_export_counts_for_the_gate_and_makes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gated(tmp_path, "--dry-run") == 0
    said = capsys.readouterr().out
    assert "passed  patients measured on: 120, at least 100" in said
    assert "manifest.json, gate.json" in said
    assert not (tmp_path / "bundle").exists()
    limits = tmp_path / "gate.yaml"
    limits.write_text(json.dumps(GATE.model_copy(update={"fewest_patients": 121}).model_dump()))
    assert gated(tmp_path, "--dry-run", "--gate", str(limits)) == REFUSED
    assert not (tmp_path / "bundle").exists()
