"""The span of one call, in which all its steps lie; only there where spans are sent.

Knows ASGI messages. Tells method, the route's template and status, never the path as it was called, a header or a body. A
`traceparent` of the caller is not taken up: a trace begins at our border, so that nobody outside decides what is recorded.
"""

from __future__ import annotations

from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from worker.tracing import note, span

TRACED = ("/cds-services/", "/fhir-notifications/")
"""Paths under which a call is worth a trace; health, metrics and pages are not."""
METHODS = frozenset({"GET", "POST", "OPTIONS"})


class RequestSpans:
    """ASGI middleware, inside the log and outside of the audit trail."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(TRACED):
            await self._app(scope, receive, send)
            return

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                route: Any = scope.get("route")
                method = scope["method"] if scope["method"] in METHODS else "_OTHER"
                note({"http.request.method": method, "http.route": getattr(route, "path", "unmatched")})
                note({"http.response.status_code": message["status"]})
            await send(message)

        with span("call", kind="SERVER"):
            await self._app(scope, receive, noting)
