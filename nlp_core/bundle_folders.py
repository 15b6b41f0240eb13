"""A folder made whole before it is seen: written aside, renamed into place, cleaned up whatever happens.

Knows folders, renames and full disks. Does not know what a bundle holds (compose_bundle).
"""

from __future__ import annotations

import errno
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nlp_core.bundle_errors import ComposeError, DiskFull
from nlp_core.bundle_manifest import MANIFEST

_TEMPORARY = ".composing-"
_SPARE = 1 << 20
_ABANDONED = 3600.0
"""Seconds after which a temporary folder belongs to no living process."""


@contextmanager
def folder_aside(target: Path) -> Iterator[Path]:
    """An empty folder beside `target`, gone afterwards unless renamed.

    Raises DiskFull or ComposeError for any OSError inside.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=_TEMPORARY, dir=target.parent))
        try:
            folder.chmod(0o755)  # mkdtemp makes it private; the service may run as another user
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(f"no room left while composing the model bundle in {target.parent}") from error
        raise ComposeError(f"cannot compose the model bundle at {target}: {error.strerror or error}") from error


def require_space(folder: Path, size: int) -> None:
    """Raises DiskFull where less than `size` bytes and a little more are free."""
    if shutil.disk_usage(folder).free < size + _SPARE:
        raise DiskFull(f"composing needs {size >> 20} MB in {folder.parent}, more than is free")


def put_in_place(folder: Path, target: Path, is_whole: Callable[[], bool]) -> None:
    """Renames `folder` to `target`; a whole target that another process put there first stays, a damaged one goes."""
    with suppress(OSError):
        folder.rename(target)
        return
    if is_whole():
        return
    with folder_aside(target) as aside:
        target.rename(aside / "damaged")
        folder.rename(target)


def remove_older(target: Path) -> None:
    """Bundles of earlier contents beside `target`, and what a killed set-up left behind.

    A process that has one open keeps its files until it ends.
    """
    for path in target.parent.iterdir():
        if path.name.startswith(_TEMPORARY):
            gone = time.time() - path.stat().st_mtime > _ABANDONED
        else:
            gone = path != target and (path / MANIFEST).is_file()
        if gone:
            shutil.rmtree(path, ignore_errors=True)
