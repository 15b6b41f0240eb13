"""The addresses of the demo EHR's SMART authorization server: configuration, launch, authorize, token, keys.

Knows HTTP; what is granted is decided in `authorization`. Like the rest of the demo it is there for this machine alone, and only
in a process that serves the demo.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from cds_hooks.demo_ehr.authorization import Authorization, GrantRefused, NotAClient, Opened
from cds_hooks.demo_ehr.loopback_only import here_alone
from cds_hooks.demo_ehr.registered_viewer import FHIR_PATH, fhir_server
from cds_hooks.operation_outcome import BadRequest, Forbidden
from cds_hooks.request_body import BodyLimits, read_form
from cds_hooks.settings import Settings
from cds_hooks.viewer.smart_launch import CALLBACK_PATH, LAUNCH_PATH

PATH = "/demo/smart/"
_LIMITS = BodyLimits(size=8192, seconds=10)
_HEADERS = {"cache-control": "no-store", "referrer-policy": "no-referrer", "x-content-type-options": "nosniff"}
_USER = re.compile(r"Practitioner/[A-Za-z0-9.-]{1,64}")
_PATIENT = re.compile(r"[A-Za-z0-9.-]{1,64}")
_CONTEXT = re.compile(r"[A-Za-z0-9_-]{0,128}")


class SmartServer:
    """The handlers, one method for each address."""

    def __init__(self, settings: Settings) -> None:
        base = settings.public_base_url
        self._base, self._fhir_server = base, fhir_server(settings)
        self._authorization = Authorization(base, self._fhir_server, base + CALLBACK_PATH)

    def router(self) -> APIRouter:
        """Every route."""
        router = APIRouter(include_in_schema=False)
        for path, method, handler in (
            (f"{FHIR_PATH}/.well-known/smart-configuration", "GET", self.configuration),
            (f"{PATH}launch", "POST", self.launch),
            (f"{PATH}authorize", "GET", self.authorize),
            (f"{PATH}token", "POST", self.token),
            (f"{PATH}jwks", "GET", self.keys),
        ):
            router.add_api_route(path, here_alone(handler), methods=[method])
        return router

    async def configuration(self, _: Request) -> Response:
        return _json(
            {
                "issuer": self._base,
                "authorization_endpoint": f"{self._base}{PATH}authorize",
                "token_endpoint": f"{self._base}{PATH}token",
                "jwks_uri": f"{self._base}{PATH}jwks",
                "grant_types_supported": ["authorization_code"],
                "response_types_supported": ["code"],
                "code_challenge_methods_supported": ["S256"],
                "scopes_supported": ["openid", "fhirUser", "launch"],
                "capabilities": ["launch-ehr", "client-public", "context-ehr-patient", "sso-openid-connect"],
            }
        )

    async def launch(self, request: Request) -> Response:
        """The EHR's own step, sent by its page's form: what is open becomes a `launch`, and the app is opened with it."""
        if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            raise Forbidden("Only the demo EHR's own page opens its apps.")
        form = await read_form(request, _LIMITS)
        user, patient, context = (form.get(name, "") for name in ("userId", "patientId", "appContext"))
        if not (_USER.fullmatch(user) and _PATIENT.fullmatch(patient) and _CONTEXT.fullmatch(context)):
            raise BadRequest("This is nothing that the demo EHR opens.")
        launch = self._authorization.launch(Opened(user, patient, context or None))
        return _moved(f"{self._base}{LAUNCH_PATH}?{urlencode({'iss': self._fhir_server, 'launch': launch})}")

    async def authorize(self, request: Request) -> Response:
        try:
            return _moved(self._authorization.authorized(request.query_params))
        except NotAClient:
            raise BadRequest("This client or its redirect address is not registered here.") from None

    async def token(self, request: Request) -> Response:
        try:
            return _json(self._authorization.token(await read_form(request, _LIMITS)))
        except GrantRefused:
            return _json({"error": "invalid_grant"}, 400)

    async def keys(self, _: Request) -> Response:
        return _json(self._authorization.keys())


def _json(document: dict[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(document), status, _HEADERS, "application/json")


def _moved(location: str) -> Response:
    """303: whatever the method was, the next one is GET."""
    return Response(status_code=303, headers={**_HEADERS, "location": location})
