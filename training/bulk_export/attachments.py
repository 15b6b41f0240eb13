"""The texts behind a document's URL, fetched as Binary resources beside the export.

Input : DocumentReference and DiagnosticReport files whose attachments are `Binary/<id>` at the exporting server
Output: FOLDER/Binary.attachments.ndjson, a Binary a row; what cannot be had is listed by file and line
Many servers export notes by reference alone; without this there would be none. Knows which attachments may be text, and asks
only the server itself, by id. A killed run goes on behind the last whole row.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import httpx
import orjson
from tqdm import tqdm

from nlp_core.attachments import preference
from nlp_core.fhir_fields import item, items, words
from nlp_core.fhir_references import References
from nlp_core.unreadable import Unreadable
from training.bulk_export.failures import ExportFailure, Refused, Unreachable
from training.bulk_export.report import note_bad_rows
from training.bulk_export.server import Server
from training.bulk_export.state import ExportState, write_state
from training.ndjson_rows import Row, rows

FILE = "Binary.attachments.ndjson"
LARGEST = 8 * 1024 * 1024
"""Bytes of one attachment."""
_TOGETHER = 64
_NOT_HAD = "attachment-not-available"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One attachment, and where it is asked for."""

    identity: str
    content_type: str
    file: str
    line: int


def fetch_attachments(server: Server, folder: Path, state: ExportState, parallel: int) -> int:
    """Returns how many are on the disk. Raises ExportFailure where the server cannot be asked at all."""
    path = folder / FILE
    with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file, ThreadPoolExecutor(parallel) as pool:
        known = _known(path, file)
        missing = (one for one in _wanted(folder) if one.identity not in known)
        with tqdm(desc="attachments", unit="file", disable=None) as bar:
            while batch := list({one.identity: one for one in islice(missing, _TOGETHER)}.values()):
                for one, row in zip(batch, pool.map(lambda one: _fetched(server, one), batch), strict=True):
                    known.add(one.identity)
                    if row:
                        file.write(row)
                        state.attachments += 1
                    else:
                        note_bad_rows(folder, state, one.file, [(one.line, _NOT_HAD)])
                    bar.update()
                file.flush()
                write_state(folder, state)
    if not path.stat().st_size:
        path.unlink()
    return state.attachments


def _known(path: Path, file: BinaryIO) -> set[str]:
    """Ids of what an earlier run has fetched; a row it broke off in is cut away."""
    known, end = set[str](), 0
    for row in rows(path):
        if isinstance(row, Row):
            known.add(words(row.resource.get("id"), 129))
            end = row.offset + row.size
    file.truncate(end)
    file.seek(end)
    return known


def _wanted(folder: Path) -> Iterator[Wanted]:
    for path in sorted([*folder.glob("DocumentReference.*.ndjson"), *folder.glob("DiagnosticReport.*.ndjson")]):
        for row in rows(path):
            for attachment in _attachments(row) if isinstance(row, Row) else ():
                handle = References().handle(words(attachment.get("url"), 2000))
                if handle.startswith("Binary/") and not attachment.get("data") and _may_be_text(attachment):
                    content_type = words(attachment.get("contentType"), 100)
                    yield Wanted(handle.removeprefix("Binary/"), content_type, path.name, row.line)


def _attachments(row: Row) -> list[dict[str, object]]:
    inside = [item(content.get("attachment")) for content in items(row.resource.get("content"))]
    return [*inside, *items(row.resource.get("presentedForm"))]


def _may_be_text(attachment: dict[str, object]) -> bool:
    try:
        preference(attachment)
    except Unreadable:
        return False
    return True


def _fetched(server: Server, wanted: Wanted) -> bytes | None:
    """A row of NDJSON; None where the server does not give it."""
    accept = wanted.content_type if wanted.content_type.isascii() and "/" in wanted.content_type else "*/*"
    url = f"{server.base}/Binary/{wanted.identity}"
    body = bytearray()
    try:
        with server.open("GET", url, "an attachment", headers={"accept": f"{accept}, */*;q=0.5"}) as response:
            if response.headers.get("content-encoding", "identity").lower() != "identity":
                return None
            for piece in response.iter_raw(64 * 1024):
                body += piece
                if len(body) > LARGEST:
                    return None
            content_type = response.headers.get("content-type", "")
    except Refused as refused:
        if refused.status == 401:
            raise ExportFailure("the server takes no token for attachments") from None
        return None
    except (httpx.HTTPError, Unreachable):
        return None
    return _row(wanted, content_type, bytes(body))


def _row(wanted: Wanted, content_type: str, body: bytes) -> bytes | None:
    """Servers answer with the content itself or with a Binary as JSON."""
    found = {"resourceType": "Binary", "id": wanted.identity}
    if "json" in content_type:
        try:
            binary = orjson.loads(body)
        except orjson.JSONDecodeError:
            return None
        if not isinstance(binary, dict) or not isinstance(binary.get("data"), str):
            return None
        return orjson.dumps({**binary, **found}) + b"\n"
    data = base64.b64encode(body).decode()
    return orjson.dumps({**found, "contentType": wanted.content_type or content_type, "data": data}) + b"\n"
