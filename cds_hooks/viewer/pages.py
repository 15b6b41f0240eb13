"""The viewer's addresses: launch, callback, the page of a session, its end; and with which headers each answer leaves.

Knows HTTP, cookies and templates. What is refused becomes a message in fixed words, in both languages. No answer about a
patient may be stored, and none says where the browser came from.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response

from cds_hooks.audit.notes import audit_notes
from cds_hooks.json_log import log_event
from cds_hooks.operation_outcome import TooManyRequests, Unavailable
from cds_hooks.quota import Quota
from cds_hooks.request_log import log_fields
from cds_hooks.security_events import security_event
from cds_hooks.viewer.asked import answer_to, question_of
from cds_hooks.viewer.evidence_page import Page, page_of
from cds_hooks.viewer.installed_bundle import InstalledBundle
from cds_hooks.viewer.kept_views import KeptView, KeptViews
from cds_hooks.viewer.page_words import MESSAGES
from cds_hooks.viewer.quoted_page import QuotedPage, question_page, summary_page
from cds_hooks.viewer.refusals import Ended, Gone, LaunchRefused, NotNow, NotYours, ViewerRefusal
from cds_hooks.viewer.sessions import Cookies, Session, Sessions
from cds_hooks.viewer.smart_launch import CALLBACK_PATH, LAUNCH_SECONDS, SmartLaunch
from cds_hooks.viewer.viewer_client import RegisteredClient
from nlp_core.assessment import Language
from worker.client import AskingClient

log = logging.getLogger("dxspan.viewer")

LAUNCH_PATH = "/viewer/launch"
SESSION_PATH = "/viewer/session/{handle}"
STATIC = Path(__file__).parent / "static"
TEMPLATES = Path(__file__).parent / "templates"
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
_FRAMES = ("iframe", "frame", "fencedframe")

_EVIDENCE, _QUOTED, _MESSAGE = "evidence.html.jinja", "quoted.html.jinja", "message.html.jinja"
_NOBODY = "'none'"

Handler = Callable[..., Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class ViewerParts:
    """What the pages work with."""

    launch: SmartLaunch
    sessions: Sessions
    views: KeptViews
    bundle: InstalledBundle
    cookies: Cookies
    quota: Quota
    public_base_url: str
    idle_seconds: int
    asking: AskingClient | None
    questions: Quota


class ViewerPages:
    """The handlers, one method for each address."""

    def __init__(self, parts: ViewerParts) -> None:
        self._parts = parts

    def router(self) -> APIRouter:
        """Every route of the viewer."""
        router = APIRouter(include_in_schema=False)
        for path, method, handler in (
            (LAUNCH_PATH, "GET", self.launch),
            (CALLBACK_PATH, "GET", self.callback),
            (SESSION_PATH, "GET", self.show),
            (f"{SESSION_PATH}/summary", "GET", self.summary),
            (f"{SESSION_PATH}/questions", "GET", self.questions),
            (f"{SESSION_PATH}/questions", "POST", self.ask),
            (f"{SESSION_PATH}/alive", "POST", self.alive),
            (f"{SESSION_PATH}/end", "POST", self.end),
        ):
            router.add_api_route(path, self._guarded(handler), methods=[method])
        for name in ("viewer.css", "viewer.js"):
            router.add_api_route(f"/viewer/static/{name}", _asset(name), methods=["GET"])
        return router

    async def launch(self, request: Request) -> Response:
        """`?iss=…&launch=…` from an EHR; without `launch` the server's own sign-in asks for the patient."""
        client = self._parts.launch.client_at(_once(request, "iss"))
        self._parts.quota.take(client.client.tenant, "view")
        begun = await self._parts.launch.begin(client, _once(request, "launch"))
        answer = _answer(303, client, location=begun.location)
        self._set_cookie(answer, request, _launching(begun.state), begun.browser_secret, LAUNCH_SECONDS)
        return answer

    async def callback(self, request: Request) -> Response:
        """Back from the sign-in: opens a session and goes to its page, whatever the query asks for."""
        parts = self._parts
        audit_notes().kind = "view"
        asked = {name: _once(request, name) for name in ("code", "state", "iss")}
        cookie = _launching(asked["state"] or "")
        arrived = await parts.launch.finish(**asked, browser_secret=self._cookie(request, cookie))
        _note_who(arrived.client, arrived.user_id, arrived.patient_id)
        view, seconds = await parts.views.for_whom(arrived)
        new = await parts.sessions.begin(arrived.client, view, seconds)
        answer = _answer(303, arrived.client, location=SESSION_PATH.format(handle=new.handle))
        self._set_cookie(answer, request, cookie, "", 0)
        self._set_cookie(answer, request, new.handle, new.secret, new.seconds)
        return answer

    async def show(self, handle: str, request: Request) -> Response:
        """The page. `?lang=zh`, `?note=3`: its language, a note that must be on it."""
        session, view, language = await self._opened(handle, request)
        page = page_of(
            view,
            language,
            steps=await self._parts.bundle.first_steps(view.assessment),
            figures=await self._parts.bundle.figures(view.assessment),
            note=_number(request.query_params.get("note")),
        )
        return self._page(page, handle, session)

    async def summary(self, handle: str, request: Request) -> Response:
        """The record summary, made with the reading."""
        session, view, language = await self._opened(handle, request)
        page = summary_page(view, language, note=_number(request.query_params.get("note")))
        return self._page(page, handle, session)

    async def questions(self, handle: str, request: Request) -> Response:
        """The form for a question."""
        session, view, language = await self._opened(handle, request)
        page = question_page(view, language, note=_number(request.query_params.get("note")))
        return self._page(page, handle, session)

    async def ask(self, handle: str, request: Request) -> Response:
        """The answer to a question, which stands in the body alone."""
        self._refuse_foreign(request)
        session, view, language = await self._opened(handle, request)
        self._parts.questions.take(session.client.client.tenant, "question")
        question = await question_of(request)
        if question is None:
            return self._page(question_page(view, language, refused=True), handle, session, status=400)
        answered = await answer_to(question, view, self._parts.asking)
        return self._page(question_page(view, language, question=question, answered=answered), handle, session)

    async def alive(self, handle: str, request: Request) -> Response:
        """The user is still there."""
        self._refuse_foreign(request)
        session = await self._session(handle, request)
        return _answer(204, session.client)

    async def end(self, handle: str, request: Request) -> Response:
        """Signs out."""
        self._refuse_foreign(request)
        client = await self._parts.sessions.end(handle, self._cookie(request, handle))
        answer = self._said(Ended("signed out", client), status=200)
        self._set_cookie(answer, request, handle, "", 0)
        answer.headers["clear-site-data"] = '"cache"'
        return answer

    async def _opened(self, handle: str, request: Request) -> tuple[Session, KeptView, Language]:
        """Session, view and language of a page; who looks at whom is noted for the audit trail."""
        session = await self._session(handle, request)
        audit_notes().kind = "view"
        view = await self._view(session)
        _note_who(session.client, view.user_id, view.patient_id)
        return session, view, _language(request.query_params.get("lang"), view)

    def _page(self, page: Page | QuotedPage, handle: str, session: Session, *, status: int = 200) -> Response:
        body = rendered(page, address=SESSION_PATH.format(handle=handle), idle_seconds=self._parts.idle_seconds)
        return _answer(status, session.client, body)

    async def _session(self, handle: str, request: Request) -> Session:
        session = await self._parts.sessions.current(handle, self._cookie(request, handle))
        log_fields(request)["tenant"] = session.client.client.tenant
        return session

    async def _view(self, session: Session) -> KeptView:
        try:
            return await self._parts.views.open(session.view)
        except Gone:
            raise Gone("no such view", session.client) from None

    def _refuse_foreign(self, request: Request) -> None:
        """A page of another site must not end a session, nor keep it open."""
        site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
        # Browsers say by the first where a request comes from; under our referrer policy a form's origin is `null`.
        if site != "same-origin" if site else origin not in (None, self._parts.public_base_url):
            raise LaunchRefused("sent by another site")

    def _guarded(self, handler: Handler) -> Handler:
        """`handler`, whose refusals become messages."""

        async def handle(request: Request) -> Response:
            try:
                return await handler(request=request, **request.path_params)
            except ViewerRefusal as refusal:
                return self._refused(request, refusal)
            except Unavailable as fault:
                return self._refused(request, NotNow(fault.text))
            except TooManyRequests as fault:
                answer = self._said(NotNow("quota"), status=fault.status)
                answer.headers["retry-after"] = str(fault.retry_after)
                return answer

        return handle

    def _refused(self, request: Request, refusal: ViewerRefusal) -> Response:
        if refusal.client:
            log_fields(request)["tenant"] = refusal.client.client.tenant
        if isinstance(refusal, LaunchRefused | NotYours):
            security_event("viewer-refused", reason=refusal.reason)
        log_event(log, "viewer refused", reason=refusal.reason, status=refusal.status)
        audit_notes().refusal = refusal.reason
        return self._said(refusal, status=refusal.status)

    def _said(self, refusal: ViewerRefusal, *, status: int) -> Response:
        return _answer(
            status, refusal.client, _templates().get_template(_MESSAGE).render(words=MESSAGES[type(refusal).__name__])
        )

    def _cookie(self, request: Request, of: str) -> str | None:
        return request.cookies.get(self._parts.cookies.name(of))

    def _set_cookie(self, answer: Response, request: Request, of: str, value: str, seconds: int) -> None:
        framed = request.headers.get("sec-fetch-dest", "") in _FRAMES
        answer.headers.append("set-cookie", self._parts.cookies.written(of, value, seconds, framed=framed))


