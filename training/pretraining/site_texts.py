"""Texts to learn a site's language from: prepared notes, or any folder of JSONL and TXT; every bad row with file and line.

Input : a folder of `dxspan-train prepare` (train.jsonl, development.jsonl; test.jsonl is never read), or a file or folder of
        .jsonl with a `text` column and .txt, each file one text
Output: texts to train on and texts held apart, each once, and the bad rows
A bad row is never repeated: it may hold a patient's words.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Reason = Literal["not-json", "no-object", "no-text", "not-utf-8", "empty"]
TRAIN, DEVELOPMENT, TEST = "train.jsonl", "development.jsonl", "test.jsonl"
ENDINGS = (".jsonl", ".ndjson", ".txt")
_HELD_APART = 20
"""One text in so many, by a hash of its words, where the folder has no development.jsonl."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that holds no text. `line` counts from 1; 0 stands for the whole file."""

    file: str
    line: int
    reason: Reason

    def __str__(self) -> str:
        return f"{self.file}{f', line {self.line}' if self.line else ''}: {self.reason}"


@dataclass(frozen=True, slots=True)
class SiteTexts:
    """What a folder held."""

    train: tuple[str, ...]
    held_apart: tuple[str, ...]
    bad: tuple[BadRow, ...]
    copies: int
    """Texts that stood there before."""


def read_site_texts(source: Path, column: str = "text") -> SiteTexts:
    """Raises FileNotFoundError where there is nothing to read, ValueError where no text is left to learn from or to measure on."""
    train: dict[str, None] = {}
    held_apart: dict[str, None] = {}
    bad: list[BadRow] = []
    copies = 0
    prepared = source.is_dir() and (source / TRAIN).is_file() and (source / DEVELOPMENT).is_file()
    for path in _files(source, prepared):
        for line, found in _texts(path, column):
            text = found.text if isinstance(found, _Text) else ""
            if not isinstance(found, _Text):
                bad.append(BadRow(path.name, line, found))
            elif text in train or text in held_apart:
                copies += 1
            elif path.name == DEVELOPMENT if prepared else _is_held_apart(text):
                held_apart[text] = None
            else:
                train[text] = None
    if not train or not held_apart:
        first = f"; the first fault is in {bad[0]}" if bad else ""
        raise ValueError(
            f"{source} holds {len(train)} texts to learn from and {len(held_apart)} held apart; both need some{first}"
        )
    return SiteTexts(tuple(train), tuple(held_apart), tuple(bad), copies)


@dataclass(frozen=True, slots=True)
class _Text:
    text: str


def _files(source: Path, prepared: bool) -> list[Path]:
    if prepared:
        return [source / TRAIN, source / DEVELOPMENT]
    files = (
        [source] if source.is_file() else sorted(p for p in source.rglob("*") if p.is_file() and p.suffix in ENDINGS)
    )
    files = [path for path in files if path.name != TEST]
    if not files:
        raise FileNotFoundError(f"{source} holds no {', '.join(ENDINGS)}")
    return files


def _texts(path: Path, column: str) -> Iterator[tuple[int, _Text | Reason]]:
    if path.suffix == ".txt":
        try:
            text = path.read_text("utf-8-sig").strip()
        except UnicodeDecodeError:
            yield 0, "not-utf-8"
            return
        yield 0, _Text(text) if text else "empty"
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield number, _of_json(line, column)


def _of_json(line: bytes, column: str) -> _Text | Reason:
    try:
        row: Any = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return "not-utf-8"
    except json.JSONDecodeError:
        return "not-json"
    if not isinstance(row, dict):
        return "no-object"
    text = row.get(column)
    return _Text(text.strip()) if isinstance(text, str) and text.strip() else "no-text"


def _is_held_apart(text: str) -> bool:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[0] % _HELD_APART == 0
