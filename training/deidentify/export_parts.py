"""An export as parts: ranges of whole lines, so that work can be shared out, stopped and gone on with, in flat memory.

Input : a folder of NDJSON     Output: its parts in a fixed order, and each part's lines
Knows files, bytes and lines; a line is JSON only to `resources_of`.
"""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import orjson

from training.ndjson_rows import LONGEST_LINE, ndjson_files

PART_BYTES = 8 * 1024 * 1024
_BLOCK = 1024 * 1024

Rejection = Literal[
    "not JSON", "no object", "no resource type", "a type that no rule knows", "line too long", "nested too deeply"
]


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes `start` to `end` of a file, whole lines."""

    number: int
    file: str
    """As it is called in the export folder."""
    path: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a part, counted from 1 within it: a resource, or why it is none."""

    number: int
    resource: dict[str, Any] | None
    rejection: Rejection | None = None


def export_files(folder: Path) -> list[Path]:
    """By name. Raises ValueError where there are none."""
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder")
    files = [path for path in ndjson_files(folder) if path.name != "log.ndjson"]
    if not files:
        raise ValueError(f"{folder}: no .ndjson or .ndjson.gz file in it")
    return files


def unpacked(path: Path, work: Path, number: int) -> Path:
    """The file itself, or what a `.gz` holds, put into the work folder once. Raises ValueError, which says the file's `number` alone."""
    if path.suffix != ".gz":
        return path
    target = work / "unpacked" / path.stem
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(target.name + ".part")
        try:
            with gzip.open(path, "rb") as packed, part.open("wb") as plain:
                shutil.copyfileobj(packed, plain, _BLOCK)
        except (OSError, EOFError) as error:
            raise ValueError(
                f"{path.parent}: file {number} by name, counted from 0, cannot be unpacked ({type(error).__name__})"
            ) from None
        part.replace(target)
    return target


def plan(files: list[Path], work: Path, part_bytes: int = PART_BYTES) -> list[Part]:
    """Every byte of every file in exactly one part."""
    parts: list[Part] = []
    for number, file in enumerate(files):
        path = unpacked(file, work, number)
        size = path.stat().st_size
        with path.open("rb") as opened:
            start = 0
            while start < size:
                end = _line_end(opened, start + part_bytes, size)
                parts.append(Part(len(parts), file.name, str(path), start, end))
                start = end
    return parts


def _line_end(file: Any, at: int, size: int) -> int:
    """Where the line that holds byte `at` ends."""
    if at >= size:
        return size
    file.seek(at - 1)
    while block := file.read(_BLOCK):
        found = block.find(b"\n")
        if found >= 0:
            return int(file.tell() - len(block) + found + 1)
    return size


def resources_of(part: Part) -> Iterator[Line]:
    """The lines of a part that are not blank."""
    with Path(part.path).open("rb") as file:
        file.seek(part.start)
        left, number = part.end - part.start, 0
        while left > 0:
            text = file.readline(min(left, LONGEST_LINE + 1))
            left -= len(text)
            number += 1
            if len(text) > LONGEST_LINE and not text.endswith(b"\n"):
                while left > 0 and not text.endswith(b"\n"):
                    text = file.readline(min(left, _BLOCK))
                    left -= len(text)
                yield Line(number, None, "line too long")
            elif stripped := text.strip().removeprefix(b"\xef\xbb\xbf"):
                yield _read(number, stripped)


def line_count(part: Part) -> int:
    """How many lines a part has, blank ones too."""
    with Path(part.path).open("rb") as file:
        file.seek(part.start)
        left, count, last = part.end - part.start, 0, b"\n"
        while left > 0 and (block := file.read(min(left, _BLOCK))):
            left -= len(block)
            count += block.count(b"\n")
            last = block[-1:]
        return count + (last != b"\n")


def _read(number: int, text: bytes) -> Line:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return Line(number, None, "not JSON")
    if not isinstance(found, dict):
        return Line(number, None, "no object")
    if not isinstance(found.get("resourceType"), str):
        return Line(number, None, "no resource type")
    return Line(number, found)