@cache
def _templates() -> Environment:
    loader = FileSystemLoader(TEMPLATES)
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)


def rendered(page: Page | QuotedPage, *, address: str, idle_seconds: int) -> str:
    """The page's HTML. `address`: of its session."""
    return (
        _templates()
        .get_template(_EVIDENCE if isinstance(page, Page) else _QUOTED)
        .render(page=page, address=address, idle_seconds=idle_seconds)
    )


def _answer(status: int, client: RegisteredClient | None, body: str = "", *, location: str = "") -> Response:
    """Everything of the viewer leaves with these headers. Who may frame it is the client's to say; unknown: nobody."""
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


def _launching(state: str) -> str:
    """What the cookie of a launch under way is called: each has its own, so that two at once do not meet."""
    return f"launch-{state[:12]}"


def _once(request: Request, name: str) -> str | None:
    """A query parameter that may come once. Raises LaunchRefused."""
    found = request.query_params.getlist(name)
    if len(found) > 1:
        raise LaunchRefused("a parameter came twice")
    return found[0] if found else None


def _language(asked: str | None, view: KeptView) -> Language:
    return "zh" if asked == "zh" else "en" if asked == "en" else view.assessment.language


def _number(asked: str | None) -> int | None:
    return int(asked) if asked and asked.isascii() and asked.isdigit() and len(asked) < 6 else None


def _note_who(client: RegisteredClient, user: str, patient: str) -> None:
    notes = audit_notes()
    notes.tenant, notes.issuer = client.client.tenant, client.iss
    notes.who = replace(notes.who, patient=f"Patient/{patient}", user=user)


def _asset(name: str) -> Callable[[], Awaitable[Response]]:
    body = (STATIC / name).read_bytes()
    headers: dict[str, Any] = {"cache-control": "max-age=300", "x-content-type-options": "nosniff"}

    async def asset() -> Response:
        return Response(body, media_type=_TYPES[Path(name).suffix], headers=headers)

    return asset
