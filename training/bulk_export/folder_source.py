"""An export from files that are there already: NDJSON, Bundles, single resources, packed or not.

Input : a folder with `.ndjson`, `.ndjson.gz` and `.json` files, in any mix of types, also in folders below it
Output: FOLDER/<Type>.<nnn>.ndjson, as a server's export would be, the good rows alone; bad ones are listed by file and line
Streams NDJSON of any size; a `.json` file is one document and held in memory, up to LARGEST_DOCUMENT. A killed run goes on
with the next file.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

import orjson
from tqdm import tqdm

from nlp_core.fhir_fields import Json, item, items, resource_type
from training.bulk_export.failures import ExportFailure
from training.bulk_export.report import note_bad_rows
from training.bulk_export.state import ExportState, FinishedFile, write_state
from training.ndjson_rows import ENDINGS, BadRow, rows

LARGEST_DOCUMENT = 1024 * 1024 * 1024
ROLLED_AT = 512 * 1024 * 1024
"""Bytes after which a type goes on in a further file, so that later steps can share the work."""
KEPT_EVERY_SECONDS = 5.0
_NOT_DATA = frozenset({"log.ndjson"})
"""Written by export clients beside the data."""


class _Output:
    """The newest file of one type."""

    def __init__(self, folder: Path, kind: str, known: FinishedFile | None, place: int) -> None:
        self.kind, self.place = kind, place
        self.name = f"{kind}.{place:03}.ndjson"
        self.rows = known.rows if known else 0
        size = known.size if known else 0
        path = folder / self.name
        self.file: BinaryIO = open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")  # noqa: SIM115  # FolderExport closes it
        self.file.truncate(size)  # what a killed run wrote of a source that it did not finish
        self.digest = hashlib.sha256()
        self.file.seek(0)
        while piece := self.file.read(1024 * 1024):
            self.digest.update(piece)
        self.size = size

    def write(self, resource: Json) -> None:
        line = orjson.dumps(resource) + b"\n"
        self.file.write(line)
        self.digest.update(line)
        self.size += len(line)
        self.rows += 1

    def finished(self) -> FinishedFile:
        self.file.flush()
        os.fsync(self.file.fileno())
        return FinishedFile(
            kind="output",
            name=self.name,
            type=self.kind,
            size=self.size,
            sha256=self.digest.hexdigest(),
            rows=self.rows,
        )


class FolderExport:
    """Takes over one folder into another."""

    def __init__(self, source: Path, folder: Path, state: ExportState) -> None:
        self._source, self._folder, self._state = source, folder, state
        self._outputs: dict[str, _Output] = {}
        self._open = ExitStack()
        self._kept = time.monotonic()

    def run(self) -> None:
        """Raises ExportFailure where the folder holds nothing to take, or the disk is full."""
        found = sources(self._source, self._folder)
        if not found:
            raise ExportFailure(f"{self._source} holds no .ndjson, .ndjson.gz or .json files")
        try:
            with self._open, tqdm(found, desc="files", unit="file", disable=None) as bar:
                for path in bar:
                    name, mark = str(path.relative_to(self._source)), _mark(path)
                    if self._state.sources.get(name) != mark:
                        self._take(path, name)
                        self._state.sources[name] = mark
                        self._keep(unless_within=KEPT_EVERY_SECONDS)
                self._state.complete = True
                self._keep()
        except OSError as error:
            raise ExportFailure(f"cannot go on: {error.strerror}") from None

    def _take(self, path: Path, name: str) -> None:
        bad: list[tuple[int, str]] = []
        for line, found in _resources(path):
            for resource in _flat(found) if isinstance(found, dict) else ():
                if resource_type(resource):
                    self._output(resource_type(resource)).write(resource)
                else:
                    bad.append((line, "no-resource-type"))
            if isinstance(found, str):
                bad.append((line, found))
        note_bad_rows(self._folder, self._state, name, bad)
        self._state.bad_sources[name] = len(bad)

    def _output(self, kind: str) -> _Output:
        output = self._outputs.get(kind)
        if output is None:
            known = [file for file in self._state.files.values() if file.type == kind and file.kind == "output"]
            place = max(len(known) - 1, 0)
            output = self._opened(kind, known[place] if known else None, place)
        elif output.size >= ROLLED_AT:
            self._state.files[output.name] = output.finished()
            output = self._opened(kind, None, output.place + 1)
        return output

    def _opened(self, kind: str, known: FinishedFile | None, place: int) -> _Output:
        output = self._outputs[kind] = _Output(self._folder, kind, known, place)
        self._open.callback(output.file.close)
        return output

    def _keep(self, *, unless_within: float = 0.0) -> None:
        """Notes how far it has come, at most every `unless_within` seconds: a folder may hold a file per patient."""
        if time.monotonic() - self._kept < unless_within:
            return
        for output in self._outputs.values():
            self._state.files[output.name] = output.finished()
        write_state(self._folder, self._state)
        self._kept = time.monotonic()


def sources(folder: Path, apart_from: Path) -> list[Path]:
    """The files of data in and below `folder`, by name. Raises ExportFailure where there is no such folder."""
    if not folder.is_dir():
        raise ExportFailure(f"{folder} is no folder")
    out = apart_from.resolve()
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and path.name.endswith((*ENDINGS, ".json")) and path.name not in _NOT_DATA
        if not path.resolve().is_relative_to(out)
    )


def _mark(path: Path) -> str:
    found = path.stat()
    return f"{found.st_size} {found.st_mtime_ns}"


def _resources(path: Path) -> Iterator[tuple[int, Json | str]]:
    """(line, resource), or (line, reason) for what is none. A `.json` file counts as one line."""
    if path.name.endswith(ENDINGS):
        for row in rows(path):
            yield (row.line, row.reason) if isinstance(row, BadRow) else (row.line, row.resource)
        return
    if path.stat().st_size > LARGEST_DOCUMENT:
        yield 1, "too-long"
        return
    try:
        found: Any = orjson.loads(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        yield 1, "not-json"
        return
    if isinstance(found, dict) and not resource_type(found):
        return  # a manifest or a log beside the data: no FHIR
    for entry in found if isinstance(found, list) else [found]:
        yield 1, entry if isinstance(entry, dict) else "no-object"


def _flat(resource: Json, depth: int = 0) -> Iterator[Json]:
    """A Bundle's resources, whatever it is nested in; anything else as it is."""
    if resource_type(resource) != "Bundle" or depth > 4:
        yield resource
        return
    for entry in items(resource.get("entry")):
        if item(entry.get("resource")):
            yield from _flat(_named(item(entry["resource"]), entry.get("fullUrl")), depth + 1)


def _named(resource: Json, full_url: object) -> Json:
    """Transaction Bundles name their resources by `urn:uuid:` alone; references by that name must still find them."""
    if resource.get("id") or not isinstance(full_url, str) or not full_url.lower().startswith("urn:uuid:"):
        return resource
    return {**resource, "id": full_url[9:]}
