"""The first pass: every row of a folder into the index, file by file, on from where a killed run ended.

Knows files, progress and what makes a folder unfit: patients who are still named, files that are packed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tqdm import tqdm

from nlp_core.fhir_fields import Json, items, resource_type, words
from training.deidentify.coded_fields import PSEUDONYMISED
from training.ndjson_rows import BadRow, Row, ndjson_files, rows
from training.prepare.chart_index import ChartIndex
from training.prepare.coded_labels import CodedLabels

_KEPT_EVERY = 20_000
"""Rows after which the index goes to the disk."""
_NOT_DATA = frozenset({"log.ndjson"})
_NAMING = ("name", "telecom", "address", "photo", "contact")
"""Elements of a Patient that say who it is."""


def index_folder(folder: Path, index: ChartIndex, labels: CodedLabels, *, allow_identified: bool) -> bool:
    """True when anything was new. Raises ValueError naming file and line for what must not go on."""
    files = [path for path in ndjson_files(folder) if path.name not in _NOT_DATA]
    packed = [path.name for path in files if path.suffix == ".gz"]
    if packed:
        raise ValueError(f"{folder / packed[0]} is packed: `dxspan-train export --from {folder}` unpacks")
    if not files:
        raise ValueError(f"{folder} holds no .ndjson files")
    new = False
    sizes = sum(path.stat().st_size for path in files)
    with tqdm(total=sizes, desc="index", unit="B", unit_scale=True, disable=None) as bar:
        for path in files:
            new = _index_file(path, index, labels, bar, allow_identified) or new
    return _forget_deleted(folder / "deleted", index) or new


def _index_file(path: Path, index: ChartIndex, labels: CodedLabels, bar: Any, allow_identified: bool) -> bool:
    found = path.stat()
    mark = f"{found.st_size} {found.st_mtime_ns}"
    begun = index.begun(path.name, mark)
    if begun is None:
        bar.update(found.st_size)
        return False
    offset, line = begun
    bar.update(offset)
    for row in rows(path, offset=offset, line=line):
        reason = row.reason if isinstance(row, BadRow) else index.add(row, path.name, labels)
        if reason:
            index.note_bad(path.name, row.line, reason)
        if isinstance(row, Row) and not allow_identified:
            _refuse_named(row, path)
        bar.update(row.offset + row.size - offset)
        offset, line = row.offset + row.size, row.line
        if line % _KEPT_EVERY == 0:
            index.keep(path.name, mark, offset, line, done=False)
    index.keep(path.name, mark, offset, line, done=True)
    return True


def _refuse_named(row: Row, path: Path) -> None:
    if resource_type(row.resource) != "Patient" or _has_surrogates(row.resource):
        return
    if any(_says(row.resource, name) for name in _NAMING):
        raise ValueError(
            f"{path}, line {row.line}: the patient is still named. Run `dxspan-train deidentify` first; "
            "--allow-identified goes on all the same, and what is learned from may then hold names"
        )


def _has_surrogates(patient: Json) -> bool:
    labels = items(patient.get("meta"))
    return any(
        {"system": one.get("system"), "code": one.get("code")} == PSEUDONYMISED
        for meta in labels
        for one in items(meta.get("security"))
    )


def _says(patient: Json, name: str) -> bool:
    """Does the element hold any text beyond a country or state?"""
    kept = ("country", "state", "use", "system", "type", "extension")
    return any(
        words(text)
        for entry in items(patient.get(name))
        for key, value in entry.items()
        if key not in kept
        for text in (value if isinstance(value, list) else [value])
    )


def _forget_deleted(folder: Path, index: ChartIndex) -> bool:
    """What an export with `_since` says is deleted at the server."""
    forgotten = False
    for path in ndjson_files(folder) if folder.is_dir() else ():
        for row in rows(path):
            for entry in items(row.resource.get("entry")) if isinstance(row, Row) else ():
                request = entry.get("request")
                if isinstance(request, dict) and words(request.get("method")).upper() == "DELETE":
                    index.delete(words(request.get("url")).lstrip("/"))
                    forgotten = True
    index.database.commit()
    return forgotten
