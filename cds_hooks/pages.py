"""The pages served beside the hooks: what dxspan is and where its limits lie.

Knows files and headers; no page holds anything about a patient.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from cds_hooks.page_language import asked_language
from cds_hooks.settings import Settings

FOLDER = Path(__file__).parent / "static"
_TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8"}


def pages(settings: Settings) -> APIRouter:
    """Routes of the pages, read once at start."""
    router = APIRouter(include_in_schema=False)
    headers = public_headers(settings)
    files = {name: _file(name, headers) for name in ("about.html", "about.zh.html", "about.css")}

    async def about(request: Request) -> Response:
        """`?lang=zh`: its language."""
        chinese = asked_language(request.query_params.get("lang"), "en") == "zh"
        return files["about.zh.html" if chinese else "about.html"]()

    async def style() -> Response:
        return files["about.css"]()

    router.add_api_route("/about", about, methods=["GET"])
    router.add_api_route("/about.css", style, methods=["GET"])
    return router


def public_headers(settings: Settings) -> dict[str, str]:
    """Of a page that holds nothing about a patient. Framed by the pages that may frame the viewer, and by no others."""
    listed = {origin for client in settings.viewer_clients.values() for origin in client.frame_ancestors}
    ancestors = " ".join(sorted(listed)) or "'none'"
    return {
        "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
        f"frame-ancestors {ancestors}",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "max-age=3600",
    }


def _file(name: str, headers: Mapping[str, str]) -> Callable[[], Response]:
    body, media_type = (FOLDER / name).read_bytes(), _TYPES[Path(name).suffix]
    return lambda: Response(body, media_type=media_type, headers=headers)
