"""How everything of the viewer leaves: with which headers, and who may frame it.

No answer about a patient may be stored, and none says where the browser came from. Knows headers and files; no template.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.responses import Response

from cds_hooks.viewer.viewer_client import RegisteredClient

STATIC = Path(__file__).parent / "static"
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
_NOBODY = "'none'"


def answer(status: int, client: RegisteredClient | None, body: str = "", *, location: str = "") -> Response:
    """Who may frame it is the client's to say; unknown: nobody."""
    ancestors = " ".join(client.client.frame_ancestors) if client else ""
    headers = {
        "content-security-policy": f"default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; "
        f"require-trusted-types-for 'script'; frame-ancestors {ancestors or _NOBODY}",
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "cross-origin-resource-policy": "same-origin",
    }
    if location:
        headers["location"] = location
    return Response(body, status, headers, "text/html")


def asset(name: str) -> Callable[[], Awaitable[Response]]:
    """A handler that gives a static file; it holds nothing of anybody."""
    body = (STATIC / name).read_bytes()
    headers = {"cache-control": "max-age=300", "x-content-type-options": "nosniff"}

    async def file() -> Response:
        return Response(body, media_type=_TYPES[Path(name).suffix], headers=headers)

    return file
