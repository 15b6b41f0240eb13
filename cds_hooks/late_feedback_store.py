"""Opens the feedback store beside serving, and again when it could not be opened.

Knows when to open, not what is kept. A database that is down must not keep charts from being read, and its library
takes half a second to import: so the process starts without it, and only feedback itself waits for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from cds_hooks.feedback import FeedbackItem, FeedbackStore
from cds_hooks.operation_outcome import Unavailable

log = logging.getLogger("dxspan.feedback")


class LateFeedbackStore:
    """A FeedbackStore that is opened by `open_store`, in a thread, when it is first needed."""

    def __init__(self, open_store: Callable[[], FeedbackStore]) -> None:
        self._open_store = open_store
        self._opened: FeedbackStore | None = None
        self._opening = asyncio.Lock()

    async def record(self, tenant: str, service_id: str, items: Sequence[FeedbackItem], received: datetime) -> None:
        await (await self._store()).record(tenant, service_id, items, received)

    async def remember(self, tenant: str, service_id: str, cards: Sequence[Any], shown: datetime) -> None:
        await (await self._store()).remember(tenant, service_id, cards, shown)

    async def ready(self) -> bool:
        try:
            return await (await self._store()).ready()
        except Unavailable:
            return False

    async def close(self) -> None:
        if self._opened:
            await self._opened.close()

    async def _store(self) -> FeedbackStore:
        async with self._opening:
            if self._opened is None:
                try:
                    self._opened = await asyncio.to_thread(self._open_store)
                except Exception:
                    # Its text may quote the database's URL; JsonLines keeps type and place only.
                    log.exception("the feedback store (DXSPAN_FEEDBACK_DATABASE_URL) cannot be opened")
                    raise Unavailable("Feedback cannot be kept at the moment; send it again.") from None
            return self._opened
