"""Going on from a run: a new label from few texts, old ones replayed, and a gate that stops forgetting."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.training.tuning.labelled import encoder, texts, write_csv
from training.__main__ import main

OLD = ("cold", "flu", "allergy")
FIXED = ["--rank", "4", "--batch", "8", "--report-to", "none", "--threads", "1", "--longest", "16"]


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished run, its texts, new texts and a test."""
    folder = tmp_path_factory.mktemp("continual")
    write_csv(folder / "old.csv", texts(20, OLD))
    write_csv(folder / "new.csv", texts(40, ("other",)))
    write_csv(folder / "test.csv", texts(8, (*OLD, "other"), seed=9))
    model = encoder(folder / "encoder")
    command = ["tune", "--texts", str(folder / "old.csv"), "--out", str(folder / "run"), "--model", str(model)]
    assert main([*command, *FIXED, "--method", "full", "--learning-rate", "5e-3", "--epochs", "8"]) == 0
    return folder


def go_on(before: Path, out: Path, *more: str) -> tuple[int, dict[str, Any]]:
    command = ["tune", "--texts", str(before / "new.csv"), "--test", str(before / "test.csv"), "--out", str(out)]
    status = main([*command, "--go-on-from", str(before / "run"), *FIXED, *more])
    return status, json.loads((out / "report.json").read_text("utf-8"))


def test_a_new_label_is_learned_from_sixteen_texts_beside_the_old(before: Path, tmp_path: Path) -> None:
    replayed = ["--replay", str(before / "old.csv"), "--few-shot", "16", "--epochs", "6", "--method", "full"]
    status, report = go_on(before, tmp_path, *replayed, "--learning-rate", "5e-3")
    assert status == 0
    assert report["gate"]["passed"]
    assert report["gate"]["new_labels"] == ["other"]
    assert report["gate"]["replayed"] == 60
    assert report["per_class"]["other"]["f1"] > 0.8
    assert report["gate"]["after"] >= report["gate"]["before"] - 0.02
    assert (tmp_path / "encoder").is_dir()


def test_the_gate_stops_what_forgets(before: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """New texts alone, learned hard."""
    status, report = go_on(
        before, tmp_path, "--epochs", "10", "--method", "full", "--learning-rate", "5e-3", "--head-learning-rate", "0.1"
    )
    assert status == 1
    assert not report["gate"]["passed"]
    assert report["gate"]["after"] < report["gate"]["before"] - 0.02
    assert "forgotten: nothing is written" in capsys.readouterr().out
    assert not (tmp_path / "encoder").exists()
    assert (tmp_path / "classification_report.txt").is_file()


def test_without_a_test_nobody_could_tell(before: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["tune", "--texts", str(before / "new.csv"), "--out", str(tmp_path), "--go-on-from", str(before / "run")]
    assert main(command) == 1
    assert "--go-on-from needs --test" in capsys.readouterr().err
