"""Texts with labels from a file or a folder of `dxspan-train prepare`; every row that is none with its file and line.

Input : CSV, TSV or JSONL with a column for the text and one for the label; or train.jsonl of prepared notes
Output: the good rows, and where the bad ones stand and why
A bad row is never repeated: it may hold a patient's words.
"""

from __future__ import annotations

import csv
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Literal

BadTextReason = Literal[
    "not-json", "not-utf-8", "no-object", "no-text", "no-label", "too-few-columns", "several-diagnoses"
]
PREPARED = ("train.jsonl", "development.jsonl", "test.jsonl")


@dataclass(frozen=True, slots=True)
class LabelledText:
    """One example."""

    text: str
    label: str


@dataclass(frozen=True, slots=True)
class BadText:
    """A row that is no example. `line` counts from 1, a heading included."""

    file: str
    line: int
    reason: BadTextReason

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.reason}"


@dataclass(frozen=True, slots=True)
class ReadTexts:
    """What a file held."""

    texts: tuple[LabelledText, ...]
    bad: tuple[BadText, ...] = ()


def read_texts(
    path: Path,
    text_column: str = "text",
    label_column: str = "label",
    *,
    needed: bool = True,
    but: Set[str] = frozenset(),
) -> ReadTexts:
    """needed: False where the file may be absent or hold nothing. but: marks of prepared notes that are passed over.

    Raises FileNotFoundError, or ValueError where the file has no such columns, is no UTF-8 text, or has no good row.
    """
    if not needed and not path.is_file():
        return ReadTexts(())
    if not path.is_file():
        raise FileNotFoundError(f"{path} is no file")
    texts: list[LabelledText] = []
    bad: list[BadText] = []
    line = passed_over = 0
    try:
        for line, found in _rows(path, text_column, label_column, but):
            if found is None:
                passed_over += 1
            elif isinstance(found, LabelledText):
                texts.append(found)
            else:
                bad.append(BadText(path.name, line, found))
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8; save it so, e.g. as `CSV UTF-8`") from None
    except csv.Error as error:
        raise ValueError(f"{path} is no CSV behind line {line}: {error}") from None
    if needed and not texts and not passed_over:
        raise ValueError(f"{path} holds no row with a text and a label{_first(bad)}")
    return ReadTexts(tuple(texts), tuple(bad))


def notes_of(path: Path) -> frozenset[str]:
    """Marks of the prepared notes in a file, whatever label they bear or do not bear."""
    marks = set()
    with path.open("rb") as file:
        for line in file:
            try:
                row = json.loads(line.decode("utf-8-sig"))
            except ValueError:  # read_texts names such lines
                continue
            if isinstance(row, dict) and isinstance(row.get("note"), str):
                marks.add(row["note"])
    return frozenset(marks)


def labels_of(texts: Iterable[LabelledText]) -> tuple[str, ...]:
    """Each label once, in alphabetical order."""
    return tuple(sorted({example.label for example in texts}))


def split_apart(
    texts: Sequence[LabelledText], share: float, seed: int
) -> tuple[list[LabelledText], list[LabelledText]]:
    """(the rest, `share` of each label's texts), at least one of a label that has two or more; equal seeds split equally.

    Equal texts stay on one side.
    """
    groups: dict[str, dict[str, list[LabelledText]]] = {}
    for example in texts:
        groups.setdefault(example.label, {}).setdefault(example.text, []).append(example)
    kept: list[LabelledText] = []
    apart: list[LabelledText] = []
    for label in sorted(groups):
        same = sorted(groups[label].values(), key=lambda group: group[0].text)
        Random(f"{seed}:{label}").shuffle(same)  # noqa: S311 - a split, no secret
        count = max(1, round(share * len(same))) if share and len(same) > 1 else 0
        apart += [example for group in same[:count] for example in group]
        kept += [example for group in same[count:] for example in group]
    return kept, apart


def of_labels(texts: Iterable[LabelledText], labels: Sequence[str]) -> tuple[list[LabelledText], Counter[str]]:
    """The texts whose label is known, and how many bear another."""
    known, strange = [], Counter[str]()
    for example in texts:
        if example.label in labels:
            known.append(example)
        else:
            strange[example.label] += 1
    return known, strange


def _rows(
    path: Path, text: str, label: str, but: Set[str]
) -> Iterator[tuple[int, LabelledText | BadTextReason | None]]:
    """None where the note is one of `but`."""
    if path.suffix in (".jsonl", ".ndjson"):
        return _json_rows(path, text, label, but)
    return _csv_rows(path, text, label, "\t" if path.suffix == ".tsv" else ",")


def _csv_rows(path: Path, text: str, label: str, delimiter: str) -> Iterator[tuple[int, LabelledText | BadTextReason]]:
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))  # a note may be longer than the 131,072 characters of the default
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, delimiter=delimiter)
        columns = reader.fieldnames or ()
        for wanted in (text, label):
            if wanted not in columns:
                raise ValueError(
                    f"{path} has no column {wanted!r}; its first line names {', '.join(columns) or 'none'}"
                )
        for row in reader:
            if row[text] is None or row[label] is None:
                yield reader.line_num, "too-few-columns"
            else:
                yield reader.line_num, _example(row[text], row[label])


def _json_rows(
    path: Path, text: str, label: str, but: Set[str]
) -> Iterator[tuple[int, LabelledText | BadTextReason | None]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield number, _of_json(line, text, label, but)


def _of_json(line: bytes, text: str, label: str, but: Set[str]) -> LabelledText | BadTextReason | None:
    try:
        row = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return "not-utf-8"
    except json.JSONDecodeError:
        return "not-json"
    if not isinstance(row, dict):
        return "no-object"
    if str(row.get("note")) in but:
        return None
    if isinstance(row.get("diagnoses"), list) and label not in row:
        return _of_prepared(row)
    return _example(row.get(text), row.get(label))


def _of_prepared(row: dict[str, Any]) -> LabelledText | BadTextReason:
    """A prepared note with exactly one coded diagnosis bears it as its label."""
    coded = [found.get("id") for found in row["diagnoses"] if isinstance(found, dict)]
    if not coded:
        return "no-label"
    return _example(row.get("text"), coded[0]) if len(coded) == 1 else "several-diagnoses"


def _example(text: Any, label: Any) -> LabelledText | BadTextReason:
    if not isinstance(text, str) or not text.strip():
        return "no-text"
    if not isinstance(label, str | int) or isinstance(label, bool) or not str(label).strip():
        return "no-label"
    return LabelledText(text.strip(), str(label).strip())


def _first(bad: Sequence[BadText]) -> str:
    return f"; the first fault is in {bad[0]}" if bad else ""
