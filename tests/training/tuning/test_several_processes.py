"""`torchrun … -m training tune`: two processes learn one classifier, and one of them writes it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.training.tuning.labelled import encoder, texts, write_csv
from tests.whole_runs import said_by
from training.tuning.continual import finished
from training.tuning.options import TuningOptions

PATIENCE_SECONDS = 100
"""It takes about 15 on an idle machine, most of them imports."""


@pytest.mark.timeout(PATIENCE_SECONDS + 20)
def test_two_processes_finish_one_classifier(tmp_path: Path) -> None:
    command = [
        "tune", "--texts", str(write_csv(tmp_path / "texts.csv", texts(20))), "--model", str(encoder(tmp_path / "encoder")),
        "--out", str(tmp_path / "out"), "--method", "full", "--learning-rate", "5e-3", "--epochs", "8", "--batch", "4",
        "--threads", "1", "--longest", "16", "--report-to", "none",
    ]  # fmt: skip
    said = _on_two_processes(command)
    report = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    assert report["training"]["steps"] == 8 * 48 / (2 * 4)  # each step reads a batch of either process
    assert report["macro_f1"] > 0.9
    assert said.count("macro avg") == 1  # one process reports
    classifier = finished(tmp_path / "out", TuningOptions(longest=16))
    answers = [classifier.labels[place] for place in classifier.answers(["cough sneezing", "chills aching"])]
    assert answers == ["cold", "flu"]


def _on_two_processes(command: list[str]) -> str:
    """What both said. On the CPU, whatever the machine has: two processes do not share one GPU."""
    start = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "training"]
    environment = {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    return said_by([*start, *command], patience_seconds=PATIENCE_SECONDS, environment=environment)
