"""The files of a finished export, streamed to the disk: whole and checked, or not there.

Input : a page of the manifest
Output: FOLDER/<Type>.<nnn>.ndjson, FOLDER/deleted/..., FOLDER/error/..., the bytes as the server sent them
Knows checksums, sizes, rows and what to do when a file breaks off or its URL has expired. Bad rows stay in their file (it is
the server's) and are listed by line; whoever reads on passes over them.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from nlp_core.fhir_fields import resource_type
from training.bulk_export.failures import ExportFailure, Gone, Refused, Unreachable
from training.bulk_export.manifest import ManifestFile
from training.bulk_export.server import LATER, Server
from training.bulk_export.state import FinishedFile
from training.ndjson_rows import BadRow, BadRowReason, Row, rows

TRIES = 5
_PIECE = 1024 * 1024
_ACCEPT = "application/fhir+ndjson, application/ndjson;q=0.9, */*;q=0.1"


MOST_LISTED = 100_000
"""Bad rows of one file that are listed by line; all are counted."""


@dataclass(frozen=True, slots=True)
class Checked:
    """Rows of a file, and the bad ones among them: how many, and (line, reason) of the first MOST_LISTED."""

    rows: int = 0
    bad_rows: int = 0
    bad: tuple[tuple[int, BadRowReason], ...] = ()
    cut_off: bool = False


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file on the disk with its bad rows."""

    file: FinishedFile
    bad: tuple[tuple[int, BadRowReason], ...]


class BrokenOff(Exception):
    """The body ended early or cannot be unpacked; another try may help."""


def fetch(server: Server, wanted: ManifestFile, folder: Path) -> Fetched:
    """Raises Gone where its URL has expired, Refused, Unreachable, or ExportFailure for a full disk.

    A file that lacks rows, or ends within one, is fetched once more and then kept as it is; its report says so.
    """
    target = folder / ("" if wanted.kind == "output" else wanted.kind) / wanted.name
    part = target.with_name(f"{target.name}.part")
    for attempt in range(TRIES):
        try:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            size, sha256 = _streamed(server, wanted, part)
            found = checked(part, wanted.type)
            if attempt or not (found.cut_off or wanted.count not in (None, found.rows)):
                part.replace(target)
                file = FinishedFile(
                    kind=wanted.kind, name=wanted.name, type=wanted.type, size=size, sha256=sha256,
                    rows=found.rows, bad_rows=found.bad_rows, declared=wanted.count,
                )  # fmt: skip
                return Fetched(file, found.bad)
        except BrokenOff as error:
            if attempt == TRIES - 1:
                raise Unreachable(f"{wanted.name}: the file breaks off each time ({error})") from None
        except OSError as error:
            raise ExportFailure(f"{wanted.name}: cannot be written: {error.strerror}") from None
        server.waits.wait(None, attempt)
    raise AssertionError("the last try returns or raises")


def checked(path: Path, expected: str) -> Checked:
    """Every row of a file looked at. `expected`: the type of all, "" for any."""
    count = bad_rows = 0
    bad = list[tuple[int, BadRowReason]]()
    reason: BadRowReason | None = None
    for row in rows(path):
        count += 1
        reason = row.reason if isinstance(row, BadRow) else "other-type" if is_other(row, expected) else None
        if reason:
            bad_rows += 1
            if len(bad) < MOST_LISTED:
                bad.append((row.line, reason))
    return Checked(count, bad_rows, tuple(bad), cut_off=reason == "cut-off")


def is_other(row: Row, expected: str) -> bool:
    """Is it of another type than its file?"""
    return bool(expected) and resource_type(row.resource) != expected


def _streamed(server: Server, wanted: ManifestFile, part: Path) -> tuple[int, str]:
    """(bytes, sha256) of what was written."""
    digest, size = hashlib.sha256(), 0
    try:
        with (
            server.open("GET", wanted.url, wanted.name, headers={"accept": _ACCEPT}, token=wanted.token) as response,
            open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file,
        ):
            for piece in _pieces(response):
                file.write(piece)
                digest.update(piece)
                size += len(piece)
            file.flush()
            os.fsync(file.fileno())
    except httpx.HTTPError as error:
        raise BrokenOff(type(error).__name__) from None
    except Refused as refused:
        # A signed URL that ran out answers 403 or 400 as often as 404 or 410.
        says_no = 400 <= refused.status < 500 and refused.status not in LATER
        if not wanted.token and says_no and not isinstance(refused, Gone):
            raise Gone(f"{wanted.name}: the server answers {refused.status}", refused.status) from None
        raise
    return size, digest.hexdigest()


def _pieces(response: httpx.Response) -> Iterator[bytes]:
    """The body in bounded pieces, gzip undone (some stores send nothing else)."""
    encoding = response.headers.get("content-encoding", "identity").lower()
    if encoding == "identity":
        yield from response.iter_raw(_PIECE)
        return
    if encoding != "gzip":
        raise ExportFailure("a file comes in a compression other than gzip")
    unpack = zlib.decompressobj(wbits=31)
    for packed in response.iter_raw(64 * 1024):
        yield from _unpacked(unpack, packed)
    if not unpack.eof:
        raise BrokenOff("gzip")


def _unpacked(unpack: zlib._Decompress, packed: bytes) -> Iterator[bytes]:
    try:
        while packed:
            yield unpack.decompress(packed, _PIECE)
            packed = unpack.unconsumed_tail
    except zlib.error:
        raise BrokenOff("gzip") from None
