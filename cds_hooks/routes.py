"""The addresses we serve: discovery, the service, its feedback, health.

Knows the order in which a call is checked: token, quota, path, media type, size, JSON, fields. Knows nothing of how an answer
comes about (answer) nor of documents about the API (api_document).
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import orjson
from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from cds_hooks.answer import Answering
from cds_hooks.api_document import CALL, DISCOVERY, FEEDBACK, HEALTH
from cds_hooks.audit.notes import audit_notes
from cds_hooks.call_body import CallBodies
from cds_hooks.hook_request import HookRequest
from cds_hooks.http_server import ARRIVED
from cds_hooks.kept_answers import CallKey, KeptAnswers
from cds_hooks.memory.feedback import FeedbackStore, read_feedback
from cds_hooks.operation_outcome import NO_STORE, NotFound, NotTrusted, Unavailable
from cds_hooks.precompute import Precomputing
from cds_hooks.precompute_services import PRECOMPUTE_IDS, PRECOMPUTE_SERVICES
from cds_hooks.quota import Quota
from cds_hooks.request_body import BodyLimits, read_as, read_json
from cds_hooks.request_log import log_fields
from cds_hooks.security_events import security_event
from cds_hooks.services import Service, discovery, service_by_id, services_offered
from cds_hooks.settings import Settings
from cds_hooks.trust import Caller, Trust
from cds_hooks.turnstile import Turnstile
from worker.tracing import note, note_tenant

DISCOVERY_PATH = "/cds-services"
SERVICE_PATH = "/cds-services/{service_id}"
FEEDBACK_PATH = "/cds-services/{service_id}/feedback"
LATEST_BEGIN_SHARE = 0.4
"""Share of the deadline within which a call must have begun where many wait behind it; later, it is answered unread."""
MANY_CALLS = 8
PRECOMPUTE = "precompute"
"""Their quota is their own: a morning's bookings cost no chart that is opened."""
SMALL_BYTES = 128 * 1024
"""A body up to this is read in the event loop, in a few milliseconds."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the routes work with."""

    settings: Settings
    trust: Trust
    answering: Answering
    precomputing: Precomputing
    bodies: CallBodies
    kept: KeptAnswers
    feedback: FeedbackStore
    quota: Quota
    switches_changed: Callable[[], int]
    """How often the switches have changed: an answer from before is not given again."""
    switches_faulty: Callable[[], bool | None]
    """True while the switches file cannot be followed; None where there is none."""
    ready: Callable[[], Awaitable[bool]]
    workers_silent: Callable[[], bool | None]
    """True since a canary task was lost; None where this process has no workers."""


