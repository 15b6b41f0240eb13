"""Serves a JWK Set on loopback, or misbehaves."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.server_thread import ServerThread
from worker.local_redis import free_port


@dataclass
class KeyServer:
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

    def __enter__(self) -> KeyServer:
        app = Starlette(routes=[Route("/{path:path}", self._serve)])
        config = uvicorn.Config(app, port=self.port, log_config=None, access_log=False, ws="none")
        self._thread = ServerThread(uvicorn.Server(config)).__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.__exit__(kind, error, trace)

    async def _serve(self, request: Request) -> Response:
        self.asked.append(request.url.path)
        await asyncio.sleep(self.seconds)
        if self.redirect_to:
            return RedirectResponse(self.redirect_to)
        return (
            Response(self.body, media_type="application/json") if self.body is not None else JSONResponse(self.document)
        )
