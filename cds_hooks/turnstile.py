"""Lets calls begin one by one, so that hundreds at the same moment do not stop the event loop for a second.

Knows turns of the loop. A call costs some milliseconds before it first waits for anything; begun all in one turn, five
hundred would keep every reply, timer and new connection waiting meanwhile, and a Redis in good health would look dead.
"""

from __future__ import annotations

import asyncio


class Turnstile:
    """First come, first served; one caller per turn."""

    def __init__(self) -> None:
        self._one_at_a_time = asyncio.Lock()
        self.waiting = 0
        """Callers whose turn has not come."""

    async def turn(self) -> None:
        """Return when it is this caller's turn."""
        self.waiting += 1
        try:
            async with self._one_at_a_time:
                await asyncio.sleep(0)
        finally:
            self.waiting -= 1
