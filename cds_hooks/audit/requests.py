"""No answer leaves before its audit record is on disk.

Knows ASGI messages and what is answered when the record cannot be kept: of a hook call nothing is shown, feedback is to
be sent again, a refusal stays a refusal. Does not know what the handlers note (notes) nor where records go.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Protocol

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cds_hooks.audit.notes import AuditNotes, Who, begin_notes
from cds_hooks.audit.record import UNKEPT, AuditRecord, audit_record
from cds_hooks.audit.trail import NotOnDisk
from cds_hooks.operation_outcome import NO_STORE, Unavailable, refusal_response
from cds_hooks.outcome import degraded_body
from worker.payloads import Sealer


class Keeper(Protocol):
    """Keeps records (trail)."""

    async def keep(self, record: AuditRecord) -> None:
        """Raises NotOnDisk."""
        ...


@dataclass(frozen=True, slots=True)
class Auditing:
    """What records are made and kept with."""

    keeper: Keeper
    sealer: Sealer | None
    deadline: float
    """Seconds in which a request is to be answered ..."""
    reserve: float
    """... and how long a record may take where they have run out."""


class AuditRequests:
    """ASGI middleware, the innermost of ours: whatever goes wrong further in still leaves a record."""

    def __init__(self, app: ASGIApp, auditing: Auditing) -> None:
        self._app = app
        self._auditing = auditing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, answered, replaced = time.monotonic(), False, False
        notes = begin_notes()
        notes.who = Who(address=(scope.get("client") or ("",))[0])

        async def keeping(message: Message) -> None:
            nonlocal answered, replaced
            if message["type"] == "http.response.start":
                answered = True
                instead = None if await self._kept(notes, message["status"], begun) else _instead(notes, message)
                if instead:
                    replaced = True
                    await instead(scope, receive, send)
            if not replaced:
                await send(message)

        try:
            await self._app(scope, receive, keeping)
        except Exception:
            if not answered:
                await self._kept(notes, 500, begun)
            raise

    async def _kept(self, notes: AuditNotes, status: int, begun: float) -> bool:
        if notes.kind is None or (notes.kind == "discovery" and status < 400):
            return True
        auditing = self._auditing
        record = audit_record(notes, notes.kind, status, auditing.sealer)
        left = max(begun + auditing.deadline - time.monotonic(), auditing.reserve)
        try:
            async with asyncio.timeout(left):
                await auditing.keeper.keep(record)
        except (NotOnDisk, TimeoutError):
            return False
        return True


def _instead(notes: AuditNotes, message: Message) -> Response | None:
    """What is answered in place of an answer without a record; None where that tells nobody anything."""
    if message["status"] >= 400:
        return None
    if notes.kind == "feedback":
        return refusal_response(Unavailable("Feedback cannot be kept at the moment; send it again."))
    if notes.kind == "notification":
        return refusal_response(Unavailable("The notification cannot be taken at the moment; send it again."))
    if notes.kind == "view":
        return refusal_response(Unavailable("The viewer cannot be opened at the moment."))
    return Response(degraded_body(UNKEPT), media_type="application/json", headers=NO_STORE)
