"""Remembers which tokens were seen, so that none is accepted twice.

Knows two places: Redis (several web processes) and this process's memory (one). Either fails closed: when it cannot
tell, the call is refused with 503, unless the deployment chose memory as the spare of Redis. Holds digests only; a
token's id never reaches Redis in clear.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from cds_hooks.operation_outcome import Unavailable
from cds_hooks.security_events import security_event
from worker.circuit_breaker import CircuitBreaker

MEMORY_CAPACITY = 100_000
REDIS_SECONDS = 0.3


class ReplayStore(Protocol):
    """Where seen token ids are kept."""

    async def first_time(self, issuer: str, jti: str, seconds: int) -> bool:
        """True exactly once for each (issuer, jti) within `seconds`. Raises Unavailable when it cannot tell."""
        ...

    async def ready(self) -> bool:
        """True when it could answer now."""
        ...

    async def close(self) -> None: ...


def _digest(issuer: str, jti: str) -> str:
    # Length first: ("a", "bc") and ("ab", "c") must not share a digest.
    return hashlib.sha256(f"{len(issuer)}:{issuer}{jti}".encode()).hexdigest()


class MemoryReplayStore:
    """For one process."""

    def __init__(self, *, capacity: int = MEMORY_CAPACITY, clock: Callable[[], float] = time.monotonic) -> None:
        self._until: dict[str, float] = {}
        self._capacity = capacity
        self._clock = clock

    async def first_time(self, issuer: str, jti: str, seconds: int) -> bool:
        now = self._clock()
        key = _digest(issuer, jti)
        if self._until.get(key, float("-inf")) > now:
            return False
        if len(self._until) >= self._capacity:
            self._until = {key: until for key, until in self._until.items() if until > now}
        if len(self._until) >= self._capacity:
            raise Unavailable("Too many tokens are in use at once.")
        self._until[key] = now + seconds
        return True

    async def ready(self) -> bool:
        return True

    async def close(self) -> None:
        self._until.clear()


class RedisReplayStore:
    """For several processes: `SET NX EX`, bounded in time."""

    def __init__(self, url: str, *, ca_file: Path | None = None, cert_file: Path | None = None) -> None:
        # Imported here: a web process without Redis starts a fifth of a second sooner.
        from redis.asyncio import Redis
        from redis.exceptions import RedisError

        self._errors: tuple[type[Exception], ...] = (RedisError, OSError, TimeoutError)
        options: dict[str, Any] = {"ssl_ca_certs": str(ca_file)} if ca_file else {}
        options |= {"ssl_certfile": str(cert_file), "ssl_keyfile": str(cert_file)} if cert_file else {}
        options |= {"socket_timeout": REDIS_SECONDS, "socket_connect_timeout": REDIS_SECONDS}
        self._redis = Redis.from_url(url, **options)

    async def first_time(self, issuer: str, jti: str, seconds: int) -> bool:
        key = f"dxspan:jti:{_digest(issuer, jti)}"
        try:
            async with asyncio.timeout(2 * REDIS_SECONDS):
                return bool(await self._redis.set(key, b"", nx=True, ex=max(seconds, 1)))
        except self._errors:
            raise Unavailable("The store of seen tokens does not answer.") from None

    async def ready(self) -> bool:
        try:
            async with asyncio.timeout(2 * REDIS_SECONDS):
                return bool(await self._redis.ping())
        except self._errors:
            return False

    async def close(self) -> None:
        await self._redis.aclose()


class ReplayStoreWithSpare:
    """Redis, and while it does not answer this process's memory: a token is then accepted once by each web process.

    The memory is told of every token that Redis let in, so that none of this process's own is accepted again.
    """

    def __init__(self, first: ReplayStore, *, breaker: CircuitBreaker | None = None) -> None:
        self._first = first
        self._spare = MemoryReplayStore()
        self._breaker = breaker or CircuitBreaker()

    async def first_time(self, issuer: str, jti: str, seconds: int) -> bool:
        new = await self._asked_first(issuer, jti, seconds)
        try:
            return await self._spare.first_time(issuer, jti, seconds) and new is not False
        except Unavailable:
            if new is None:
                raise
            return new

    async def ready(self) -> bool:
        return await self._spare.ready()

    async def close(self) -> None:
        await self._first.close()
        await self._spare.close()

    async def _asked_first(self, issuer: str, jti: str, seconds: int) -> bool | None:
        """None where only the spare can tell."""
        if not self._breaker.lets_pass():
            return None
        try:
            new = await self._first.first_time(issuer, jti, seconds)
        except Unavailable:
            if self._breaker.closed:
                security_event("replay-store-spare")
            self._breaker.failed()
            return None
        self._breaker.succeeded()
        return new


def replay_store(
    redis_url: str | None, *, ca_file: Path | None = None, cert_file: Path | None = None, spare: bool = False
) -> ReplayStore:
    """The store for these settings. `spare`: this process's memory while Redis does not answer."""
    if not redis_url:
        return MemoryReplayStore()
    first = RedisReplayStore(redis_url, ca_file=ca_file, cert_file=cert_file)
    return ReplayStoreWithSpare(first) if spare else first
