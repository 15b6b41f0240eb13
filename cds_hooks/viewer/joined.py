"""Joins the parts of the viewer; the web process asks for no more than its routes and its card maker."""

from __future__ import annotations

from cds_hooks.occasion import CardMaker
from cds_hooks.outbound import Outbound
from cds_hooks.quota import Quota
from cds_hooks.settings import Settings
from cds_hooks.viewer.installed_bundle import InstalledBundle
from cds_hooks.viewer.kept_views import KeptViews
from cds_hooks.viewer.pages import LAUNCH_PATH, ViewerPages, ViewerParts
from cds_hooks.viewer.sessions import Cookies, Sessions
from cds_hooks.viewer.smart_launch import SmartLaunch
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
        self.pages = ViewerPages(
            ViewerParts(
                launch=SmartLaunch(self._clients, store, outbound, settings.public_base_url),
                sessions=Sessions(store, self._clients, settings.viewer_session_seconds),
                views=self._views,
                bundle=InstalledBundle(settings.bundle_path),
                cookies=Cookies(https=settings.public_base_url.startswith("https://")),
                quota=Quota(LAUNCHES_PER_SECOND),
                public_base_url=settings.public_base_url,
                idle_seconds=settings.viewer_session_seconds,
                asking=asking,
                questions=Quota(QUESTIONS_PER_SECOND),
            )
        )

    def linking(self, cards: CardMaker) -> CardMaker:
        """`cards` with links to the viewer."""
        return ViewerCards(cards, self._clients, self._views, self._launch_url)
