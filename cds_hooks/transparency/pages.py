"""The addresses of transparency: source attributes and model card, for everybody, with nothing about any patient.

Knows HTTP. Templates and the bundle's manifest are read when a page is first asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from cds_hooks.operation_outcome import Unavailable
from cds_hooks.page_language import asked_language
from cds_hooks.pages import public_headers
from cds_hooks.settings import Settings
from cds_hooks.transparency.figures import all_figures
from cds_hooks.transparency.provenance import MODEL_CARD_PATH, TRANSPARENCY_PATH
from cds_hooks.transparency.source_attributes import Filled, filled
from nlp_core.assessment import Language
from nlp_core.bundle_errors import BundleError

if TYPE_CHECKING:
    from cds_hooks.transparency.documents import ShippedModel

_HTML, _MARKDOWN, _JSON, _FHIR = "text/html", "text/markdown", "application/json", "application/fhir+json"


class TransparencyPages:
    """The handlers, one method for each address."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        # Local figures change while serving.
        self._headers = {**public_headers(settings), "Cache-Control": "max-age=300"}
        self._model: ShippedModel | None = None

    def router(self) -> APIRouter:
        """Every route."""
        router = APIRouter(include_in_schema=False)
        handlers: dict[str, Callable[..., Awaitable[Response]]] = {
            TRANSPARENCY_PATH: self.page,
            f"{TRANSPARENCY_PATH}.json": self.json,
            f"{TRANSPARENCY_PATH}.md": self.markdown,
            MODEL_CARD_PATH: self.model_card,
            f"{TRANSPARENCY_PATH}/model-card.json": self.model_card_reference,
            f"{TRANSPARENCY_PATH}/device.json": self.device,
        }
        for path, handler in handlers.items():
            router.add_api_route(path, handler, methods=["GET"])
        return router

    async def page(self, request: Request) -> Response:
        """`?lang=zh`: its language."""
        from cds_hooks.transparency.documents import as_html

        language = asked_language(request.query_params.get("lang"), "en")
        return self._answer(as_html(self._attributes(language), await self._shipped(), language), _HTML)

    async def json(self) -> Response:
        from cds_hooks.transparency.documents import as_json

        return self._answer(as_json(self._attributes()), _JSON)

    async def markdown(self) -> Response:
        from cds_hooks.transparency.documents import as_markdown

        return self._answer(as_markdown(self._attributes()), _MARKDOWN)

    async def model_card(self) -> Response:
        return self._answer((await self._shipped()).card, _MARKDOWN)

    async def model_card_reference(self) -> Response:
        from cds_hooks.transparency.documents import model_card_reference

        return self._answer(
            orjson.dumps(model_card_reference(await self._shipped(), self._settings.public_base_url)), _FHIR
        )

    async def device(self) -> Response:
        from cds_hooks.transparency.documents import model_device

        return self._answer(orjson.dumps(model_device(await self._shipped(), self._settings.public_base_url)), _FHIR)

    def _answer(self, body: bytes | str, media_type: str) -> Response:
        return Response(body, media_type=f"{media_type}; charset=utf-8", headers=self._headers)

    def _attributes(self, language: Language = "en") -> list[Filled]:
        return filled(all_figures(self._settings), language)

    async def _shipped(self) -> ShippedModel:
        """Raises Unavailable where the installation holds no bundle."""
        if self._model is None:
            try:
                self._model = await asyncio.to_thread(_read)
            except (OSError, ValueError, BundleError) as fault:
                raise Unavailable("The model card is not installed.") from fault
        return self._model


def _read() -> ShippedModel:
    from cds_hooks.transparency.documents import ShippedModel
    from nlp_core.model_bundle import SHIPPED_BUNDLE  # brings the tokenizers

    return ShippedModel.read(SHIPPED_BUNDLE)
