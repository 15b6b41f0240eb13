"""Where the viewer keeps what must outlive a request: views, launches under way, sessions. Each has a name and an end.

Knows two places: Redis, sealed and under keyed marks (several web processes), and this process's memory (without Redis).
Does not know what is inside. Nothing is ever written to a disk by us.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Any, Literal, Protocol

from cds_hooks.operation_outcome import Unavailable
from worker.messages import KEY_PREFIX
from worker.payloads import CannotOpen, Sealer

Kind = Literal["view", "latest", "launch", "session", "seen"]

MEMORY_BYTES = 64 * 2**20
REDIS_SECONDS = 2.0
"""A person waits for a page; an answer to a hook waits much less for its view (viewer_cards)."""


class ViewerStore(Protocol):
    """Each method raises Unavailable when the store does not answer."""

    async def put(self, kind: Kind, name: str, value: bytes, seconds: int) -> None:
        """Keep `value` for `seconds`, in place of an earlier one of that name."""
        ...

    async def get(self, kind: Kind, name: str) -> bytes | None: ...

    async def take(self, kind: Kind, name: str) -> bytes | None:
        """The value, for one caller alone: it is gone afterwards."""
        ...

    async def close(self) -> None: ...


class MemoryViewerStore:
    """For one process. An entry goes when its time is over, whether or not anybody asks; the oldest go when it is full."""

    def __init__(self, most_bytes: int = MEMORY_BYTES) -> None:
        self._kept: OrderedDict[tuple[Kind, str], tuple[bytes, asyncio.TimerHandle]] = OrderedDict()
        self._most = most_bytes
        self._bytes = 0

    async def put(self, kind: Kind, name: str, value: bytes, seconds: int) -> None:
        key = (kind, name)
        self._drop(key)
        self._kept[key] = (value, asyncio.get_running_loop().call_later(seconds, self._drop, key))
        self._bytes += len(value)
        while self._bytes > self._most:
            self._drop(next(iter(self._kept)))

    async def get(self, kind: Kind, name: str) -> bytes | None:
        return self._kept[kind, name][0] if (kind, name) in self._kept else None

    async def take(self, kind: Kind, name: str) -> bytes | None:
        found = await self.get(kind, name)
        self._drop((kind, name))
        return found

    async def close(self) -> None:
        for key in list(self._kept):
            self._drop(key)

    def _drop(self, key: tuple[Kind, str]) -> None:
        value, timer = self._kept.pop(key, (b"", None))
        self._bytes -= len(value)
        if timer:
            timer.cancel()


class RedisViewerStore:
    """For several processes. Neither a name nor a value is readable in Redis."""

    def __init__(self, client: Any, sealer: Sealer) -> None:
        """`client`: redis.asyncio.Redis."""
        from redis.exceptions import RedisError

        self._errors: tuple[type[Exception], ...] = (RedisError, OSError, TimeoutError)
        self._redis = client
        self._sealer = sealer

    async def put(self, kind: Kind, name: str, value: bytes, seconds: int) -> None:
        mark = self._mark(kind, name)
        sealed = self._sealer.seal(value, "viewer", kind, mark)
        await self._answered(self._redis.set(_key(mark), sealed, ex=seconds))

    async def get(self, kind: Kind, name: str) -> bytes | None:
        mark = self._mark(kind, name)
        return self._opened(kind, mark, await self._answered(self._redis.get(_key(mark))))

    async def take(self, kind: Kind, name: str) -> bytes | None:
        mark = self._mark(kind, name)
        both = self._redis.pipeline(transaction=True).get(_key(mark)).delete(_key(mark))
        sealed, _ = await self._answered(both.execute())
        return self._opened(kind, mark, sealed)

    async def close(self) -> None:
        await self._redis.aclose()

    def _mark(self, kind: Kind, name: str) -> str:
        return self._sealer.mark("viewer", kind, name)

    def _opened(self, kind: Kind, mark: str, sealed: bytes | None) -> bytes | None:
        try:
            return self._sealer.open(sealed, "viewer", kind, mark) if sealed else None
        except CannotOpen:
            return None

    async def _answered(self, asked: Any) -> Any:
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                return await asked
        except self._errors:
            raise Unavailable("The viewer's store does not answer.") from None


def _key(mark: str) -> str:
    """Redis key (string)."""
    return f"{KEY_PREFIX}viewer:{mark}"
