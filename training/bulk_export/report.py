"""What an export brought, for people and for the next program: export-report.json and bad-rows.tsv beside the files.

Knows file names, counts, fixed words. Neither holds a word of a row or an address.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from nlp_core.durable_files import write_whole
from nlp_core.fhir_codes import code_of
from nlp_core.fhir_fields import items, words
from training.bulk_export.state import ExportState, FinishedFile
from training.ndjson_rows import Row, rows

REPORT, BAD_ROWS = "export-report.json", "bad-rows.tsv"
_SEVERITIES = frozenset({"fatal", "error", "warning", "information", "success"})


def note_bad_rows(folder: Path, state: ExportState, path: str, bad: Iterable[tuple[int, str]]) -> None:
    """Adds lines `file, line, reason` to the list, behind what the state counts as written."""
    with open(os.open(folder / BAD_ROWS, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as listed:
        listed.truncate(state.bad_rows_size)  # what a killed run noted of a file that it did not finish
        listed.seek(0, os.SEEK_END)
        listed.writelines(f"{path}\t{line}\t{reason}\n".encode() for line, reason in bad)
        state.bad_rows_size = listed.tell()


def write_report(folder: Path, state: ExportState) -> None:
    """export-report.json."""
    page = {
        "transaction_time": state.transaction_time,
        "complete": state.complete,
        "attachments": state.attachments,
        "files": [{"path": file.path, **file.model_dump(exclude={"kind", "name"})} for file in _ordered(state)],
        "bad_rows": {**{file.path: file.bad_rows for file in _ordered(state)}, **state.bad_sources},
        "server_messages": dict(server_messages(folder, state)),
        "missing_rows": {file.path: [file.declared, file.rows] for file in _ordered(state) if is_short(file)},
    }
    write_whole(folder / REPORT, json.dumps(page, indent=1).encode() + b"\n")


def is_short(file: FinishedFile) -> bool:
    """Does the file hold another number of rows than the manifest promised?"""
    return file.declared is not None and file.declared != file.rows


def server_messages(folder: Path, state: ExportState) -> Counter[str]:
    """`error/not-found` -> how often the server's error files say so; their free text is not repeated."""
    said: Counter[str] = Counter()
    for file in state.files.values():
        if file.kind != "error":
            continue
        for row in rows(folder / file.path):
            for issue in items(row.resource.get("issue")) if isinstance(row, Row) else ():
                severity, code = words(issue.get("severity")).lower(), code_of(issue.get("code"))
                known = code.replace("-", "").isalpha() and len(code) <= 40
                said[f"{severity if severity in _SEVERITIES else 'unknown'}/{code if known else 'unknown'}"] += 1
    return said


def summary(folder: Path, state: ExportState) -> Iterator[str]:
    """Lines for the console."""
    by_type: Counter[str] = Counter()
    for file in state.files.values():
        if file.kind == "output":
            by_type[file.name.partition(".")[0]] += file.rows - file.bad_rows
    for kind, count in sorted(by_type.items()):
        yield f"{kind:24} {count:>12,} resources"
    bad = sum(file.bad_rows for file in state.files.values()) + sum(state.bad_sources.values())
    if state.attachments:
        yield f"{'Binary (attachments)':24} {state.attachments:>12,} resources"
    if bad:
        yield f"{bad:,} bad rows: {folder / BAD_ROWS} names file, line and reason"
    for file in filter(is_short, _ordered(state)):
        yield f"{file.path}: {file.rows:,} rows where the manifest promised {file.declared:,}"
    for said, count in sorted(server_messages(folder, state).items()):
        yield f"the server reports {said} {count:,} times: see {folder / 'error'}"
    deleted = sum(file.rows for file in state.files.values() if file.kind == "deleted")
    if deleted:
        yield f"{deleted:,} bundles of deletions: see {folder / 'deleted'}"


def _ordered(state: ExportState) -> list[FinishedFile]:
    return [state.files[path] for path in sorted(state.files)]
