"""FHIR NDJSON read line by line in flat memory: every resource with its place, every bad line with a fixed word.

Knows files, lines and JSON. A bad line is never repeated anywhere: it may hold a patient's words.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

import orjson

from nlp_core.fhir_fields import Json, resource_type

LONGEST_LINE = 64 * 1024 * 1024
"""Bytes of one resource; longer lines are passed over."""
ENDINGS = (".ndjson", ".ndjson.gz")

BadRowReason = Literal["not-json", "no-object", "no-resource-type", "too-long", "cut-off", "other-type"]


@dataclass(frozen=True, slots=True)
class Row:
    """One resource. `line` counts from 1; `offset` and `size` are bytes of the (unpacked) file."""

    line: int
    offset: int
    size: int
    resource: Json


@dataclass(frozen=True, slots=True)
class BadRow:
    """A line that holds no resource."""

    line: int
    offset: int
    size: int
    reason: BadRowReason


def rows(path: Path, *, offset: int = 0, line: int = 0) -> Iterator[Row | BadRow]:
    """Every non-blank line from `offset` on, where the first `line` lines end. Raises OSError; `.gz` is unpacked."""
    with opened(path) as file:
        file.seek(offset)
        while read := file.readline(LONGEST_LINE + 1):
            line += 1
            size = len(read)
            whole = read.endswith(b"\n")
            if size > LONGEST_LINE and not whole:
                size += _rest_of_line(file)
                yield BadRow(line, offset, size, "too-long")
            elif text := read.strip().removeprefix(b"\xef\xbb\xbf"):
                yield _row(text, line, offset, size, whole)
            offset += size


def row_at(path: Path, offset: int, size: int) -> Json:
    """The resource that `rows` found there. Raises OSError, or ValueError where the file has changed."""
    with opened(path) as file:
        file.seek(offset)
        found = orjson.loads(file.read(size).strip().removeprefix(b"\xef\xbb\xbf"))
    return cast(Json, found)


def opened(path: Path) -> BinaryIO:
    """For reading, unpacked where it is packed."""
    return cast(BinaryIO, gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def ndjson_files(folder: Path) -> list[Path]:
    """By name, those of folders below left out (an export keeps deleted resources and errors there)."""
    return sorted(path for path in folder.iterdir() if path.is_file() and path.name.endswith(ENDINGS))


def _row(text: bytes, line: int, offset: int, size: int, whole: bool) -> Row | BadRow:
    try:
        found: Any = orjson.loads(text)
    except orjson.JSONDecodeError:
        return BadRow(line, offset, size, "not-json" if whole else "cut-off")
    if not isinstance(found, dict):
        return BadRow(line, offset, size, "no-object")
    if not resource_type(found):
        return BadRow(line, offset, size, "no-resource-type")
    return Row(line, offset, size, found)


def _rest_of_line(file: BinaryIO) -> int:
    passed = 0
    while part := file.readline(1024 * 1024):
        passed += len(part)
        if part.endswith(b"\n"):
            break
    return passed
