"""A small SMART authorization server on loopback: configuration, authorize, token with S256 checked, keys; and faults.

Signs everybody in without asking. What a launch is for is told beforehand, as an EHR would know it.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import jwt
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.cds_hooks.tokens import RSA_KEY, key_set
from tests.server_thread import LoopbackServer
from worker.local_redis import free_port

CLIENT_ID = "dxspan-viewer"


@dataclass(frozen=True)
class SignedIn:
    """Who opens which patient, and what the card's link said."""

    user: str = "Practitioner/7"
    patient: str = "pat-1"
    app_context: Any = None


@dataclass
class SmartServer(LoopbackServer):
    """`with SmartServer() as smart:` serves the FHIR base `smart.url`."""

    configuration: dict[str, Any] = field(default_factory=dict)
    """In place of the usual members; None removes one."""
    claims: dict[str, Any] = field(default_factory=dict)
    """The same for id_tokens."""
    granted: dict[str, Any] = field(default_factory=dict)
    """The same for the token's answer."""
    signing: dict[str, Any] = field(default_factory=lambda: {"key": RSA_KEY, "algorithm": "RS256", "kid": "rsa"})
    standalone: SignedIn = field(default_factory=SignedIn)
    """Who signs in where no EHR launched."""
    launches: dict[str, SignedIn] = field(default_factory=dict)
    codes: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str], dict[str, str]]] = field(default_factory=list)
    """(path, parameters, headers)"""
    port: int = field(default_factory=free_port)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.origin}/fhir"

    def launch(self, signed_in: SignedIn) -> str:
        """The `launch` parameter of an EHR launch by that user."""
        name = secrets.token_urlsafe(8)
        self.launches[name] = signed_in
        return name

    def routes(self) -> list[Route]:
        return [
            Route("/fhir/.well-known/smart-configuration", self._configured),
            Route("/authorize", self._authorize),
            Route("/token", self._token, methods=["POST"]),
            Route("/jwks", self._keys),
        ]

    async def _configured(self, _: Request) -> Response:
        usual = {
            "issuer": self.origin,
            "authorization_endpoint": f"{self.origin}/authorize",
            "token_endpoint": f"{self.origin}/token",
            "jwks_uri": f"{self.origin}/jwks",
            "code_challenge_methods_supported": ["S256"],
            "capabilities": ["launch-ehr", "launch-standalone", "sso-openid-connect"],
        }
        return JSONResponse(_changed(usual, self.configuration))

    async def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        self.asked.append(("/authorize", asked, dict(request.headers)))
        good = asked.get("response_type") == "code" and asked.get("client_id") == CLIENT_ID
        if not good or asked.get("code_challenge_method") != "S256" or not asked.get("code_challenge"):
            return Response("refused", 400)
        signed_in = self.launches[asked["launch"]] if "launch" in asked else self.standalone
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked | {"signed_in": signed_in}
        return RedirectResponse(f"{asked['redirect_uri']}?code={code}&state={asked['state']}", 302)

    async def _token(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await _form(request)).items()}
        self.asked.append(("/token", form, dict(request.headers)))
        known = self.codes.pop(form.get("code", ""), None)  # a code is for one use
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        fits = known and known["code_challenge"] == challenge.decode().rstrip("=")
        if not known or not fits or known["redirect_uri"] != form.get("redirect_uri"):
            return JSONResponse({"error": "invalid_grant"}, 400)
        signed_in: SignedIn = known["signed_in"]
        answer = {
            "access_token": "canary-access-token",
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": known["scope"],
            "patient": signed_in.patient,
            "id_token": self._id_token(known["nonce"], signed_in),
            "appContext": signed_in.app_context,
        }
        return JSONResponse(_changed(answer, {"appContext": signed_in.app_context} | self.granted))

    def _id_token(self, nonce: str, signed_in: SignedIn) -> str:
        now = int(time.time())
        usual = {"iss": self.origin, "aud": CLIENT_ID, "sub": "someone", "iat": now, "exp": now + 300}
        usual |= {"nonce": nonce, "fhirUser": f"{self.url}/{signed_in.user}"}
        signing = self.signing
        claims = _changed(usual, self.claims)
        return jwt.encode(claims, signing["key"], signing["algorithm"], headers={"kid": signing["kid"]})

    async def _keys(self, _: Request) -> Response:
        return JSONResponse(key_set())


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode()))


def _changed(usual: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (usual | changes).items() if value is not None}
