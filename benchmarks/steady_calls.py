"""Calls at a steady rate, and calls one after another as fast as they are answered.

Steady: each call is sent at its moment whether or not those before it are answered, over a connection of its own if need be,
and timed from the moment it was due, so that a service that stands still is charged for every call it kept waiting
(no coordinated omission).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.calls_at_once import Stream, call, status_of

BEGIN_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Timed:
    """One answered call."""

    status: int
    milliseconds: float
    """From when it was due."""
    late_ms: float
    """How long after that it was sent: what the caller itself adds."""
    body: dict[str, Any]


def call_steadily(port: int, requests: Sequence[bytes], per_second: float) -> list[Timed]:
    """Send `requests` to 127.0.0.1 at `per_second`; answers in their order. Raises OSError where a connection fails."""
    return asyncio.run(_call_steadily(port, requests, per_second))


def calls_per_second(port: int, requests: Sequence[bytes], clients: int) -> float:
    """`clients` connections, each sending its next request when its last is answered. Raises ValueError for any but 200."""
    return asyncio.run(_call_in_turn(port, requests, clients))


async def _call_steadily(port: int, requests: Sequence[bytes], per_second: float) -> list[Timed]:
    idle: list[Stream] = [await _connected(port)]
    begun = time.perf_counter() + BEGIN_SECONDS
    calls = []
    for number, request in enumerate(requests):
        due = begun + number / per_second
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        calls.append(asyncio.create_task(_one(port, idle, request, due)))
    answers = await asyncio.gather(*calls)
    for _, writer in idle:
        writer.close()
    return answers


async def _one(port: int, idle: list[Stream], request: bytes, due: float) -> Timed:
    stream = idle.pop() if idle else await _connected(port)
    sent = time.perf_counter()
    head, body, _ = await call(stream, request)
    answered = time.perf_counter()
    idle.append(stream)
    return Timed(status_of(head), 1000 * (answered - due), 1000 * (sent - due), json.loads(body or b"{}"))


async def _call_in_turn(port: int, requests: Sequence[bytes], clients: int) -> float:
    waiting = list(reversed(requests))
    streams = [await _connected(port) for _ in range(clients)]

    async def send(stream: Stream) -> None:
        while waiting:
            head, body, _ = await call(stream, waiting.pop())
            if status_of(head) != 200:
                raise ValueError(f"answered {status_of(head)}: {body[:200]!r}")

    begun = time.perf_counter()
    await asyncio.gather(*map(send, streams))
    took = time.perf_counter() - begun
    for _, writer in streams:
        writer.close()
    return len(requests) / took


async def _connected(port: int) -> Stream:
    return await asyncio.open_connection("127.0.0.1", port, limit=2**20)
