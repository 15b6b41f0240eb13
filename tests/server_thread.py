"""Runs an ASGI app on a real port of 127.0.0.1 for as long as a test needs it."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Self

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

START_SECONDS = 10.0
PATIENCE_SECONDS = 1.0
"""Then requests under way (a fault that sleeps) are cut off."""


class ServerThread:
    """A uvicorn server in a thread; use it as a context manager."""

    def __init__(self, server: uvicorn.Server) -> None:
        self.server = server
        self._thread = threading.Thread(target=server.run, daemon=True)

    def __enter__(self) -> ServerThread:
        self._thread.start()
        until = time.monotonic() + START_SECONDS
        while not self.server.started:
            if time.monotonic() > until or not self._thread.is_alive():
                raise RuntimeError("the server did not start")
            time.sleep(0.005)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.should_exit = True
        self._thread.join(PATIENCE_SECONDS)
        self.server.force_exit = True
        self._thread.join(START_SECONDS)


class LoopbackServer:
    """What a test's own servers share: `with` one, its routes are served at its `port`. The class names both."""

    port: int

    def routes(self) -> list[Route]:
        raise NotImplementedError

    def __enter__(self) -> Self:
        app = Starlette(routes=self.routes())
        config = uvicorn.Config(app, port=self.port, log_config=None, access_log=False, ws="none")
        self._thread = ServerThread(uvicorn.Server(config)).__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.__exit__(kind, error, trace)
