"""`dxspan-train tune`: every kind of tuning learns, what merges answers as before, and what cannot is said so."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from nlp_core.bundle_manifest import BASE_WEIGHTS
from tests.training.tuning.labelled import encoder, texts, write_csv
from training.__main__ import main
from training.tuning.checkpoints import CHECKPOINTS
from training.tuning.continual import finished
from training.tuning.distillation import distilled
from training.tuning.export_classifier import TOLERANCE, agreement, keep
from training.tuning.labelled_texts import LabelledText
from training.tuning.methods import MERGEABLE
from training.tuning.options import METHODS, Method, TuningOptions
from training.tuning.run import ENCODER, tuned

ASKED = ["cough and fever", "rash", "流 感 chills", "for days with some"]
LABELS = ("allergy", "cold", "flu")
LEARNED_BY = 6
"""Epochs after which the loss of single batches has fallen for all options: 2 are one tenth of warm-up and noise."""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, model: Path) -> NDArray[np.float32]:
    """What a classifier says that no option was changed for."""
    made = tuned(str(model), texts(12), [], LABELS, small(epochs=LEARNED_BY), tmp_path_factory.mktemp("plain"))
    return made.logits(ASKED)


def small(**given: Any) -> TuningOptions:
    return TuningOptions(
        **{
            "rank": 4,
            "epochs": 3,
            "batch": 8,
            "longest": 16,
            "threads": 1,
            "dropout": 0.0,
            "learning_rate": 5e-3,
            "head_learning_rate": 2e-2,
            **given,
        }
    )


def tune(model: Path, out: Path, *more: str) -> tuple[int, dict[str, Any]]:
    """As a user does; (exit status, report)."""
    source = out.parent / "texts.csv"
    if not source.exists():
        write_csv(source, texts(20))
    fixed = [
        "--model",
        str(model),
        "--rank",
        "4",
        "--epochs",
        "3",
        "--batch",
        "8",
        "--report-to",
        "none",
        "--threads",
        "1",
    ]
    status = main(["tune", "--texts", str(source), "--out", str(out), *fixed, *more])
    report = out / "report.json"
    return status, json.loads(report.read_text("utf-8")) if report.exists() else {}


@pytest.mark.parametrize("method", METHODS)
def test_each_kind_learns_and_merges_where_it_can(tmp_path: Path, model: Path, method: Method) -> None:
    found = tuned(str(model), texts(20), [], LABELS, small(method=method), tmp_path)
    assert found.figures is not None
    assert found.figures.last_loss < found.figures.first_loss
    assert (found.figures.trained_weights == found.figures.all_weights) == (method == "full")
    before = found.logits(ASKED)
    found.save(tmp_path)
    if method not in MERGEABLE:
        assert not (tmp_path / ENCODER).exists()
        with pytest.raises(ValueError, match="a prefix cannot be merged"):
            finished(tmp_path, found.options)
        return
    assert np.abs(finished(tmp_path, found.options).logits(ASKED) - before).max() < 1e-4


def test_f10_no_words_of_the_texts_are_left_behind(tmp_path: Path, model: Path) -> None:
    """Canaries in text and in a bad row: in no checkpoint, log, tokenizer or report."""
    canary = "Zyxwvut"
    rows = [LabelledText(f"{row.text} {canary}", row.label) for row in texts(8)]
    write_csv(tmp_path / "texts.csv", rows)
    with (tmp_path / "texts.csv").open("a", encoding="utf-8") as file:
        file.write(f"{canary}\n")
    assert tune(model, tmp_path / "out", "--ensemble", "2", "--report-to", "tensorboard")[0] == 0
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len(files) > 10
    assert not [path.name for path in files if canary.lower().encode() in path.read_bytes().lower()]


def test_the_command_reports_and_its_graph_answers_as_torch(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, report = tune(model, tmp_path / "out", "--export", "fp32", "--report-to", "tensorboard")
    assert status == 0
    assert "precision" in capsys.readouterr().out
    assert "allergy" in (tmp_path / "out" / "classification_report.txt").read_text("utf-8")
    assert set(report["per_class"]) == set(LABELS)
    assert report["texts"]["test"] == {"allergy": 4, "cold": 4, "flu": 4}
    assert report["measured_texts"] == 12
    assert report["macro_f1_interval"][0] <= report["macro_f1"] <= report["macro_f1_interval"][1]
    assert report["onnx"]["largest_difference"] < TOLERANCE
    assert list((tmp_path / "out" / "curves").glob("events.*"))
    classifier = finished(tmp_path / "out", small())
    graph = tmp_path / "out" / report["onnx"]["file"]
    assert agreement(classifier, graph, ASKED).same_answers == 1
    told = [row.text for row in texts(4, seed=5)]
    rounded = keep(onnx.load(graph), classifier, tmp_path / "out", "int8", told)
    assert rounded.same_answers == 1
    assert 0 < rounded.largest_difference < 0.5
    assert rounded.bytes < graph.stat().st_size


def test_a_prefix_is_refused_before_it_is_trained(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _ = tune(model, tmp_path / "out", "--method", "prefix", "--export", "fp32")
    assert status == 1
    assert "a prefix cannot be merged" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_dry_run_writes_nothing(tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_csv(tmp_path / "texts.csv", texts(20))
    (tmp_path / "texts.csv").write_text((tmp_path / "texts.csv").read_text("utf-8") + "a patient's words\n", "utf-8")
    status, report = tune(model, tmp_path / "out", "--dry-run")
    said = capsys.readouterr()
    assert (status, report) == (0, {})
    assert ["steps", "18"] in [line.split()[:2] for line in said.out.splitlines()]
    assert "left out: texts.csv, line 62: too-few-columns" in said.err
    assert "patient's" not in said.err + said.out
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--epochs", "0"], "--epochs: Input should be greater than 0"),
        (["--replay", "old.csv"], "--replay and --few-shot belong to --go-on-from"),
        (["--resume"], "holds no checkpoint: nothing to resume"),
        (["--test", "absent.csv"], "absent.csv is no file"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    tmp_path: Path, model: Path, options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tune(model, tmp_path / "out", *options)[0] == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("method", ["lora", "adalora"])
def test_a_killed_run_goes_on_to_the_same_weights(tmp_path: Path, model: Path, method: Method) -> None:
    """With what makes it hard: dropout, accumulated gradients, a cosine, what AdaLoRA has seen of the gradients."""
    options = small(method=method, dropout=0.2, accumulate=2, schedule="cosine", epochs=4)
    whole = tuned(str(model), texts(20), [], LABELS, options, tmp_path).logits(ASKED)
    last = max((tmp_path / CHECKPOINTS).glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]))
    shutil.rmtree(last)  # killed in the last epoch
    again = tuned(str(model), texts(20), [], LABELS, options, tmp_path, resume=True)
    assert np.array_equal(again.logits(ASKED), whole)
    with pytest.raises(ValueError, match="had other texts, options or another encoder"):
        tuned(str(model), texts(19), [], LABELS, options, tmp_path, resume=True)


@pytest.mark.parametrize(
    "more", [{"adversarial": "fgm"}, {"adversarial": "pgd"}, {"precision": "bf16"}, {"warm_up": 0.3}]
)
def test_options_change_what_is_learned_and_it_still_learns(
    tmp_path: Path, model: Path, plain: NDArray[np.float32], more: dict[str, Any]
) -> None:
    other = tuned(str(model), texts(12), [], LABELS, small(epochs=LEARNED_BY, **more), tmp_path / "other")
    assert not np.array_equal(plain, other.logits(ASKED))
    assert other.figures is not None
    assert other.figures.last_loss < other.figures.first_loss
    answers = other.logits(ASKED)
    other.save(tmp_path)
    assert (
        np.abs(finished(tmp_path, other.options).logits(ASKED) - answers).max() < 1e-4
    )  # in full precision, bf16 or not


def test_training_ends_when_nothing_gets_better(tmp_path: Path, model: Path) -> None:
    options = small(patience=1, epochs=20, learning_rate=1e-9, head_learning_rate=0.5)
    found = tuned(str(model), texts(8), texts(4, seed=2), LABELS, options, tmp_path)
    assert found.figures is not None
    assert found.figures.stopped_early
    with pytest.raises(ValueError, match="early stopping needs development texts"):
        tuned(str(model), texts(8), [], LABELS, options, tmp_path)


def test_an_ensemble_is_distilled_to_one_and_its_teachers_are_not_trained_twice(tmp_path: Path, model: Path) -> None:
    options = small(ensemble=2, epochs=1)
    one = distilled(str(model), texts(4), [], LABELS, options, tmp_path)
    answers = tmp_path / "teacher-1" / "answers.npy"
    assert np.allclose(np.load(answers).sum(axis=1), 1, atol=1e-5)
    written = answers.stat().st_mtime_ns
    two = distilled(str(model), texts(4), [], LABELS, options, tmp_path)
    assert answers.stat().st_mtime_ns == written
    assert np.array_equal(one.logits(ASKED), two.logits(ASKED))
    distilled(str(model), texts(5), [], LABELS, options, tmp_path)
    assert answers.stat().st_mtime_ns != written


def test_the_encoder_that_comes_out_is_one_to_begin_with(tmp_path: Path, model: Path) -> None:
    found = tuned(str(model), texts(8), [], LABELS, small(epochs=1), tmp_path)
    found.save(tmp_path)
    assert (tmp_path / ENCODER / BASE_WEIGHTS).is_file()
    again = tuned(str(tmp_path / ENCODER), texts(8), [], LABELS, small(epochs=1), tmp_path / "again")
    assert again.figures is not None
