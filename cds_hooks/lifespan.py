"""What the web process begins before it serves and ends after it: work beside serving, the collector's pace, closing in order.

Knows FastAPI's lifespan; what is begun and closed it is told (app).
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

from fastapi import FastAPI

from cds_hooks.memory.feedback import FeedbackStore
from worker.client import ReadingClient

FIRST_CARD_NEEDS = tuple(f"fhir.resources.R4B.{name}" for name in ("condition", "device", "provenance"))
"""Take half a second to import: done beside serving, so that neither the start nor the first card waits for it."""
COLLECTOR_PACE = (20_000, 20, 10)
"""A call makes some thousands of objects and few cycles. At Python's pace (700, 10, 10) the charts that are kept (opened_charts)
were looked through again and again: a chart never seen cost a fifth more."""


def lifespan_of(
    client: ReadingClient,
    background: Sequence[Callable[[], Coroutine[Any, Any, None]]],
    closers: Sequence[Callable[[], Awaitable[None]]],
) -> Any:
    """FastAPI's lifespan: `background` runs from start to end, then all that is open is closed in this order."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        start_loading = getattr(client, "start_loading", None)
        if start_loading:
            start_loading()
        tasks = [asyncio.create_task(work()) for work in background]
        # All that was imported lives as long as the process: keeping it out of the collector's sight cuts its pauses
        # from 17 ms to 1 ms.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECTOR_PACE)
        yield
        for task in tasks:
            task.cancel()
        for close in (client.close, *closers):
            await close()

    return lifespan


async def warm_up(feedback: FeedbackStore) -> None:
    """Loads beside serving what the first card needs."""
    for module in FIRST_CARD_NEEDS:
        await asyncio.to_thread(import_module, module)
    await feedback.ready()
    gc.freeze()
