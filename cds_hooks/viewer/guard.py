"""What stands before every handler of the viewer: refusals become messages in fixed words, foreign pages are turned away,
cookies are read and written, and who looked at whom is noted for the audit trail.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.responses import Response

from cds_hooks.audit.notes import audit_notes
from cds_hooks.operation_outcome import TooManyRequests, Unavailable
from cds_hooks.request_log import log_fields
from cds_hooks.security_events import security_event
from cds_hooks.viewer.leaving import answer
from cds_hooks.viewer.refusals import LaunchRefused, NotNow, NotYours, ViewerRefusal
from cds_hooks.viewer.rendering import message
from cds_hooks.viewer.sessions import Cookies
from cds_hooks.viewer.viewer_client import RegisteredClient
from worker.json_log import log_event

log = logging.getLogger("dxspan.viewer")

Handler = Callable[..., Awaitable[Response]]
_FRAMES = ("iframe", "frame", "fencedframe")


@dataclass(frozen=True, slots=True)
class Guard:
    """One viewer's."""

    cookies: Cookies
    public_base_url: str

    def guarded(self, handler: Handler) -> Handler:
        """`handler`, whose refusals become messages."""

        async def handle(request: Request) -> Response:
            try:
                return await handler(request=request, **request.path_params)
            except ViewerRefusal as refusal:
                return _refused(request, refusal)
            except Unavailable as fault:
                return _refused(request, NotNow(fault.text))
            except TooManyRequests as fault:
                response = said(NotNow("quota"), status=fault.status)
                response.headers["retry-after"] = str(fault.retry_after)
                return response

        return handle

    def refuse_foreign(self, request: Request) -> None:
        """A page of another site must not end a session, nor keep it open. Raises LaunchRefused."""
        site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
        # Browsers say by the first where a request comes from; under our referrer policy a form's origin is `null`.
        if site != "same-origin" if site else origin not in (None, self.public_base_url):
            raise LaunchRefused("sent by another site")

    def cookie(self, request: Request, of: str) -> str | None:
        return request.cookies.get(self.cookies.name(of))

    def set_cookie(self, response: Response, request: Request, of: str, value: str, seconds: int) -> None:
        framed = request.headers.get("sec-fetch-dest", "") in _FRAMES
        response.headers.append("set-cookie", self.cookies.written(of, value, seconds, framed=framed))


def said(refusal: ViewerRefusal, *, status: int) -> Response:
    """The refusal's message as an answer."""
    return answer(status, refusal.client, message(refusal))


def note_who(client: RegisteredClient, user: str, patient: str) -> None:
    """For the audit trail."""
    notes = audit_notes()
    notes.tenant, notes.issuer = client.client.tenant, client.iss
    notes.who = replace(notes.who, patient=f"Patient/{patient}", user=user)


def _refused(request: Request, refusal: ViewerRefusal) -> Response:
    if refusal.client:
        log_fields(request)["tenant"] = refusal.client.client.tenant
    if isinstance(refusal, LaunchRefused | NotYours):
        security_event("viewer-refused", reason=refusal.reason)
    log_event(log, "viewer refused", reason=refusal.reason, status=refusal.status)
    audit_notes().refusal = refusal.reason
    return said(refusal, status=refusal.status)
