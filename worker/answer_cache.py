"""Keeps the last assessments, or what is made of them, in this process's memory, for a while.

Knows keys and ages. Holds quotes of notes: it is never written anywhere.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Kept = TypeVar("Kept")


class AnswerCache(Generic[Kept]):
    """At most `entries` of them, each for at most `seconds`; the least recently used goes first.

    Not for use from several threads.
    """

    def __init__(self, entries: int, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._entries = entries
        self._seconds = seconds
        self._clock = clock
        self._kept: OrderedDict[tuple[str, ...], tuple[float, Kept]] = OrderedDict()

    def get(self, key: tuple[str, ...]) -> Kept | None:
        until, kept = self._kept.get(key, (0.0, None))
        if kept is None or self._clock() >= until:
            self._kept.pop(key, None)
            return None
        self._kept.move_to_end(key)
        return kept

    def put(self, key: tuple[str, ...], kept: Kept) -> None:
        self._kept[key] = (self._clock() + self._seconds, kept)
        self._kept.move_to_end(key)
        while len(self._kept) > self._entries:
            self._kept.popitem(last=False)
