"""A bare socket on loopback that counts who connects, keeps what they send, and answers as a test tells it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import TracebackType

Behaviour = Callable[[socket.socket, threading.Event], None]
"""Told the connection after its first bytes were read, and the event that says that the test is over."""


def silent(_: socket.socket, over: threading.Event) -> None:
    """Takes the request and never says a word."""
    over.wait()


def saying(parts: Iterable[bytes], pause: float = 0.0) -> Behaviour:
    """Sends `parts` (any iterable that can be gone through again) with a `pause` before each, then closes."""

    def say(connection: socket.socket, over: threading.Event) -> None:
        for part in parts:
            if over.wait(pause):
                return
            connection.sendall(part)

    return say


class Listener:
    """`with Listener() as other:` listens at `other.port` of `host`."""

    def __init__(self, behaviour: Behaviour = silent, *, host: str = "127.0.0.1", port: int = 0) -> None:
        """`port` 0: a free one."""
        self._behaviour = behaviour
        self._over = threading.Event()
        self._socket = socket.create_server((host, port))
        self.port: int = self._socket.getsockname()[1]
        self.received: list[bytes] = []
        """The first bytes of every connection; empty where nothing was sent."""

    @property
    def connections(self) -> int:
        return len(self.received)

    def settle(self, seconds: float = 0.1) -> Listener:
        """Wait for whoever is still on the way, then say: `assert not other.settle().connections`."""
        time.sleep(seconds)
        return self

    def __enter__(self) -> Listener:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        index = len(self.received)
        self.received.append(b"")
        with connection, suppress(OSError):
            connection.settimeout(5)
            self.received[index] = connection.recv(65_536)
            self._behaviour(connection, self._over)