class Routes:
    """The handlers, one method for each address."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        settings = parts.settings
        self._turnstile = Turnstile()
        self._latest_begin = settings.deadline_ms / 1000 * LATEST_BEGIN_SHARE
        self._services = services_offered(record_summary=settings.record_summary)
        self._services += PRECOMPUTE_SERVICES if settings.precompute else ()
        self._discovery = orjson.dumps(discovery(settings.language, self._services))
        self._call_limits = BodyLimits(settings.max_body_bytes, settings.body_timeout_seconds)
        self._feedback_limits = BodyLimits(settings.max_feedback_bytes, settings.body_timeout_seconds)

    def router(self) -> APIRouter:
        """Every route of the app."""
        router = APIRouter(redirect_slashes=False)
        router.add_api_route(DISCOVERY_PATH, self.discover, methods=["GET"], **DISCOVERY)
        router.add_api_route(SERVICE_PATH, self.call, methods=["POST"], **CALL)
        router.add_api_route(FEEDBACK_PATH, self.take_feedback, methods=["POST"], **FEEDBACK)
        router.add_api_route("/healthz", self.healthy, methods=["GET"], **HEALTH)
        router.add_api_route("/readyz", self.ready, methods=["GET"], **HEALTH)
        if self._parts.settings.metrics:
            router.add_api_route("/metrics", self.metrics, methods=["GET"], include_in_schema=False)
        return router

    async def discover(self, request: Request) -> Response:
        if self._parts.settings.discovery_auth:
            audit_notes().kind = "discovery"
            await self._caller(request, DISCOVERY_PATH)
        return _json(self._discovery)

    async def call(self, service_id: str, request: Request) -> Response:
        arrived: float = request.scope.get(ARRIVED, time.monotonic())
        audit_notes().kind = "hook-call"
        await self._turnstile.turn()
        bucket = PRECOMPUTE if service_id in PRECOMPUTE_IDS else ""
        caller = await self._caller(request, SERVICE_PATH.format(service_id=service_id), bucket)
        service = self._known(service_id)
        if self._turnstile.waiting >= MANY_CALLS and time.monotonic() - arrived > self._latest_begin:
            return _json(self._parts.answering.shed(caller, arrived).body)
        sending = time.monotonic()
        body = await read_as(request, self._call_limits, lambda sent: self._parts.bodies.read(sent, caller.tenant))
        arrived += time.monotonic() - sending  # the time the client took to send is not ours to answer for
        hook_request = body.request(service.hook)
        log_fields(request)["hookInstance"] = str(hook_request.instance)
        _note_who(hook_request)
        if service.id in PRECOMPUTE_IDS:
            busy = self._turnstile.waiting > 0 or self._parts.answering.in_hand >= MANY_CALLS
            return _json(self._parts.precomputing.answer(hook_request, caller, arrived, busy=busy).body)
        key = CallKey(caller.tenant, str(hook_request.instance), body.digest, self._parts.switches_changed())
        answering = self._parts.answering
        small = body.size < SMALL_BYTES
        answer = await self._parts.kept.once(
            key, lambda: answering.answer(hook_request, service, caller, arrived, small=small)
        )
        audit_notes().computed = answer.computed
        return _json(answer.body)

    async def take_feedback(self, service_id: str, request: Request) -> Response:
        audit_notes().kind = "feedback"
        caller = await self._caller(request, FEEDBACK_PATH.format(service_id=service_id))
        service = self._known(service_id)
        document = await read_json(request, self._feedback_limits)
        items = read_feedback(document)
        log_fields(request)["items"] = len(items)
        audit_notes().reported = [(str(item.card_uuid), item.outcome) for item in items]
        await self._parts.feedback.record(caller.tenant, service.id, items, datetime.now(UTC))
        return Response(status_code=200, headers=NO_STORE)

    async def healthy(self) -> Response:
        """The process runs."""
        return _json(b'{"status":"ok"}')

    async def ready(self) -> Response:
        """It could answer a call now; whether workers took the last canary task, whether switches are followed."""
        if not await self._parts.ready():
            raise Unavailable("Not ready.")
        silent = self._parts.workers_silent()
        workers = {} if silent is None else {"workers": "silent" if silent else "alive"}
        faulty = self._parts.switches_faulty()
        switches = {} if faulty is None else {"switches": "file-faulty" if faulty else "followed"}
        return _json(orjson.dumps({"status": "ok", **workers, **switches}))

    async def metrics(self) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST, headers=NO_STORE)

    def _known(self, service_id: str) -> Service:
        service = service_by_id(service_id, self._services)
        if not service:
            raise NotFound("There is no such service.")
        audit_notes().service = service.id
        note({"dxspan.service": service.id})
        return service

    async def _caller(self, request: Request, path: str, bucket: str = "") -> Caller:
        """bucket: of the quota; empty = that of the audited kind of call."""
        try:
            caller = await self._parts.trust.caller(request.headers.getlist("authorization"), path)
        except NotTrusted as refused:
            security_event("token-refused", reason=refused.text)
            raise
        log_fields(request)["tenant"] = caller.tenant
        note_tenant(caller.tenant)
        notes = audit_notes()
        notes.tenant, notes.issuer = caller.tenant, caller.issuer
        self._parts.quota.take(caller.tenant, bucket or notes.kind or "")
        return caller


def _note_who(request: HookRequest) -> None:
    notes, context = audit_notes(), request.context
    notes.hook_instance = str(request.instance)
    notes.who = replace(
        notes.who,
        patient=f"Patient/{context.patient_id}",
        user=context.user_id,
        encounter=f"Encounter/{context.encounter_id}" if context.encounter_id else "",
    )


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json", headers=NO_STORE)
