"""Sends bytes as they are, for requests that no HTTP client would write."""

from __future__ import annotations

import json
import socket
import time
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class RawAnswer:
    """What came back before the connection was closed."""

    status: int
    headers: str
    body: bytes
    seconds: float
    """From the last byte sent until the server closed the connection."""

    def json(self) -> Any:
        return json.loads(self.body)


def exchange(port: int, *parts: bytes, seconds: float = 20.0, pause: float = 0.0) -> RawAnswer:
    """Send `parts` with a `pause` before each and read until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        for part in parts:
            time.sleep(pause)
            connection.sendall(part)
        begun = time.monotonic()
        received = b""
        while chunk := connection.recv(65_536):
            received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1]) if head else 0
    return RawAnswer(status, head.decode("latin-1").lower(), body, time.monotonic() - begun)


def head(path: str, *lines: str, method: str = "POST") -> bytes:
    """The head of a request."""
    return "\r\n".join((f"{method} {path} HTTP/1.1", "host: 127.0.0.1", *lines, "", "")).encode()
