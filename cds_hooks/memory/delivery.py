"""Brings rows to the feedback database, now or when it is back.

Knows what waits, where (outbox, else memory) and when to try again; not what a row is. At most one delivery runs at a
time; delivering the same rows twice does no harm, so after a kill whatever lies in the outbox is simply delivered.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import uuid4

from cds_hooks.group_commit import GroupCommit
from cds_hooks.memory.feedback import FEEDBACK_AWAY
from cds_hooks.memory.feedback_rows import Row
from cds_hooks.memory.late_feedback_store import LateFeedbackStore
from cds_hooks.memory.outbox import Outbox, OutboxFull, Unreadable
from cds_hooks.operation_outcome import CannotKeep, Unavailable
from cds_hooks.watch import FEEDBACK_LOST, OUTBOX_ENTRIES
from worker.json_log import log_event

log = logging.getLogger("dxspan.feedback")

GROUP_SECONDS = 0.2
"""Cards shown within this time are written in one transaction: a transaction for each cost more than its answer."""
WRITE_SECONDS = 2.0
OPEN_SECONDS = 5.0
"""Opening imports a library, which takes a second or two on a busy machine."""
RETRY_SECONDS = 1.0
SIBLING_SECONDS = 5.0
"""An entry this old, of another process, is one that its process did not live to deliver."""
MOST_AT_ONCE = 200
MOST_ROWS_AT_ONCE = 2000
MOST_IN_MEMORY = 10_000
"""Entries that may wait where there is no outbox."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One entry."""

    rows: Sequence[Row] | None
    """None: left by an earlier process, to be read from the outbox."""
    patient: str | None
    """Mark of the only patient it is about; None = unknown."""


class Delivery:
    """Rows on their way to one database."""

    def __init__(self, database: LateFeedbackStore, outbox: Outbox | None) -> None:
        self.reachable = True
        """False from a failure until the database answers `run` again: meanwhile no call need wait for it."""
        self._database = database
        self._outbox = outbox
        self._waiting: dict[str, Waiting] = {}
        self._group: GroupCommit[str] = GroupCommit(self._deliver_group, seconds=GROUP_SECONDS)
        self._one_at_a_time = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    async def write(self, rows: Sequence[Row]) -> None:
        """Straight to the database. Raises Unavailable or CannotKeep."""
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                database = await self._database.opened()
            async with asyncio.timeout(WRITE_SECONDS):
                await database.write(rows)
        except (Unavailable, TimeoutError):
            self.away()
            raise Unavailable(FEEDBACK_AWAY) from None
        self.back()

    async def keep(self, rows: Sequence[Row], *, patient: str | None = None, safe: bool) -> None:
        """Let `rows` wait; returns when they outlive this process, `safe`: and a loss of power. Raises Unavailable."""
        name = await self._put(rows, safe=safe)
        self._waiting[name] = Waiting(rows, patient)
        if self.reachable:
            self._start(self._group.add([name]))

    def waits_for(self, patient: str) -> bool:
        """Does anything wait that may be about this patient?"""
        return any(waiting.patient in (None, patient) for waiting in self._waiting.values())

    async def deliver(self) -> None:
        """Write all that waits. Raises Unavailable."""
        async with self._one_at_a_time:
            while self._waiting:
                await self._deliver(list(islice(self._waiting, MOST_AT_ONCE)))

    async def take_over(self, *, older_than: float = 0) -> None:
        """Deliver with ours what other processes left, `older_than` seconds ago."""
        if self._outbox:
            for name in await asyncio.to_thread(self._outbox.names, older_than=older_than):
                self._waiting.setdefault(name, Waiting(None, None))

    async def run(self) -> None:
        """Deliver what could not be delivered at once; until cancelled."""
        while True:
            await self.take_over(older_than=SIBLING_SECONDS)
            try:
                await self.deliver()
                if not self.reachable:
                    await self.write([])
            except Unavailable:
                pass  # said when it went away
            except Exception:
                log.exception("waiting feedback could not be delivered")
            OUTBOX_ENTRIES.set(len(self._waiting))
            await asyncio.sleep(RETRY_SECONDS)

    async def close(self) -> None:
        """Try once more."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with suppress(Unavailable):
            await self.deliver()

    def away(self) -> None:
        """The database did not answer."""
        if self.reachable:
            log_event(log, "feedback database away", level=logging.ERROR)
        self.reachable = False

    def back(self) -> None:
        """It did."""
        if not self.reachable:
            log_event(log, "feedback database back", waiting=len(self._waiting))
        self.reachable = True

    async def _put(self, rows: Sequence[Row], *, safe: bool) -> str:
        if self._outbox is None:
            if safe or len(self._waiting) >= MOST_IN_MEMORY:
                raise Unavailable(FEEDBACK_AWAY)
            return uuid4().hex
        try:
            return await asyncio.to_thread(self._outbox.put, rows, safe=safe)
        except OutboxFull:
            self._not_kept("outbox-full")
        except OSError:
            self._not_kept("outbox-not-writable")
        raise Unavailable(FEEDBACK_AWAY)

    async def _deliver_group(self, _: Sequence[str]) -> None:
        with suppress(Unavailable):  # `run` tries again
            await self.deliver()

    async def _deliver(self, names: Sequence[str]) -> None:
        rows = [row for name in names for row in await self._rows(name)]
        try:
            for first in range(0, len(rows), MOST_ROWS_AT_ONCE):
                await self.write(rows[first : first + MOST_ROWS_AT_ONCE])
        except CannotKeep:
            if len(names) > 1:
                for name in names:
                    await self._deliver([name])
                return
            await self._set_aside(names[0], "refused")
        if self._outbox:
            await asyncio.to_thread(self._outbox.remove, names)
        for name in names:
            self._waiting.pop(name, None)

    async def _rows(self, name: str) -> Sequence[Row]:
        kept = self._waiting[name].rows
        if kept is not None or self._outbox is None:
            return kept or ()
        try:
            return await asyncio.to_thread(self._outbox.rows, name)
        except (Unreadable, OSError):
            await self._set_aside(name, "unreadable")
            return ()

    async def _set_aside(self, name: str, why: str) -> None:
        self._not_kept(why)
        if self._outbox:
            await asyncio.to_thread(self._outbox.set_aside, name)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _not_kept(self, reason: str) -> None:
        FEEDBACK_LOST.labels(reason).inc()
        log_event(log, "feedback not kept", level=logging.ERROR, reason=reason)
