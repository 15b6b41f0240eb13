"""The demo EHR's addresses: the page, its charts, its files.

Knows HTTP and templates. Served to this machine alone: any other client, and any other name for this machine (a page
elsewhere whose name was made to point here), gets what it would get without the demo. Holds nothing between requests.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import orjson
from fastapi import APIRouter
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response

from cds_hooks.build_cards import EXTENSION
from cds_hooks.demo_ehr.page_words import WORDS
from cds_hooks.demo_ehr.sample_patients import sample_patients
from cds_hooks.operation_outcome import NotFound
from cds_hooks.outcome import STATUS_EXTENSION
from cds_hooks.reason_words import REASONS
from cds_hooks.server_address import BadAddress, ServerAddress
from nlp_core.assessment import Language

PATH = "/demo/"
STATIC = Path(__file__).parent / "static"
TEMPLATES = Path(__file__).parent / "templates"
HEADERS = {
    "content-security-policy": "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
ASSETS = ("ehr.css", "ehr.js", "page.js", "chart.js", "card.js", "markdown-it.esm.min.mjs")
_TYPES = {".css": "text/css", ".js": "text/javascript", ".mjs": "text/javascript"}

Handler = Callable[[Request], Awaitable[Response]]


def demo_pages() -> APIRouter:
    """Every route of the demo EHR."""
    router = APIRouter(include_in_schema=False)
    router.add_api_route(PATH, _here_alone(_page()), methods=["GET"])
    router.add_api_route(f"{PATH}charts", _here_alone(_charts), methods=["GET"])
    for name in ASSETS:
        router.add_api_route(f"{PATH}static/{name}", _here_alone(_asset(name)), methods=["GET"])
    return router


def _here_alone(handler: Handler) -> Handler:
    async def handle(request: Request) -> Response:
        if not is_local(request):
            raise NotFound("There is no such page.")
        return await handler(request)

    return handle


def is_local(request: Request) -> bool:
    """Does the request come from this machine, and by a name of this machine?"""
    try:
        named = ServerAddress.parse(f"http://{request.headers.get('host', '')}").is_loopback
        return named and request.client is not None and ip_address(request.client.host).is_loopback
    except (BadAddress, ValueError):
        return False


def _page() -> Handler:
    loader = FileSystemLoader(TEMPLATES)
    templates = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    template = templates.get_template("ehr.html.jinja")

    async def page(request: Request) -> Response:
        """`?lang=zh`: in which language to begin."""
        language: Language = "zh" if request.query_params.get("lang") == "zh" else "en"
        words = {name: said.said_in(language) for name, said in WORDS.items()}
        body = template.render(words=words, language=language)
        return Response(body, media_type="text/html", headers=HEADERS)

    return page


async def _charts(_: Request) -> Response:
    """The charts of a fresh visit, and every word that the page may say."""
    known: dict[str, Any] = {
        "patients": sample_patients(),
        "words": {name: said.model_dump() for name, said in WORDS.items()},
        "reasons": {name: said.model_dump() for name, said in REASONS.items()},
        "extensions": {"status": STATUS_EXTENSION, "assessment": EXTENSION},
    }
    return Response(orjson.dumps(known), media_type="application/json", headers=HEADERS)


def _asset(name: str) -> Handler:
    body, media_type = (STATIC / name).read_bytes(), _TYPES[Path(name).suffix]

    async def asset(_: Request) -> Response:
        return Response(body, media_type=media_type, headers=HEADERS)

    return asset
