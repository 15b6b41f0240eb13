"""Reading labelled texts: good rows are kept, bad ones named by file and line, never repeated."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from training.tuning.labelled_texts import LabelledText, labels_of, read_texts, split_apart


def test_bad_rows_are_named_and_good_ones_kept(tmp_path: Path) -> None:
    path = tmp_path / "texts.csv"
    path.write_text('text,label\n"cough, two\nlines",cold\n,flu\nfever,\nfever\nrash,allergy\n', encoding="utf-8")
    found = read_texts(path)
    assert found.texts == (LabelledText("cough, two\nlines", "cold"), LabelledText("rash", "allergy"))
    assert [str(bad) for bad in found.bad] == [
        "texts.csv, line 4: no-text", "texts.csv, line 5: no-label", "texts.csv, line 6: too-few-columns",
    ]  # fmt: skip


def test_json_lines_and_prepared_notes(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    rows = [
        {"text": "cough", "label": "cold"},
        {"text": "a note", "diagnoses": [{"id": "asthma"}]},
        {"text": "a note", "diagnoses": [{"id": "asthma"}, {"id": "gout"}]},
        {"text": "a note", "diagnoses": []},
        ["no", "object"],
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + "{torn", encoding="utf-8")
    found = read_texts(path)
    assert labels_of(found.texts) == ("asthma", "cold")
    assert [bad.reason for bad in found.bad] == ["several-diagnoses", "no-label", "no-object", "not-json"]
    assert [bad.line for bad in found.bad] == [3, 4, 5, 6]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (b"words,label\ncough,cold\n", "has no column 'text'; its first line names words, label"),
        (
            b"text,label\n,cold\n",
            "holds no row with a text and a label; the first fault is in texts.csv, line 2: no-text",
        ),
        (b"text,label\n\xff\xfe,cold\n", "is not UTF-8"),
        (b"", "has no column 'text'; its first line names none"),
    ],
)
def test_a_file_without_texts_says_why(tmp_path: Path, written: bytes, said: str) -> None:
    (tmp_path / "texts.csv").write_bytes(written)
    with pytest.raises(ValueError, match=said):
        read_texts(tmp_path / "texts.csv")


def test_parts_are_apart_in_every_label_and_the_same_each_time() -> None:
    texts = [LabelledText(f"text {n // 2}", "ab"[n % 2]) for n in range(40)]
    train, test = split_apart([*texts, *texts], 0.2, seed=3)
    assert (train, test) == split_apart([*texts, *texts], 0.2, seed=3)
    assert {e.label for e in test} == {"a", "b"}
    assert not set(train) & set(test)
    assert len(train) + len(test) == 80
    assert split_apart(texts, 0.2, seed=4) != split_apart(texts, 0.2, seed=3)
