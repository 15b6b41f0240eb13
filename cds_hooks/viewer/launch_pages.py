"""The viewer's launch and the way back from it, over HTTP: two redirects and the cookies between them.

What a launch is, `smart_launch` knows.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from cds_hooks.audit.notes import audit_notes
from cds_hooks.quota import Quota
from cds_hooks.viewer.guard import Guard, note_who
from cds_hooks.viewer.kept_views import KeptViews
from cds_hooks.viewer.leaving import answer
from cds_hooks.viewer.refusals import LaunchRefused
from cds_hooks.viewer.session_pages import SESSION_PATH
from cds_hooks.viewer.sessions import Sessions
from cds_hooks.viewer.smart_launch import LAUNCH_SECONDS, SmartLaunch


@dataclass(frozen=True, slots=True)
class LaunchPages:
    """The handlers, one method for each address."""

    guard: Guard
    smart: SmartLaunch
    sessions: Sessions
    views: KeptViews
    quota: Quota

    async def launch(self, request: Request) -> Response:
        """`?iss=…&launch=…` from an EHR; without `launch` the server's own sign-in asks for the patient."""
        client = self.smart.client_at(_once(request, "iss"))
        self.quota.take(client.client.tenant, "view")
        begun = await self.smart.begin(client, _once(request, "launch"))
        response = answer(303, client, location=begun.location)
        self.guard.set_cookie(response, request, _launching(begun.state), begun.browser_secret, LAUNCH_SECONDS)
        return response

    async def callback(self, request: Request) -> Response:
        """Back from the sign-in: opens a session and goes to its page, whatever the query asks for."""
        audit_notes().kind = "view"
        asked = {name: _once(request, name) for name in ("code", "state", "iss")}
        cookie = _launching(asked["state"] or "")
        arrived = await self.smart.finish(**asked, browser_secret=self.guard.cookie(request, cookie))
        note_who(arrived.client, arrived.user_id, arrived.patient_id)
        view, seconds = await self.views.for_whom(arrived)
        new = await self.sessions.begin(arrived.client, view, seconds)
        response = answer(303, arrived.client, location=SESSION_PATH.format(handle=new.handle))
        self.guard.set_cookie(response, request, cookie, "", 0)
        self.guard.set_cookie(response, request, new.handle, new.secret, new.seconds)
        return response


def _launching(state: str) -> str:
    """What the cookie of a launch under way is called: each has its own, so that two at once do not meet."""
    return f"launch-{state[:12]}"


def _once(request: Request, name: str) -> str | None:
    """A query parameter that may come once. Raises LaunchRefused."""
    found = request.query_params.getlist(name)
    if len(found) > 1:
        raise LaunchRefused("a parameter came twice")
    return found[0] if found else None
