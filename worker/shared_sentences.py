"""The memory of sentences that workers share: sealed in Redis, for a while, in a fixed number of places.

Input : marks of sentences (sentence_memory)
Output: packed readings that any worker of this queue kept
Knows places, seals and lifetimes. Each mark has one place, which the next mark that falls on it takes over: Redis never
holds more than was granted. While Redis is away or slow nothing is shared, and readings go on without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import redis

from worker.circuit_breaker import CircuitBreaker
from worker.messages import sentence_name
from worker.payloads import CannotOpen, Sealer

PLACE_BYTES = 16 * 1024
"""Largest reading that is shared: some ten tokens inside findings."""
SHARED_SECONDS = 0.1
"""A Redis slower than this costs a reading more than it saves."""


class RedisSentences:
    """A SharedSentences around a blocking Redis client. Not for use from several threads."""

    def __init__(self, client: redis.Redis, sealer: Sealer, *, most_bytes: int, seconds: int) -> None:
        """client: should give up after SHARED_SECONDS. most_bytes: of all readings together."""
        self._redis = client
        self._sealer = sealer
        self._places = max(1, most_bytes // PLACE_BYTES)
        self._seconds = seconds
        self._breaker = CircuitBreaker()

    def recall(self, tenant: str, marks: Sequence[str]) -> list[bytes | None]:
        """What is kept under each mark; None where there is nothing, or nothing that this key and tenant can open."""
        if not self._breaker.lets_pass():
            return [None] * len(marks)
        try:
            with self._redis.pipeline(transaction=False) as pipe:
                for mark in marks:
                    pipe.get(self._name(mark))
                sealed = pipe.execute()
        except redis.RedisError:
            self._breaker.failed()
            return [None] * len(marks)
        self._breaker.succeeded()
        return [self._opened(tenant, mark, one) for mark, one in zip(marks, sealed, strict=True)]

    def keep(self, tenant: str, readings: Mapping[str, bytes]) -> None:
        """Share readings by their marks; those over PLACE_BYTES stay out."""
        if not self._breaker.lets_pass():
            return
        try:
            with self._redis.pipeline(transaction=False) as pipe:
                for mark, reading in readings.items():
                    sealed = self._sealer.seal(reading, "sentence", tenant, mark)
                    if len(sealed) <= PLACE_BYTES:
                        pipe.set(self._name(mark), sealed, ex=self._seconds)
                pipe.execute()
        except redis.RedisError:
            self._breaker.failed()

    def _name(self, mark: str) -> str:
        return sentence_name(int(mark[:16], 16) % self._places)

    def _opened(self, tenant: str, mark: str, sealed: bytes | None) -> bytes | None:
        if sealed is None:
            return None
        try:
            return self._sealer.open(sealed, "sentence", tenant, mark)
        except CannotOpen:  # another mark took the place
            return None
