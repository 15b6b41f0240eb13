"""Writes together what several calls want kept: one transaction where there would be twenty.

Knows time and order, not what a row is. Whoever adds rows waits until they are kept, so nothing is lost by a shutdown
that waits for its callers, and a failure reaches every one of them. Groups are written one after the other: what is
added while one is being written makes up the next, so a slow disk makes groups larger, never more of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

RowT = TypeVar("RowT")


class GroupCommit(Generic[RowT]):
    """Collects rows for `seconds` from the first on, then hands them to `write` at once."""

    def __init__(self, write: Callable[[Sequence[RowT]], Awaitable[None]], *, seconds: float) -> None:
        self._write = write
        self._seconds = seconds
        self._rows: list[RowT] = []
        self._writing: asyncio.Task[None] | None = None
        self._one_at_a_time = asyncio.Lock()

    async def add(self, rows: Sequence[RowT]) -> None:
        """Returns when `rows` are written; raises what `write` raised for the whole group."""
        if self._writing is None:
            self._writing = asyncio.create_task(self._collect())
        self._rows.extend(rows)
        # Shielded: a caller that is cancelled must not take the others' rows with it.
        await asyncio.shield(self._writing)

    async def _collect(self) -> None:
        try:
            await asyncio.sleep(self._seconds)
            await self._one_at_a_time.acquire()
        finally:
            # Whoever adds from here on starts the next group; also after the event loop was ended meanwhile.
            rows, self._rows, self._writing = self._rows, [], None
        try:
            await self._write(rows)
        finally:
            self._one_at_a_time.release()
