"""Lets callers that ask for the same thing at the same time share one piece of work.

Knows keys and asyncio tasks, not what the work is. The work goes on when its callers have gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Result = TypeVar("Result")


class SingleFlight(Generic[Key, Result]):
    """One task per key at a time, forgotten when it is done."""

    def __init__(self) -> None:
        self._tasks: dict[Key, asyncio.Task[Result]] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    def __contains__(self, key: Key) -> bool:
        return key in self._tasks

    def join(self, key: Key, work: Callable[[], Coroutine[Any, Any, Result]]) -> asyncio.Task[Result]:
        """The running task for `key`, or a new one of `work`. Wait on it with `asyncio.wait`, never cancel it."""
        task = self._tasks.get(key)
        if task is None:
            task = asyncio.get_running_loop().create_task(work())
            self._tasks[key] = task
            task.add_done_callback(lambda _: self._tasks.pop(key, None))
        return task

    def cancel_all(self) -> None:
        """End all work, for when the process stops."""
        for task in self._tasks.values():
            task.cancel()
