"""Opens the feedback database beside serving, and again when it could not be opened.

Knows when to open, not what is kept. A database that is down must not keep charts from being read, and its library
takes half a second to import: so the process starts without it, and only what is to be kept waits for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from cds_hooks.operation_outcome import Unavailable

if TYPE_CHECKING:
    from cds_hooks.memory.feedback_store import SqlFeedbackStore

log = logging.getLogger("dxspan.feedback")


class LateFeedbackStore:
    """A feedback database that is opened by `open_store`, in a thread, when it is first needed."""

    def __init__(self, open_store: Callable[[], SqlFeedbackStore]) -> None:
        self._open_store = open_store
        self._store: SqlFeedbackStore | None = None
        self._opening: asyncio.Task[SqlFeedbackStore] | None = None

    async def opened(self) -> SqlFeedbackStore:
        """The database. Raises Unavailable when it cannot be opened now."""
        if self._store:
            return self._store
        if self._opening is None:
            self._opening = asyncio.create_task(self._open())
            self._opening.add_done_callback(self._ended)
        # Shielded: whoever waits no longer must not start a second opening beside the first.
        return await asyncio.shield(self._opening)

    async def close(self) -> None:
        if self._store:
            await self._store.close()

    async def _open(self) -> SqlFeedbackStore:
        try:
            self._store = await asyncio.to_thread(self._open_store)
        except Exception:
            # Its text may quote the database's URL; JsonLines keeps type and place only.
            log.exception("the feedback store (DXSPAN_FEEDBACK_DATABASE_URL) cannot be opened")
            raise Unavailable("Feedback cannot be kept at the moment; send it again.") from None
        return self._store

    def _ended(self, opening: asyncio.Task[SqlFeedbackStore]) -> None:
        self._opening = None
        if not opening.cancelled():
            opening.exception()  # seen, where every caller has gone meanwhile
