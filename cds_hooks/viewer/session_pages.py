"""The pages of one session: its tabs, that it is still used, its end.

Each opens with the session's cookie alone. What stands on a page, evidence_page and quoted_page know.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from cds_hooks.audit.notes import audit_notes
from cds_hooks.page_language import asked_language
from cds_hooks.quota import Quota
from cds_hooks.request_log import log_fields
from cds_hooks.viewer.asked import answer_to, question_of
from cds_hooks.viewer.evidence_page import Page, page_of
from cds_hooks.viewer.guard import Guard, note_who, said
from cds_hooks.viewer.installed_bundle import InstalledBundle
from cds_hooks.viewer.kept_views import KeptView, KeptViews
from cds_hooks.viewer.leaving import answer
from cds_hooks.viewer.quoted_page import QuotedPage, question_page, summary_page
from cds_hooks.viewer.refusals import Ended, Gone
from cds_hooks.viewer.rendering import rendered
from cds_hooks.viewer.sessions import Session, Sessions
from nlp_core.assessment import Language
from worker.client import AskingClient

SESSION_PATH = "/viewer/session/{handle}"


@dataclass(frozen=True, slots=True)
class _Opened:
    """What every page begins with; `note`: number of a note that must be on it."""

    session: Session
    view: KeptView
    language: Language
    note: int | None


@dataclass(frozen=True, slots=True)
class SessionPages:
    """The handlers, one method for each address. Every page takes `?lang=zh` and `?note=3`."""

    guard: Guard
    sessions: Sessions
    views: KeptViews
    bundle: InstalledBundle
    idle_seconds: int
    asking: AskingClient | None
    """Who answers questions; None = nobody does."""
    questions_quota: Quota

    async def show(self, handle: str, request: Request) -> Response:
        """The evidence."""
        opened = await self._opened(handle, request)
        page = page_of(
            opened.view,
            opened.language,
            steps=await self.bundle.first_steps(opened.view.assessment),
            figures=await self.bundle.figures(opened.view.assessment),
            note=opened.note,
        )
        return self._page(page, handle, opened)

    async def summary(self, handle: str, request: Request) -> Response:
        """The record summary, made with the reading."""
        opened = await self._opened(handle, request)
        return self._page(summary_page(opened.view, opened.language, note=opened.note), handle, opened)

    async def questions(self, handle: str, request: Request) -> Response:
        """The form for a question."""
        opened = await self._opened(handle, request)
        return self._page(question_page(opened.view, opened.language, note=opened.note), handle, opened)

    async def ask(self, handle: str, request: Request) -> Response:
        """The answer to a question, which stands in the body alone."""
        self.guard.refuse_foreign(request)
        opened = await self._opened(handle, request)
        self.questions_quota.take(opened.session.client.client.tenant, "question")
        question = await question_of(request)
        if question is None:
            page = question_page(opened.view, opened.language, refused=True)
            return self._page(page, handle, opened, status=400)
        answered = await answer_to(question, opened.view, self.asking)
        page = question_page(opened.view, opened.language, question=question, answered=answered, note=opened.note)
        return self._page(page, handle, opened)

    async def alive(self, handle: str, request: Request) -> Response:
        """The user is still there."""
        self.guard.refuse_foreign(request)
        session = await self._session(handle, request)
        return answer(204, session.client)

    async def end(self, handle: str, request: Request) -> Response:
        """Signs out."""
        self.guard.refuse_foreign(request)
        client = await self.sessions.end(handle, self.guard.cookie(request, handle))
        response = said(Ended("signed out", client), status=200)
        self.guard.set_cookie(response, request, handle, "", 0)
        response.headers["clear-site-data"] = '"cache"'
        return response

    async def _opened(self, handle: str, request: Request) -> _Opened:
        """Who looks at whom is noted for the audit trail."""
        session = await self._session(handle, request)
        audit_notes().kind = "view"
        try:
            view = await self.views.open(session.view)
        except Gone:
            raise Gone("no such view", session.client) from None
        note_who(session.client, view.user_id, view.patient_id)
        asked = request.query_params
        return _Opened(
            session, view, asked_language(asked.get("lang"), view.assessment.language), _number(asked.get("note"))
        )

    async def _session(self, handle: str, request: Request) -> Session:
        session = await self.sessions.current(handle, self.guard.cookie(request, handle))
        log_fields(request)["tenant"] = session.client.client.tenant
        return session

    def _page(self, page: Page | QuotedPage, handle: str, opened: _Opened, *, status: int = 200) -> Response:
        body = rendered(page, address=SESSION_PATH.format(handle=handle), idle_seconds=self.idle_seconds)
        return answer(status, opened.session.client, body)


def _number(asked: str | None) -> int | None:
    return int(asked) if asked and asked.isascii() and asked.isdigit() and len(asked) < 6 else None
