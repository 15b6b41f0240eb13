"""A folder where rows wait for their database, through a kill and a restart.

Input and output: rows (feedback_rows). Knows files: one for each entry, written whole under another name and then
renamed, so that none is ever half there; sealed under `feedback_key` where there is one. Without a key the rows are
readable to whoever reads the folder; they hold no comment and no id of a patient then. Every call blocks; call from a
thread. Several processes may share a folder: delivering an entry twice does no harm.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import orjson

from cds_hooks.memory.feedback_rows import Row
from nlp_core.durable_files import write_whole
from worker.payloads import CannotOpen, Sealer

SUFFIX, ASIDE = ".rows", ".unreadable"
_SEALED, _PLAIN = b"sealed\n", b"plain\n"


class OutboxFull(Exception):
    """No more may wait here."""


class Unreadable(Exception):
    """The entry was sealed under another key, or is no entry."""


class Outbox:
    """Entries by name; names sort by age."""

    def __init__(self, folder: Path, *, sealer: Sealer | None, most_bytes: int) -> None:
        self._folder = folder
        self._sealer = sealer
        self._most_bytes = most_bytes
        self._bytes: int | None = None
        """Of all entries; None before the folder was looked at."""
        self._counting = threading.Lock()

    def put(self, rows: Sequence[Row], *, safe: bool) -> str:
        """The name of a new entry. Raises OutboxFull or OSError.

        `safe`: on the disk when this returns; otherwise it outlives this process, but not a loss of power.
        """
        name = f"{time.time_ns():020d}-{uuid4().hex}{SUFFIX}"
        content = self._written(name, rows)
        self._take_room(len(content))
        try:
            self._write(name, content, safe=safe)
        except OSError:
            self._take_room(-len(content))
            raise
        return name

    def names(self, *, older_than: float = 0) -> list[str]:
        """Entries, oldest first, at least `older_than` seconds old. Nothing where the folder cannot be read."""
        until = time.time_ns() - int(older_than * 1e9)
        with suppress(OSError):
            return sorted(
                path.name
                for path in self._folder.iterdir()
                if path.suffix == SUFFIX and path.name.partition("-")[0] <= f"{until:020d}"
            )
        return []

    def rows(self, name: str) -> list[Row]:
        """What waits under `name`; nothing when another process has delivered it. Raises Unreadable or OSError."""
        try:
            content = (self._folder / name).read_bytes()
        except FileNotFoundError:
            return []
        try:
            return [Row(**one) for one in orjson.loads(self._opened(name, content))]
        except (CannotOpen, ValueError, TypeError):
            raise Unreadable("sealed under another key, or not an entry") from None

    def remove(self, names: Iterable[str]) -> None:
        """These are delivered. An entry that cannot be removed is delivered again, which does no harm."""
        for name in names:
            with suppress(OSError):
                path = self._folder / name
                size = path.stat().st_size
                path.unlink()
                self._take_room(-size)

    def set_aside(self, name: str) -> None:
        """Keep the entry for the operator to look at, and try it no more."""
        with suppress(OSError):
            (self._folder / name).rename(self._folder / (name + ASIDE))

    def _write(self, name: str, content: bytes, *, safe: bool) -> None:
        try:
            write_whole(self._folder / name, content, safe=safe)
        except FileNotFoundError:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_whole(self._folder / name, content, safe=safe)

    def _take_room(self, size: int) -> None:
        with self._counting:
            if self._bytes is None:
                self._bytes = self._all_bytes()
            if size > 0 and self._bytes + size > self._most_bytes:
                self._bytes = self._all_bytes()  # other processes may have delivered some
                if self._bytes + size > self._most_bytes:
                    raise OutboxFull
            self._bytes = max(self._bytes + size, 0)

    def _all_bytes(self) -> int:
        total = 0
        for name in self.names():
            with suppress(OSError):
                total += (self._folder / name).stat().st_size
        return total

    def _written(self, name: str, rows: Sequence[Row]) -> bytes:
        content = orjson.dumps(list(rows))
        return _SEALED + self._sealer.seal(content, "outbox", name) if self._sealer else _PLAIN + content

    def _opened(self, name: str, content: bytes) -> bytes:
        if content.startswith(_PLAIN):
            return content.removeprefix(_PLAIN)
        if not content.startswith(_SEALED) or not self._sealer:
            raise CannotOpen("no key")
        return self._sealer.open(content.removeprefix(_SEALED), "outbox", name)
