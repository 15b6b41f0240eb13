"""One chain on this machine's disk: entries are here, flushed to the medium, before their requests are answered.

Knows files, locks and what a crash leaves behind; not what a record says, nor the database that takes entries over.
Blocking; one thread at a time. A chain is a folder that one living process holds locked:

    <audit_folder>/<chain>/lock              held while a process writes this chain
                          /head.json         the last entry that the database has taken over
                          /000000000017.ndjson   entries from number 17 on, not yet taken over

The operating system drops the lock of a killed process, so the next one to start goes on with its chain.
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

import orjson

from cds_hooks.audit.chain import ChainKeys, Entry, Head
from nlp_core.durable_files import flush_names, write_whole
from worker.json_log import log_event

log = logging.getLogger("dxspan.audit")

SEGMENT_BYTES = 4 * 2**20
"""A file that has grown to this is closed, so that whoever delivers it holds little in memory."""
_LOCK, _HEAD, _SEGMENTS = "lock", "head.json", "*.ndjson"


class Damaged(Exception):
    """A file of the chain cannot be read as entries; the folder is left as it is for a person to look at."""


class Spool:
    """A chain that this process writes."""

    def __init__(self, folder: Path, lock: int, keys: ChainKeys) -> None:
        """`folder`: the chain's own; `lock`: the descriptor that holds it. See `open_spool`. Raises Damaged."""
        self._folder = folder
        self._lock = lock
        self._keys = keys
        self._file: int | None = None
        self._size = 0
        for segment in segments(folder)[-1:]:
            _cut_torn_end(segment)
        self._closed = segments(folder)
        self._head = kept_head(folder) or Head()
        for segment in self._closed:
            for entry in read_segment(segment):
                self._head = entry.head

    @property
    def chain(self) -> str:
        return self._folder.name

    def append(self, bodies: Sequence[str]) -> None:
        """Adds one entry for each record; they are on the medium when it returns. Raises OSError, and adds none."""
        head, lines = self._head, []
        for body in bodies:
            entry = self._keys.following(self.chain, head, body)
            head = entry.head
            lines.append(entry.line())
        file = self._file if self._file is not None else self._next_segment()
        try:
            written = _write_all(file, b"".join(lines))
            os.fsync(file)
        except OSError:
            os.ftruncate(file, self._size)
            raise
        self._head, self._size = head, self._size + written
        if self._size >= SEGMENT_BYTES:
            self._close_segment()

    def to_deliver(self) -> Path | None:
        """The oldest file of entries, which nothing is added to any more; None when there are none."""
        if not self._closed:
            self._close_segment()
        return self._closed[0] if self._closed else None

    def delivered(self, segment: Path, head: Head) -> None:
        """The database has all of `segment`, whose last entry is `head`: note that, then let it go."""
        write_whole(self._folder / _HEAD, orjson.dumps(asdict(head)))
        segment.unlink()
        self._closed.remove(segment)

    def close(self) -> None:
        """Lets the chain go; another process may continue it."""
        self._close_segment()
        os.close(self._lock)

    def _next_segment(self) -> int:
        path = self._folder / f"{self._head.sequence + 1:012d}.ndjson"
        self._file, self._size = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o600), 0
        self._path = path
        flush_names(self._folder)
        return self._file

    def _close_segment(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
            if self._size:
                self._closed.append(self._path)
            else:
                self._path.unlink()


def open_spool(folder: Path, keys: ChainKeys) -> Spool:
    """The first chain under `folder` that nobody writes and whose key is the present one, else a new one.

    Raises OSError when the folder cannot be written.
    """
    for chain in chains(folder):
        spool = adopted(chain, keys) if keys.writes(chain.name) else None
        if spool:
            return spool
    chain = folder / keys.new_chain()
    chain.mkdir(parents=True, mode=0o700)
    flush_names(folder)
    spool = adopted(chain, keys)
    if not spool:
        raise OSError("a new chain is locked already")
    return spool


def adopted(chain: Path, keys: ChainKeys) -> Spool | None:
    """The chain in folder `chain`, locked; None when another process writes it or it is damaged."""
    lock = os.open(chain / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return Spool(chain, lock, keys)
    except BlockingIOError:
        os.close(lock)
        return None
    except Damaged as error:
        os.close(lock)
        log_event(log, "an audit file cannot be read", level=logging.ERROR, chain=chain.name, file=str(error))
        return None
    except OSError:
        os.close(lock)
        raise


def chains(folder: Path) -> list[Path]:
    """The folders of all chains."""
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def segments(chain: Path) -> list[Path]:
    """The files of entries of one chain, in order."""
    return sorted(chain.glob(_SEGMENTS))


def read_segment(segment: Path) -> Iterator[Entry]:
    """Its whole entries, in order. Raises Damaged."""
    with segment.open("rb") as file:
        yield from read_entries(file)


def read_entries(file: BinaryIO) -> Iterator[Entry]:
    """As read_segment; a last line without an end was never acknowledged to anybody."""
    for line in file:
        if not line.endswith(b"\n"):
            return
        try:
            yield Entry.from_line(line)
        except ValueError:
            raise Damaged(Path(file.name).name) from None


def kept_head(chain: Path) -> Head | None:
    """The last entry of `chain` that a database took over, as this machine saw it. Raises Damaged."""
    with suppress(FileNotFoundError):
        try:
            return Head(**orjson.loads((chain / _HEAD).read_bytes()))
        except (ValueError, TypeError):
            raise Damaged(_HEAD) from None
    return None


def _cut_torn_end(segment: Path) -> None:
    content = segment.read_bytes()
    whole = content.rfind(b"\n") + 1
    if not whole:
        segment.unlink()
    elif whole < len(content):
        os.truncate(segment, whole)


def _write_all(file: int, data: bytes) -> int:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]
    return len(data)
