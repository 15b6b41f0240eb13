"""Serves a JWK Set on loopback, or misbehaves."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.server_thread import LoopbackServer
from worker.local_redis import free_port


@dataclass
class KeyServer(LoopbackServer):
    """`with KeyServer(document) as keys:` serves it at `keys.url`."""

    document: Any = None
    redirect_to: str = ""
    body: bytes | None = None
    seconds: float = 0.0
    asked: list[str] = field(default_factory=list)
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/jwks.json"

    def routes(self) -> list[Route]:
        return [Route("/{path:path}", self._serve)]

    async def _serve(self, request: Request) -> Response:
        self.asked.append(request.url.path)
        await asyncio.sleep(self.seconds)
        if self.redirect_to:
            return RedirectResponse(self.redirect_to)
        return (
            Response(self.body, media_type="application/json") if self.body is not None else JSONResponse(self.document)
        )
