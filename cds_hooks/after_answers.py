"""What goes on after an answer has left: nobody waits for it, and the process ends only when it is done.

Knows tasks, not what they do; each sees to its own faults.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


class AfterAnswers:
    """Work that is under way."""

    def __init__(self) -> None:
        self._under_way: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Begins `work`, held on to until it is done."""
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def close(self) -> None:
        """Waits for all of it."""
        await asyncio.gather(*self._under_way, return_exceptions=True)
