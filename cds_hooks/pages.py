"""The pages served beside the hooks: what dxspan is and where its limits lie.

Knows files and headers; no page holds anything about a patient.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import APIRouter
from starlette.responses import Response

FOLDER = Path(__file__).parent / "static"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-ancestors *; base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "max-age=3600",
}
_TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8"}


def pages() -> APIRouter:
    """Routes of the pages, read once at start."""
    router = APIRouter(include_in_schema=False)
    router.add_api_route("/about", _page("about.html"), methods=["GET"])
    router.add_api_route("/about.css", _page("about.css"), methods=["GET"])
    return router


def _page(name: str) -> Callable[[], Awaitable[Response]]:
    body = (FOLDER / name).read_bytes()
    media_type = _TYPES[Path(name).suffix]

    async def page() -> Response:
        return Response(body, media_type=media_type, headers=HEADERS)

    return page
