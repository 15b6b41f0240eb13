"""How uvicorn is run: its parser, its limits, and its one answer that no app ever sees.

Knows uvicorn. A request that is not HTTP (Content-Length beside Transfer-Encoding, junk) is refused by the parser;
its answer carries an OperationOutcome like every other.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from cds_hooks.operation_outcome import outcome, outcome_bytes

HEADER_SECONDS = 10
"""A connection whose next request's headers are not complete by then is closed."""
KEEP_ALIVE_SECONDS = 75
SHUTDOWN_SECONDS = 10

ARRIVED = "dxspan_arrived"
"""In a request's scope: when its headers were complete, `time.monotonic()` seconds; its handler may begin much later."""

_BODY = outcome_bytes(outcome("structure", "This is not an HTTP request we accept."))
_NOT_HTTP = (
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncache-control: no-store\r\nconnection: close\r\n"
    b"content-length: %d\r\n\r\n" % len(_BODY)
) + _BODY


class HttpProtocol(HttpToolsProtocol):
    """uvicorn's httptools protocol with an OperationOutcome for what is not HTTP, and a time limit on headers.

    The base class stops its clock at the first byte of a request, so half a header would hold a connection for ever.
    """

    _header_clock: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._start_header_clock()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        between_requests = self.cycle is None or self.cycle.response_complete
        if between_requests and self.timeout_keep_alive_task is None and self._header_clock is None:
            self._start_header_clock()

    def on_headers_complete(self) -> None:
        self._stop_header_clock()
        self.scope[ARRIVED] = time.monotonic()  # type: ignore[literal-required]  # ASGI lets servers add their own
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_header_clock()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        del msg
        self.transport.write(_NOT_HTTP)
        self.transport.close()

    def _start_header_clock(self) -> None:
        self._header_clock = self.loop.call_later(HEADER_SECONDS, self.transport.close)

    def _stop_header_clock(self) -> None:
        if self._header_clock:
            self._header_clock.cancel()
            self._header_clock = None


def server(app: FastAPI, *, host: str, port: int) -> uvicorn.Server:
    """A server for `app`, ready to run. Its own access log is off: it writes paths and queries as they came."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=HttpProtocol,
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    return uvicorn.Server(config)
