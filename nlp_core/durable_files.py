"""Files that are whole or not there, through a kill and, where asked, through a loss of power.

Knows names, the medium and what a crash leaves behind; not what a file says. Blocking.
"""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(path: Path, content: bytes, *, safe: bool = True, mode: int = 0o600) -> None:
    """Puts `content` at `path` under another name first, so that nobody ever reads half of it.

    `safe`: on the medium when this returns; otherwise it outlives this process, but not a loss of power. Raises OSError,
    and leaves `path` as it was.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        with open(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(content)
            file.flush()
            if safe:
                os.fsync(descriptor)
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    if safe:
        flush_names(path.parent)


def flush_names(folder: Path) -> None:
    """A new or renamed file is safe only when its folder's list of names is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
