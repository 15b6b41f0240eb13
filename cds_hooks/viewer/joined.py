"""Joins the parts of the viewer; the web process asks for no more than its routes and its card maker."""

from __future__ import annotations

import asyncio

from cds_hooks.occasion import CardMaker
from cds_hooks.outbound import Outbound
from cds_hooks.quota import Quota
from cds_hooks.settings import Settings
from cds_hooks.viewer.guard import Guard
from cds_hooks.viewer.installed_bundle import InstalledBundle
from cds_hooks.viewer.kept_views import KeptViews
from cds_hooks.viewer.launch_pages import LaunchPages
from cds_hooks.viewer.pages import ViewerPages
from cds_hooks.viewer.rendering import compile_templates
from cds_hooks.viewer.session_pages import SessionPages
from cds_hooks.viewer.sessions import Cookies, Sessions
from cds_hooks.viewer.smart_launch import LAUNCH_PATH, SmartLaunch
from cds_hooks.viewer.viewer_cards import ViewerCards
from cds_hooks.viewer.viewer_client import ViewerClients
from cds_hooks.viewer.viewer_store import ViewerStore
from worker.client import AskingClient

LAUNCHES_PER_SECOND = 20.0
"""Of one tenant: a launch costs a look-up at its server."""

QUESTIONS_PER_SECOND = 2.0
"""Of one tenant: each has the chart read again."""


class Viewer:
    """The viewer of one web process."""

    def __init__(
        self, settings: Settings, store: ViewerStore, outbound: Outbound, asking: AskingClient | None = None
    ) -> None:
        """`asking`: who answers questions; None = nobody does."""
        self._clients = ViewerClients.of(settings)
        self._views = KeptViews(store, settings.viewer_keep_seconds)
        self._launch_url = settings.public_base_url + LAUNCH_PATH
        self._bundle = InstalledBundle(settings.bundle_path)
        guard = Guard(Cookies(https=settings.public_base_url.startswith("https://")), settings.public_base_url)
        sessions = Sessions(store, self._clients, settings.viewer_session_seconds)
        launching = LaunchPages(
            guard=guard,
            smart=SmartLaunch(self._clients, store, outbound, settings.public_base_url),
            sessions=sessions,
            views=self._views,
            quota=Quota(LAUNCHES_PER_SECOND),
        )
        session = SessionPages(
            guard=guard,
            sessions=sessions,
            views=self._views,
            bundle=self._bundle,
            idle_seconds=settings.viewer_session_seconds,
            asking=asking,
            questions_quota=Quota(QUESTIONS_PER_SECOND),
        )
        self.pages = ViewerPages(guard, launching, session)

    def linking(self, cards: CardMaker) -> CardMaker:
        """`cards` with links to the viewer."""
        return ViewerCards(cards, self._clients, self._views, self._launch_url)

    async def warm_up(self) -> None:
        """Reads what the first page would else wait for."""
        await asyncio.to_thread(compile_templates)
        await self._bundle.ready()
