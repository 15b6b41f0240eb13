"""From what users said to a classifier that goes on: `from-feedback --reviewed`, then `tune --go-on-from … --replay …`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.nlp_core.small_knowledge import small_knowledge
from tests.training.prepared_notes import write
from tests.training.tuning.labelled import WORDS, encoder, texts
from training.__main__ import main
from training.prepare.prepared_note import CodedDiagnosis, PreparedNote, Split
from training.site import from_feedback

DIAGNOSES = {"cold": "common_cold", "flu": "influenza", "other": "migraine"}
REST = "for some days and with some days " * 3
"""Beyond the tokens that are read; a note of a few words alone would be taken for the answer itself."""
FIXED = [
    "--batch", "8", "--report-to", "none", "--threads", "1", "--longest", "16", "--method", "full", "--learning-rate", "5e-3",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _small_knowledge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(from_feedback, "read_knowledge", small_knowledge)


def notes(first: int, count: int, label: str, split: Split, *, coded: bool = True) -> list[PreparedNote]:
    """`count` notes with words of `label`, marked from `first` on; not coded: without a diagnosis, until someone says it."""
    own = CodedDiagnosis(id=DIAGNOSES[label], icd10cm="J00", listed="same", via="code", joined="encounter")
    return [
        PreparedNote(
            patient=f"{place:016x}", note=f"{place:016x}", split=split, language="en", text=f"{one.text}. {REST}",
            diagnoses=(own,) if coded else (),
        )
        for place, one in enumerate(texts(count, (label,), seed=first + 1), start=first)
    ]  # fmt: skip


def reviewed(folder: Path, prepared: Path, decisions: dict[str, tuple[str, str]]) -> Path:
    """The prepared notes anew, with what a person decided: note to (diagnosis, decision)."""
    rows = [f"{note},{diagnosis},{decision},ab\n" for note, (diagnosis, decision) in decisions.items()]
    (folder / "review.csv").write_text("note,diagnosis,decision,reviewer\n" + "".join(rows), encoding="utf-8")
    out = folder / "reviewed"
    given = ["--prepared", str(prepared), "--reviewed", str(folder / "review.csv"), "--out", str(out)]
    assert main(["from-feedback", *given]) == 0
    return out


def tune(folder: Path, source: Path, out: str, *more: str) -> tuple[int, dict[str, Any]]:
    status = main(["tune", "--texts", str(source), "--out", str(folder / out), *FIXED, *more])
    report = folder / out / "report.json"
    return status, json.loads(report.read_text("utf-8")) if report.exists() else {}


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """What the earlier run learned from; its classifier lies in `run` beside it."""
    known = [
        *notes(0, 20, "cold", "train"), *notes(20, 20, "flu", "train"), *notes(40, 6, "cold", "test"), *notes(46, 6, "flu", "test"),
    ]  # fmt: skip
    folder = write(tmp_path / "earlier", known)
    model = encoder(tmp_path / "encoder")
    assert tune(tmp_path, folder, "run", "--model", str(model), "--epochs", "8")[0] == 0
    return folder


def test_a_confirmed_diagnosis_becomes_a_label_beside_the_replayed_ones(tmp_path: Path, earlier: Path) -> None:
    said = [*notes(100, 16, "other", "train", coded=False), *notes(120, 6, "other", "test", coded=False)]
    old = [*notes(140, 6, "cold", "test"), *notes(150, 6, "flu", "test")]
    since = reviewed(
        tmp_path, write(tmp_path / "since", [*said, *old]), {one.note: ("migraine", "confirmed") for one in said}
    )
    status, report = tune(
        tmp_path, since, "next", "--go-on-from", str(tmp_path / "run"), "--replay", str(earlier), "--epochs", "6"
    )
    assert status == 0
    assert report["texts"]["train"] == {"migraine": 16}
    assert report["gate"]["new_labels"] == ["migraine"]
    assert report["gate"]["replayed"] == 40  # all of the earlier train.jsonl, none of its test.jsonl
    assert report["per_class"]["migraine"]["recall"] > 0.8
    assert report["gate"]["after"] >= report["gate"]["before"] - 0.02


def test_what_a_person_refuted_is_not_replayed(
    tmp_path: Path, earlier: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same notes before and after the review: what is decided is in --texts alone."""
    refuted = f"{0:016x}"
    since = reviewed(tmp_path, earlier, {refuted: ("common_cold", "refuted")})
    status, report = tune(
        tmp_path, since, "next", "--go-on-from", str(tmp_path / "run"), "--replay", str(earlier), "--epochs", "2"
    )
    assert status == 0
    assert report["texts"]["train"] == {"common_cold": 19, "influenza": 20}
    assert report["gate"]["replayed"] == 0
    assert "nothing to replay" in capsys.readouterr().err


def test_a_folder_may_be_the_test_and_a_part_that_is_missing_is_named(
    tmp_path: Path, earlier: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = write(tmp_path / "more", notes(200, 8, "other", "train"))
    (more / "test.jsonl").unlink()
    going_on = ["--go-on-from", str(tmp_path / "run"), "--replay", str(earlier), "--dry-run"]
    assert tune(tmp_path, more, "next", *going_on)[0] == 1
    assert "--go-on-from needs --test" in capsys.readouterr().err
    assert tune(tmp_path, more, "next", "--test", str(more), *going_on)[0] == 1
    assert f"{more} holds no test.jsonl" in capsys.readouterr().err
    assert tune(tmp_path, more, "next", "--test", str(earlier), *going_on)[0] == 0
    said = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["replay", "40", "common_cold", "20,", "influenza", "20"] in said
    assert ["test", "12", "common_cold", "6,", "influenza", "6"] in said


def test_bad_rows_of_the_replay_are_named(tmp_path: Path, earlier: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = write(tmp_path / "more", notes(200, 8, "other", "train"))
    with (earlier / "train.jsonl").open("a", encoding="utf-8") as file:
        file.write(f"{WORDS['cold'][0]}\n")
    going_on = ["--go-on-from", str(tmp_path / "run"), "--replay", str(earlier), "--test", str(earlier), "--dry-run"]
    assert tune(tmp_path, more, "next", *going_on)[0] == 0
    said = capsys.readouterr().err
    assert "left out: --replay train.jsonl, line 41: not-json" in said
    assert WORDS["cold"][0] not in said
