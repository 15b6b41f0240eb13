"""One line per request, its metric, and the last net: an exception nobody caught becomes a plain 500.

Knows ASGI messages. The path is logged as the route's template, never as it was called; what a handler wants in the
line it puts into `log_fields(request)`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import MutableMapping
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cds_hooks.operation_outcome import Refusal, refusal_response
from cds_hooks.watch import RESPONSES
from worker.json_log import Value, log_event

log = logging.getLogger("dxspan.requests")
_FIELDS = "dxspan_log_fields"


def log_fields(request: Request) -> MutableMapping[str, Value]:
    """What the line of this request will say besides method, route, status and time."""
    fields: MutableMapping[str, Value] = request.scope.setdefault(_FIELDS, {})
    return fields


class RequestLog:
    """ASGI middleware: whatever it answers still gets CORS headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.monotonic()
        status = 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception:
            log.exception("unexpected error")
            if not status:
                await refusal_response(Refusal("The service failed.", close=True))(scope, receive, noting)
        finally:
            _write_line(scope, status, time.monotonic() - begun)


def _write_line(scope: Scope, status: int, seconds: float) -> None:
    route: Any = scope.get("route")
    path = getattr(route, "path", "unmatched")
    RESPONSES.labels(path, status).inc()
    own = {"method": scope["method"][:10], "route": path, "status": status, "ms": round(seconds * 1000, 1)}
    log_event(log, "request", **own, **scope.get(_FIELDS, {}))
