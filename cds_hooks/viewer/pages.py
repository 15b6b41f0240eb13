"""The viewer's addresses: launch, callback, the pages of a session, its end, and the files they load."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter

from cds_hooks.viewer.guard import Guard
from cds_hooks.viewer.launch_pages import LaunchPages
from cds_hooks.viewer.leaving import asset
from cds_hooks.viewer.session_pages import SESSION_PATH, SessionPages
from cds_hooks.viewer.smart_launch import CALLBACK_PATH, LAUNCH_PATH


@dataclass(frozen=True, slots=True)
class ViewerPages:
    """Who answers at which address."""

    guard: Guard
    launching: LaunchPages
    session: SessionPages

    def router(self) -> APIRouter:
        """Every route of the viewer."""
        router = APIRouter(include_in_schema=False)
        for path, method, handler in (
            (LAUNCH_PATH, "GET", self.launching.launch),
            (CALLBACK_PATH, "GET", self.launching.callback),
            (SESSION_PATH, "GET", self.session.show),
            (f"{SESSION_PATH}/summary", "GET", self.session.summary),
            (f"{SESSION_PATH}/questions", "GET", self.session.questions),
            (f"{SESSION_PATH}/questions", "POST", self.session.ask),
            (f"{SESSION_PATH}/alive", "POST", self.session.alive),
            (f"{SESSION_PATH}/end", "POST", self.session.end),
        ):
            router.add_api_route(path, self.guard.guarded(handler), methods=[method])
        for name in ("viewer.css", "viewer.js"):
            router.add_api_route(f"/viewer/static/{name}", asset(name), methods=["GET"])
        return router
