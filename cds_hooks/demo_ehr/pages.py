"""The demo EHR's addresses: the page, its charts, its files, and those of its SMART authorization server.

Knows HTTP and templates. Served to this machine alone (loopback_only).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
from fastapi import APIRouter
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response

from cds_hooks.build_cards import EXTENSION
from cds_hooks.demo_ehr.loopback_only import Handler, here_alone
from cds_hooks.demo_ehr.page_words import WORDS
from cds_hooks.demo_ehr.registered_viewer import fhir_server
from cds_hooks.demo_ehr.sample_patients import sample_patients
from cds_hooks.demo_ehr.smart_server import SmartServer
from cds_hooks.outcome import STATUS_EXTENSION
from cds_hooks.page_language import asked_language, said_in
from cds_hooks.reason_words import REASONS
from cds_hooks.server_address import ServerAddress
from cds_hooks.settings import Settings
from cds_hooks.viewer.smart_launch import LAUNCH_PATH

PATH = "/demo/"
STATIC = Path(__file__).parent / "static"
TEMPLATES = Path(__file__).parent / "templates"
HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_POLICY = (
    "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self' {base}; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'"
)
ASSETS = ("ehr.css", "ehr.js", "app.js", "page.js", "chart.js", "card.js", "markdown-it.esm.min.mjs")
_TYPES = {".css": "text/css", ".js": "text/javascript", ".mjs": "text/javascript"}


class DemoPages:
    """The handlers, one method for each address."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._smart = SmartServer(settings)
        # The app is opened by a form that leads from here to the base address, by whatever name this page was opened.
        origin = ServerAddress.parse(settings.public_base_url).origin
        self._headers = {"content-security-policy": _POLICY.format(base=origin), **HEADERS}
        loader = FileSystemLoader(TEMPLATES)
        templates = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
        self._template = templates.get_template("ehr.html.jinja")

    def router(self) -> APIRouter:
        """Every route."""
        router = APIRouter(include_in_schema=False)
        router.add_api_route(PATH, here_alone(self.page), methods=["GET"])
        router.add_api_route(f"{PATH}charts", here_alone(self.charts), methods=["GET"])
        for name in ASSETS:
            router.add_api_route(f"{PATH}static/{name}", here_alone(self._asset(name)), methods=["GET"])
        router.include_router(self._smart.router())
        return router

    async def page(self, request: Request) -> Response:
        """`?lang=zh`: in which language to begin."""
        language = asked_language(request.query_params.get("lang"), "en")
        body = self._template.render(words=said_in(language, WORDS), language=language)
        return Response(body, media_type="text/html", headers=self._headers)

    async def charts(self, _: Request) -> Response:
        """The charts of a fresh visit, every word that the page may say, and the app that a card's link may open."""
        known: dict[str, Any] = {
            "patients": sample_patients(fhir_server(self._settings)),
            "words": {name: said.model_dump() for name, said in WORDS.items()},
            "reasons": {name: said.model_dump() for name, said in REASONS.items()},
            "extensions": {"status": STATUS_EXTENSION, "assessment": EXTENSION},
            "app": self._settings.public_base_url + LAUNCH_PATH,
        }
        return Response(orjson.dumps(known), media_type="application/json", headers=self._headers)

    def _asset(self, name: str) -> Handler:
        body, media_type = (STATIC / name).read_bytes(), _TYPES[Path(name).suffix]

        async def asset(_: Request) -> Response:
            return Response(body, media_type=media_type, headers=self._headers)

        return asset
