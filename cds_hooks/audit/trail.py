"""Keeps a record of every request: on this machine's disk before the answer leaves, in the database soon after.

Knows the order of things: seal, chain, flush, acknowledge, deliver. The disk part is spool's, the database's
store's. A database that is away costs nothing but disk; a disk that cannot be written is the caller's to answer
for (NotOnDisk), and what it refused is written as soon as it takes something again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from cds_hooks.audit.chain import ChainKeys, Entry, audit_keys
from cds_hooks.audit.record import AuditRecord
from cds_hooks.audit.spool import Spool, adopted, chains, open_spool, read_segment
from cds_hooks.group_commit import GroupCommit
from cds_hooks.settings import Settings, in_memory
from cds_hooks.watch import AUDIT_ENTRIES, AUDIT_FAILURES

log = logging.getLogger("dxspan.audit")

DELIVER_SECONDS = 0.5
"""Between looks at whether there is something to deliver."""
ADOPT_EVERY = 60
"""Looks between two at whether a killed process left a chain behind; the first look is one of them."""
CLOSE_SECONDS = 3.0
"""What the last delivery may take; what is left is the next start's."""
MOST_OWED = 10_000
"""Records remembered while the disk refuses them."""
ResultT = TypeVar("ResultT")


class NotOnDisk(Exception):
    """The record is on no disk; it is remembered, and written when that is possible again."""


class EntryStore(Protocol):
    """Where entries end up (store)."""

    def add(self, entries: Sequence[Entry]) -> None: ...

    def close(self) -> None: ...


class AuditTrail:
    """The audit trail of one web process."""

    def __init__(self, folder: Path, keys: ChainKeys, open_store: Callable[[], EntryStore] | None) -> None:
        """`open_store`: opens the database, in a thread; None = entries stay in `folder`."""
        self._folder = folder
        self._keys = keys
        self._open_store = open_store
        self._store: EntryStore | None = None
        self._spool: Spool | None = None
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="audit")
        self._group = GroupCommit(self._write, seconds=0)
        self._owed: list[AuditRecord] = []
        self._refused = False
        self._delivering = asyncio.Lock()
        self._away = False

    async def keep(self, record: AuditRecord) -> None:
        """Returns when `record` is on the medium. Raises NotOnDisk."""
        await self._group.add([record])

    async def ready(self) -> bool:
        """True when a record could be kept now, as far as is known."""
        return not self._refused

    async def run(self) -> None:
        """Delivers what is kept, for as long as the process serves."""
        looks = 0
        while True:
            if looks == 0 or self._refused:  # at start too, so that a folder that cannot be written is named then
                with suppress(NotOnDisk):
                    await self._group.add([])
            await self._deliver(adopt=looks % ADOPT_EVERY == 0)
            looks += 1
            await asyncio.sleep(DELIVER_SECONDS)

    async def close(self) -> None:
        """Delivers the rest, if that takes no more than a moment, and lets the chain go."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._deliver(adopt=False)
        if self._spool:
            await self._on_disk(self._spool.close)
        self._disk.shutdown(wait=False)
        if self._store:
            await asyncio.to_thread(self._store.close)

    async def _write(self, records: Sequence[AuditRecord]) -> None:
        """One group and whatever is owed; never two at once."""
        records = [*self._owed, *records]
        try:
            await self._on_disk(lambda: self._append(records))
        except OSError:
            AUDIT_FAILURES.inc()
            if not self._refused:
                log.exception("the audit trail cannot be written (DXSPAN_AUDIT_FOLDER)")
            self._refused = True
            self._owed = [record.unkept() for record in records][-MOST_OWED:]
            raise NotOnDisk from None
        self._owed, self._refused = [], False
        AUDIT_ENTRIES.labels("kept").inc(len(records))

    def _append(self, records: Sequence[AuditRecord]) -> None:
        bodies = [record.model_dump_json(exclude_defaults=True) for record in records]
        try:
            self._spool = self._spool or open_spool(self._folder, self._keys)
            if bodies:
                self._spool.append(bodies)
        except OSError:
            self._let_go()
            raise

    def _let_go(self) -> None:
        """After a fault the chain is read from disk anew: what is there is what counts."""
        if self._spool:
            with suppress(OSError):
                self._spool.close()
            self._spool = None

    async def _deliver(self, *, adopt: bool) -> None:
        if self._open_store is None:
            return
        async with self._delivering:
            try:
                if adopt:
                    await self._deliver_left_behind()
                if self._spool:
                    await self._deliver_spool(self._spool)
            except Exception:
                # Of any kind: whatever keeps the database from taking entries, they wait on disk.
                if not self._away:
                    log.exception("audit entries wait on disk: the database (DXSPAN_AUDIT_DATABASE_URL) takes none")
                self._away = True
            else:
                self._away = False

    async def _deliver_left_behind(self) -> None:
        """What processes left that were killed, or stopped while the database was away."""
        for chain in await self._on_disk(lambda: chains(self._folder)):
            spool = await self._on_disk(partial(adopted, chain, self._keys))
            if spool:
                try:
                    await self._deliver_spool(spool)
                finally:
                    await self._on_disk(spool.close)

    async def _deliver_spool(self, spool: Spool) -> None:
        while segment := await self._on_disk(spool.to_deliver):
            entries = await asyncio.to_thread(_entries, segment)
            if entries:
                await asyncio.to_thread(self._add, entries)
                await self._on_disk(partial(spool.delivered, segment, entries[-1].head))
                AUDIT_ENTRIES.labels("delivered").inc(len(entries))

    def _add(self, entries: Sequence[Entry]) -> None:
        if self._store is None and self._open_store:
            self._store = self._open_store()
        if self._store:
            self._store.add(entries)

    async def _on_disk(self, work: Callable[[], ResultT]) -> ResultT:
        """In the one thread that touches the chain's files."""
        return await asyncio.get_running_loop().run_in_executor(self._disk, work)


def _entries(segment: Path) -> list[Entry]:
    return list(read_segment(segment))


def trail_of(settings: Settings) -> AuditTrail:
    """The audit trail of a web process."""
    key = settings.audit_key.get_secret_value() if settings.audit_key else None
    url = database_url(settings)
    return AuditTrail(settings.audit_folder, ChainKeys(audit_keys(key)), (lambda: _opened(url)) if url else None)


def database_url(settings: Settings) -> str | None:
    """Where entries end up; None for a database in memory, which would lose them: they stay on disk."""
    url = (settings.audit_database_url or settings.feedback_database_url).get_secret_value()
    return None if in_memory(url) else url


def _opened(url: str) -> EntryStore:
    from cds_hooks.audit.store import AuditStore  # half a second, which the start need not wait for
    from cds_hooks.database import open_engine

    return AuditStore.made(open_engine(url))
