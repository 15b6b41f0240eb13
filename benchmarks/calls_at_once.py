"""Hook calls sent at the same moment over connections opened before, each timed from its first byte to its last.

Knows as much of HTTP/1.1 as that takes: one event loop could not time hundreds of calls with a full client.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cds_hooks.outcome import STATUS_EXTENSION

SERVICE = "/cds-services/dxspan-patient-view"
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Answered:
    """What one call got."""

    status: int
    seconds: float
    body: dict[str, Any]

    @property
    def state(self) -> str:
        """`answered`, `silent` or `degraded`; empty for anything but a 200."""
        return str(self.body.get("extension", {}).get(STATUS_EXTENSION, {}).get("state", ""))

    @property
    def reason(self) -> str:
        return str(self.body.get("extension", {}).get(STATUS_EXTENSION, {}).get("reason", ""))


def call_at_once(port: int, bodies: Sequence[dict[str, Any]], *, seconds: float = 30.0) -> list[Answered]:
    """POST all `bodies` to the service on 127.0.0.1 at once; answers in their order. Raises TimeoutError."""
    return asyncio.run(_call_all(port, [_request(body) for body in bodies], seconds))


async def _call_all(port: int, requests: Sequence[bytes], seconds: float) -> list[Answered]:
    async with asyncio.timeout(seconds):
        streams = [await asyncio.open_connection("127.0.0.1", port) for _ in requests]
        received = await asyncio.gather(*map(call, streams, requests))
        for _, writer in streams:
            writer.close()
    return [Answered(status_of(head), took, json.loads(body or b"{}")) for head, body, took in received]


async def call(stream: Stream, request: bytes) -> tuple[bytes, bytes, float]:
    """Head and body of the answer, and the seconds it took."""
    reader, writer = stream
    begun = time.perf_counter()
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    lines = (line.partition(b":") for line in head.lower().split(b"\r\n"))
    length = next((int(value) for name, _, value in lines if name == b"content-length"), 0)
    body = await reader.readexactly(length)
    return head, body, time.perf_counter() - begun


def status_of(head: bytes) -> int:
    """The status of an answer."""
    return int(head.split(maxsplit=2)[1])


def http_request(content: bytes, *, path: str = SERVICE, token: str = "") -> bytes:
    """A POST of JSON as it goes over the wire."""
    head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
    head += f"authorization: Bearer {token}\r\n" if token else ""
    return f"{head}content-length: {len(content)}\r\n\r\n".encode() + content


def _request(body: dict[str, Any]) -> bytes:
    return http_request(json.dumps(body).encode())
