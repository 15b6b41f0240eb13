"""The address that FHIR servers notify: who may, what is answered, and that the charts named are read ahead.

Knows the order in which a notification is checked: server, secret, quota, media type, size, JSON, Bundle. It is answered at
once; the reading is precompute's, dropped first when there is much to do. Nothing is told of what was read.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import uuid4

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from cds_hooks.api_document import NOTIFICATION
from cds_hooks.audit.notes import audit_notes
from cds_hooks.fhir_access import limits_of
from cds_hooks.fhir_server import FhirFailure, FhirServer
from cds_hooks.hook_request import FhirAuthorization, HookRequest
from cds_hooks.operation_outcome import NO_STORE, MissingData, NotFound, NotTrusted
from cds_hooks.outbound import Outbound
from cds_hooks.precompute import Precomputing
from cds_hooks.quota import Quota
from cds_hooks.request_body import BodyLimits, read_json
from cds_hooks.request_log import log_fields
from cds_hooks.security_events import security_event
from cds_hooks.services import PrefetchTemplate
from cds_hooks.settings import Settings
from cds_hooks.subscriptions.backend_tokens import BackendTokens
from cds_hooks.subscriptions.notification import Named, Notification, read_notification, reference_of
from cds_hooks.subscriptions.subscribed_server import SubscribedServer
from cds_hooks.watch import NOTIFICATIONS
from worker.tracing import note_tenant

PATH = "/fhir-notifications/{server}"
MEDIA = ("application/fhir+json", "application/json")
BUCKET = "notification"
"""Their quota is their own."""
NOBODY = "Practitioner/dxspan"
"""Stands where a hook names who opened the chart: nobody did, and it is told to nobody."""


@dataclass(frozen=True, slots=True)
class Chart:
    """Whose chart is to be read, where, and how we come to it."""

    server: SubscribedServer
    named: Named
    tokens: BackendTokens
    outbound: Outbound
    settings: Settings

    async def request(self, by: float) -> tuple[HookRequest, FhirServer]:
        """As a hook would have asked for it; see precompute.Source."""
        token = await self._authorized(by)
        rules = self.tokens.rules(self.server)
        fhir = FhirServer(self.server.base, token, self.outbound, rules, limits_of(self.settings))
        context = {"userId": NOBODY, "patientId": await self._patient(fhir, by)}
        asked = {"hook": "patient-view", "hookInstance": str(uuid4()), "context": context}
        return HookRequest.model_validate(asked | {"fhirServer": self.server.fhir_server}), fhir

    async def _authorized(self, by: float) -> FhirAuthorization:
        try:
            return await self.tokens.of(self.server, by=by)
        except FhirFailure as failure:
            raise MissingData(f"no access token: {failure.reason}") from None

    async def _patient(self, fhir: FhirServer, by: float) -> str:
        if self.named.resource_type == "Patient":
            return self.named.id
        template = PrefetchTemplate("encounter", "Encounter", f"/{self.named.id}")
        try:
            found = (await fhir.fetch(template, "", by=by)).resources
        except FhirFailure as failure:
            if failure.reason == "not-authorized":
                self.tokens.forget(self.server)
            raise MissingData("the encounter cannot be read") from None
        patient = reference_of(found[0].get("subject"), self.server.base) if found else None
        if patient is None or patient.resource_type != "Patient":
            raise MissingData("the encounter names no patient")
        return patient.id


class Notifications:
    """The route, where servers that notify us are configured."""

    def __init__(
        self, settings: Settings, precomputing: Precomputing, outbound: Outbound, quota: Quota, busy: Callable[[], bool]
    ) -> None:
        """busy: do charts that somebody opened wait?"""
        self._settings, self._precomputing, self._outbound = settings, precomputing, outbound
        self._quota, self._busy = quota, busy
        self._tokens = BackendTokens(outbound, loopback=settings.development)
        self._limits = BodyLimits(settings.max_body_bytes, settings.body_timeout_seconds, media=MEDIA)

    def router(self) -> APIRouter:
        router = APIRouter(redirect_slashes=False)
        router.add_api_route(PATH, self.notify, methods=["POST"], **NOTIFICATION)
        return router

    async def notify(self, server: str, request: Request) -> Response:
        audit_notes().kind = "notification"
        source = self._source(server, request)
        log_fields(request)["tenant"] = audit_notes().tenant = source.tenant
        note_tenant(source.tenant)
        self._quota.take(source.tenant, BUCKET)
        document = await read_json(request, self._limits)
        notification = read_notification(document, source.base)
        NOTIFICATIONS.labels(notification.kind).inc()
        self._read_ahead(notification, source)
        return Response(status_code=200, headers=NO_STORE)

    def _source(self, name: str, request: Request) -> SubscribedServer:
        source = self._settings.subscriptions.get(name)
        if source is None:
            raise NotFound("There is no such server.")
        said = request.headers.getlist("authorization")
        expected = f"Bearer {source.secret.get_secret_value()}"
        if len(said) != 1 or not hmac.compare_digest(said[0].encode(), expected.encode()):
            security_event("notification-refused")
            raise NotTrusted("not the secret of this server")
        return source

    def _read_ahead(self, notification: Notification, source: SubscribedServer) -> None:
        if notification.elsewhere:
            NOTIFICATIONS.labels("names-nobody").inc(notification.elsewhere)
        for place, named in enumerate(notification.named):
            if not place:
                _note_who(named)
            chart = Chart(source, named, self._tokens, self._outbound, self._settings)
            self._precomputing.begin(source.tenant, chart.request, busy=self._busy())


def _note_who(named: Named) -> None:
    notes = audit_notes()
    which = "patient" if named.resource_type == "Patient" else "encounter"
    notes.who = replace(notes.who, **{which: named.reference})
