"""The operators' page at /operators: who may see it, and with which headers it leaves.

Knows HTTP, the token and templates. Off unless a token is set. A loopback address would be no guard: behind a proxy on the same
machine every request comes from one. Tells nothing of a patient; tenants' names stand where switches do.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from fastapi import APIRouter
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response

from cds_hooks.operators.page_view import View, view_of
from cds_hooks.operators.page_words import REFUSED
from cds_hooks.operators.plots import HEIGHT, WIDTH
from cds_hooks.operators.process_state import Watched
from cds_hooks.page_language import asked_language
from cds_hooks.security_events import security_event
from cds_hooks.settings import Settings
from nlp_core.assessment import Language

PATH = "/operators"
REFRESH_SECONDS = 30
STATIC = Path(__file__).parent / "static"
TEMPLATES = Path(__file__).parent / "templates"
HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_CHALLENGE = {"www-authenticate": 'Basic realm="dxspan operators", charset="UTF-8"'}
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}

Handler = Callable[[Request], Awaitable[Response]]


class OperatorsPage:
    """The handlers, and the looks that the page rests on."""

    def __init__(self, settings: Settings, watched: Watched) -> None:
        """Needs `settings.operators_token`."""
        token = settings.operators_token
        if token is None:
            raise ValueError("there is no token for the operators' page")
        self._token = _digest(token.get_secret_value())
        self._language: Language = settings.language
        self._watched = watched
        self.run = watched.run

    def router(self) -> APIRouter:
        """Every route of the page."""
        router = APIRouter(include_in_schema=False)
        router.add_api_route(PATH, self._guarded(self.page), methods=["GET"])
        for name in ("operators.css", "operators.js"):
            router.add_api_route(f"{PATH}/static/{name}", self._guarded(_asset(name)), methods=["GET"])
        return router

    async def page(self, request: Request) -> Response:
        """`?lang=zh`: its language."""
        language = asked_language(request.query_params.get("lang"), self._language)
        view = view_of(await self._watched.state(), language, version=_version())
        return Response(rendered(view), media_type="text/html; charset=utf-8", headers=HEADERS)

    def _guarded(self, handler: Handler) -> Handler:
        async def handle(request: Request) -> Response:
            given = _password(request.headers.get("authorization", ""))
            if given is not None and hmac.compare_digest(_digest(given), self._token):
                return await handler(request)
            if given is not None:  # a browser asks without one first
                security_event("operators-refused")
            return Response(REFUSED, 401, {**HEADERS, **_CHALLENGE}, "text/plain; charset=utf-8")

        return handle


def rendered(view: View) -> str:
    """The page's HTML."""
    return (
        _templates()
        .get_template("operators.html.jinja")
        .render(view=view, refresh=REFRESH_SECONDS, path=PATH, width=WIDTH, height=HEIGHT)
    )


def _password(authorization: str) -> str | None:
    """The token in a header, as a Bearer or as the password of Basic beside any user; None where there is none."""
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return given.strip()
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(given.strip(), validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _digest(token: str) -> bytes:
    """Of one length, so that comparing tells nothing of the token's."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


@cache
def _templates() -> Environment:
    loader = FileSystemLoader(TEMPLATES)
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


@cache
def _version() -> str:
    try:
        return version("dxspan")
    except PackageNotFoundError:
        return "0"


def _asset(name: str) -> Handler:
    body, media_type = (STATIC / name).read_bytes(), _TYPES[Path(name).suffix]

    async def asset(_: Request) -> Response:
        return Response(body, media_type=media_type, headers=HEADERS)

    return asset
