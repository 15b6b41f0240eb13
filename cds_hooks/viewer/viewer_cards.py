"""Cards with a link to the viewer, where the tenant has one and what it shows could be kept.

Wraps the card maker that ships. A card without the link is whole: no fault of the viewer's store ever costs a card.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace

from cds_hooks.card import Card, Link
from cds_hooks.occasion import BuiltCards, CardMaker, Occasion
from cds_hooks.operation_outcome import Unavailable
from cds_hooks.viewer import page_words as words
from cds_hooks.viewer.kept_views import KeptViews, view_of
from cds_hooks.viewer.viewer_client import ViewerClients
from nlp_core.assessment import Assessment
from nlp_core.chart import Chart

log = logging.getLogger("dxspan.viewer")

KEEP_SECONDS = 0.3
"""Longest time that keeping may take of an answer's."""


@dataclass(frozen=True, slots=True)
class ViewerCards:
    """A CardMaker."""

    cards: CardMaker
    clients: ViewerClients
    views: KeptViews
    launch_url: str

    async def __call__(self, assessment: Assessment, chart: Chart, occasion: Occasion) -> BuiltCards:
        """See CardMaker."""
        built = await self.cards(assessment, chart, occasion)
        if not built.cards or not self.clients.for_call(occasion.tenant, occasion.fhir_server):
            return built
        linked = [
            await self._linked(card, assessment, chart, occasion) if isinstance(card, Card) else card
            for card in built.cards
        ]
        return replace(built, cards=tuple(linked))

    async def _linked(self, card: Card, assessment: Assessment, chart: Chart, occasion: Occasion) -> Card:
        try:
            async with asyncio.timeout(KEEP_SECONDS):
                identifier = await self.views.keep(view_of(assessment, chart, occasion, card))
        except (Unavailable, TimeoutError, ValueError) as fault:
            log.warning("a view was not kept: %s", type(fault).__name__)
            return card
        label = words.OPEN.said_in(assessment.language)
        link = Link(label=label, url=self.launch_url, type="smart", app_context=identifier)
        return card.model_copy(update={"links": (link, *card.links)})
