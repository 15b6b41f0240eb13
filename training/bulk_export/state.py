"""How far an export has come, in a file of its folder: what a killed run goes on from.

Knows names, sizes and checksums. Holds the status URL, which may be as good as a password: the file is its owner's alone.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from nlp_core.durable_files import write_whole
from training.bulk_export.failures import ExportFailure

STATE = "export-state.json"


class FinishedFile(BaseModel):
    """A file that is whole on the disk."""

    model_config = ConfigDict(frozen=True)

    kind: str
    name: str
    type: str = ""
    size: int
    sha256: str
    rows: int
    bad_rows: int = 0
    declared: int | None = None
    """Rows that the manifest promised."""

    @property
    def path(self) -> str:
        """Below the export's folder."""
        return self.name if self.kind == "output" else f"{self.kind}/{self.name}"


class ExportState(BaseModel):
    """One export."""

    version: int = 1
    request: str
    """What was asked for, and of which server or folder."""
    status_url: str = ""
    transaction_time: str = ""
    expires: str = ""
    files: dict[str, FinishedFile] = {}
    """By path."""
    sources: dict[str, str] = {}
    """Files of a folder that are taken over: name -> size and time."""
    bad_sources: dict[str, int] = {}
    """Files of a folder -> bad rows in them, which were not taken."""
    bad_rows_size: int = 0
    """Bytes of the list of bad rows that belong to finished files."""
    attachments: int = 0
    """Texts behind URLs that were fetched as Binary resources."""
    complete: bool = False


def read_state(folder: Path) -> ExportState | None:
    """None where there is none. Raises ExportFailure for one that cannot be read."""
    try:
        return ExportState.model_validate_json((folder / STATE).read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError:
        raise ExportFailure(f"{folder / STATE} cannot be read: begin anew in another folder") from None


def write_state(folder: Path, state: ExportState) -> None:
    """Whole or not at all."""
    write_whole(folder / STATE, state.model_dump_json(indent=1).encode())


def is_whole(folder: Path, file: FinishedFile) -> bool:
    """Is it still on the disk as it was written?"""
    path = folder / file.path
    if not path.is_file() or path.stat().st_size != file.size:
        return False
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest() == file.sha256
