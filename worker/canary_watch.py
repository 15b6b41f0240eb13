"""Sends a canary task through the workers from time to time and sounds the alarm when it is lost.

Knows intervals; a ping is not enough, since a worker may answer it and yet have stopped taking tasks (celery #10205).
"""

from __future__ import annotations

import asyncio
import logging

from worker.queue_client import QueueClient

log = logging.getLogger(__name__)

EVERY_SECONDS = 10.0
LOST_AFTER_SECONDS = 10.0


async def watch_workers(
    client: QueueClient, *, every: float = EVERY_SECONDS, lost_after: float = LOST_AFTER_SECONDS
) -> None:
    """Run for as long as the process does; the alarm comes at most `every + lost_after` seconds after silence begins.

    The log tells each change once; `dxspan_canary_seconds` tells the state. Start it as a task, cancel it to stop.
    """
    silent = False
    while True:
        lost = await client.canary(seconds=lost_after) is None
        if lost and not silent:
            log.critical("no worker takes tasks: a canary was lost for %.0f s", lost_after)
        if silent and not lost:
            log.warning("workers take tasks again")
        silent = lost
        await asyncio.sleep(every)
