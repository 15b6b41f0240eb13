"""Small exports and runs of `dxspan-train deidentify` on them, for the tests."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

KEY = "one key for all these tests, long enough"


def note(number: int, patient: str, text: str, **more: Any) -> dict[str, Any]:
    """A DocumentReference; `patient` is an id, `-` for nobody's."""
    data = base64.b64encode(text.encode()).decode()
    return {
        "resourceType": "DocumentReference", "id": f"note-{number}", "status": "current",
        "subject": {"reference": f"Patient/{patient}"} if patient != "-" else {}, "date": "2021-03-05T10:00:00+01:00",
        "content": [{"attachment": {"contentType": "text/plain", "data": data}}], **more,
    }  # fmt: skip


def write_lines(path: Path, found: Iterable[dict[str, Any]]) -> None:
    """One resource a line."""
    path.write_text("\n".join(map(json.dumps, found)))


def arguments(export: Path, out: Path, *more: str, profile: str = "expert-shift") -> list[str]:
    """Of a run; the key lies beside the export."""
    return [
        "deidentify",
        "--in",
        str(export),
        "--out",
        str(out),
        "--key-file",
        str(export.parent / "key"),
        "--profile",
        profile,
        "--as-of",
        "2026-01-01",
        *more,
    ]


def resources(folder: Path) -> list[dict[str, Any]]:
    """All of a folder, file by file."""
    return [json.loads(line) for path in sorted(folder.iterdir()) for line in path.read_text().splitlines()]


def everything(found: Any) -> str:
    """All words of some resources, attachments decoded."""
    if isinstance(found, dict):
        return " ".join(
            base64.b64decode(inner).decode() if key == "data" else everything(inner) for key, inner in found.items()
        )
    return " ".join(map(everything, found)) if isinstance(found, list) else str(found)
