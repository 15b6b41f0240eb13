"""The examples run as they are written: a hospital's whole way in its small form, the symptom texts, the commands of the page."""

from __future__ import annotations

import csv
import json
import re
import shlex
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path

import pytest

from tests.training.tuning.labelled import encoder
from tests.whole_runs import ROOT, said_by
from training.__main__ import COMMANDS, main

TEXTS = ROOT / "examples" / "symptom_texts"
LABELS = {"感冒", "流感", "过敏", "发烧", "其他"}
PATIENCE_SECONDS = 900
"""The small form takes about a minute on an idle machine."""


@pytest.mark.timeout(PATIENCE_SECONDS + 60)
def test_a_hospitals_whole_way_ends_with_a_card_from_its_own_model(tmp_path: Path) -> None:
    command = ["examples/hospital_day.sh", "--small", "--out", str(tmp_path / "day")]
    said = said_by(command, patience_seconds=PATIENCE_SECONDS)
    day = tmp_path / "day"
    answer = json.loads((day / "served" / "answer.json").read_text())
    assert answer["cards"][0]["summary"]
    reports = re.findall(r"^  (\S+)  ", said, re.MULTILINE)
    assert len(reports) >= 8
    assert [one for one in reports if not Path(one).is_file()] == []
    planted = _identifiers(day / "export")
    assert len(planted) > 50
    trained_on = "".join(
        (day / "prepared" / f"{split}.jsonl").read_text() for split in ("train", "development", "test")
    )
    assert not [one for one in planted if one in trained_on]


def _identifiers(export: Path) -> list[str]:
    """Record numbers and mail addresses; a surrogate's name may be somebody's real one."""
    lines = [line for path in export.glob("Patient*.ndjson") for line in path.read_text().splitlines()]
    people = [json.loads(line) for line in lines]
    return [one["identifier"][0]["value"] for one in people] + [one["telecom"][1]["value"] for one in people]


def texts(name: str) -> list[tuple[str, str]]:
    with (TEXTS / name).open(encoding="utf-8", newline="") as file:
        return [(row["text"], row["label"]) for row in csv.DictReader(file)]


def test_symptom_texts_have_enough_of_each_label_and_are_held_apart() -> None:
    train, test = texts("train.csv"), texts("test.csv")
    assert {label for _, label in train} == LABELS == {label for _, label in test}
    assert min(Counter(label for _, label in train).values()) >= 40
    assert min(Counter(label for _, label in test).values()) >= 20
    assert all(text.strip() == text and len(text) > 8 for text, _ in train + test)
    shingles = {text[at : at + 9] for text, _ in train for at in range(len(text) - 8) if not text.isascii()}
    shared = [text for text, _ in test if any(piece in text for piece in shingles)]
    assert shared == []  # no nine characters in a row are the same


def symptom_texts_command(out: Path) -> list[str]:
    """As the page has it, but for where it writes."""
    (command,) = _commands(TEXTS / "README.md")
    arguments = [str(ROOT / part) if part.startswith("examples/") else part for part in command]
    arguments[arguments.index("--out") + 1] = str(out)
    return arguments


def test_the_command_of_the_symptom_texts_takes_the_shipped_encoder(tmp_path: Path) -> None:
    assert main([*symptom_texts_command(tmp_path / "out"), "--dry-run"]) == 0
    assert not (tmp_path / "out").exists()


def test_the_command_of_the_symptom_texts_trains_and_prints_its_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From a tiny encoder, which learns to read none of it: that the five labels are reported is what is seen here."""
    model = encoder(tmp_path / "encoder")
    out = tmp_path / "out"
    assert main([*symptom_texts_command(out), "--model", str(model), "--threads", "1", "--longest", "32"]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"precision +recall +f1-score +support", printed)
    rows = dict(re.findall(r"^ *(\S+) +\d\.\d{3} +\d\.\d{3} +\d\.\d{3} +(\d+)$", printed, re.MULTILINE))
    assert rows.keys() == LABELS
    assert rows == {label: str(count) for label, count in Counter(label for _, label in texts("test.csv")).items()}
    assert (out / "classification_report.txt").read_text("utf-8").strip() in printed
    assert (out / "encoder" / "tokenizer.json").is_file()


@pytest.mark.parametrize("page", ["docs/training.md", "docs/hospital_data.md", "examples/symptom_texts/README.md"])
def test_every_command_of_the_pages_is_one_that_is_taken(page: str) -> None:
    parser = ArgumentParser()
    subparsers = parser.add_subparsers(required=True)
    for command in COMMANDS:
        command.add_arguments(subparsers.add_parser(command.name))
    found = [command for command in _commands(ROOT / page) if len(command) > 1]
    assert found
    for command in found:
        parser.parse_args(command)


def _commands(page: Path) -> list[list[str]]:
    """Whole `dxspan-train` commands of a page: those with an option that says where things go."""
    lines = re.findall(r"dxspan-train ([a-z][^`\n]*--[^`\n]*)", page.read_text("utf-8"))
    return [
        shlex.split(line.replace("…", "x"), comments=True) for line in lines if "--out" in line or "--write" in line
    ]
