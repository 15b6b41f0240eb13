"""What the demo EHR's authorization server decides: launches, codes, and the token that a code is exchanged for.

Knows OAuth 2 with PKCE (S256) and SMART App Launch 2, the EHR's side, for one public client. Nobody signs in: the demo has one
user, whom the launch names. Launches and codes are random, for one use and one minute, and kept in memory. Knows no HTTP.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from cds_hooks.demo_ehr.registered_viewer import CLIENT_ID

ALGORITHM = "ES256"
SECONDS = 60
"""How long a launch or a code may wait."""
TOKEN_SECONDS = 300
_MOST = 1000
_SCOPES = frozenset({"openid", "fhirUser", "launch"})

T = TypeVar("T")


class NotAClient(Exception):
    """The request is not our one client's, so its redirect address is not to be followed."""


class GrantRefused(Exception):
    """A code that is unknown, used, late, or not this client's."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What the EHR knows when a link on a card is clicked."""

    user: str
    """`Practitioner/7`"""
    patient: str
    app_context: str | None


@dataclass(frozen=True, slots=True)
class _Granted:
    """What a code stands for."""

    opened: Opened
    challenge: str
    nonce: str
    scope: str


class _Once(Generic[T]):
    """Values under random names, each given out once, while it is fresh."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, T]] = {}

    def keep(self, value: T) -> str:
        if len(self._kept) >= _MOST:
            del self._kept[next(iter(self._kept))]
        name = secrets.token_urlsafe(32)
        self._kept[name] = (time.monotonic() + SECONDS, value)
        return name

    def take(self, name: str) -> T | None:
        until, value = self._kept.pop(name, (0.0, None))
        return value if time.monotonic() < until else None


class Authorization:
    """One authorization server with one client, whose key lives as long as the process."""

    def __init__(self, issuer: str, fhir_server: str, redirect: str) -> None:
        """redirect: the client's registered address."""
        self._issuer, self._fhir_server, self._redirect = issuer, fhir_server, redirect
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._key_id = secrets.token_urlsafe(8)
        self._launches: _Once[Opened] = _Once()
        self._codes: _Once[_Granted] = _Once()

    def launch(self, opened: Opened) -> str:
        """The `launch` parameter that stands for what is open."""
        return self._launches.keep(opened)

    def authorized(self, asked: Mapping[str, str]) -> str:
        """Where the browser goes: back to the client with a code, or with an error. Raises NotAClient."""
        if asked.get("client_id") != CLIENT_ID or asked.get("redirect_uri") != self._redirect:
            raise NotAClient
        opened = self._launches.take(asked.get("launch", ""))
        fault = self._fault(asked, opened)
        said = {"state": asked.get("state", ""), "iss": self._issuer}
        if fault or opened is None:
            return f"{self._redirect}?{urlencode({'error': fault, **said})}"
        scope = " ".join(one for one in asked["scope"].split() if one in _SCOPES)
        granted = _Granted(opened, asked["code_challenge"], asked.get("nonce", ""), scope)
        return f"{self._redirect}?{urlencode({'code': self._codes.keep(granted), **said})}"

    def _fault(self, asked: Mapping[str, str], opened: Opened | None) -> str:
        if asked.get("response_type") != "code":
            return "unsupported_response_type"
        if asked.get("code_challenge_method") != "S256" or not asked.get("code_challenge"):
            return "invalid_request"
        if asked.get("aud") != self._fhir_server:
            return "invalid_request"
        if not {"openid", "launch"} <= set(asked.get("scope", "").split()):
            return "invalid_scope"
        return "" if opened else "access_denied"

    def token(self, form: Mapping[str, str]) -> dict[str, Any]:
        """The token endpoint's answer. Raises GrantRefused."""
        granted = self._codes.take(form.get("code", ""))
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        shown = base64.urlsafe_b64encode(verifier).decode().rstrip("=")
        ours = form.get("client_id") == CLIENT_ID and form.get("redirect_uri") == self._redirect
        if granted is None or not ours or form.get("grant_type") != "authorization_code":
            raise GrantRefused
        if not hmac.compare_digest(shown.encode(), granted.challenge.encode()):
            raise GrantRefused
        answer: dict[str, Any] = {
            "access_token": secrets.token_urlsafe(32),
            "token_type": "Bearer",
            "expires_in": TOKEN_SECONDS,
            "scope": granted.scope,
            "patient": granted.opened.patient,
            "need_patient_banner": False,
            "id_token": self._id_token(granted),
        }
        context = granted.opened.app_context
        return answer if context is None else answer | {"appContext": context}

    def _id_token(self, granted: _Granted) -> str:
        now = int(time.time())
        user = granted.opened.user
        claims = {"iss": self._issuer, "aud": CLIENT_ID, "sub": user.rpartition("/")[2], "iat": now}
        claims |= {"exp": now + TOKEN_SECONDS, "nonce": granted.nonce, "fhirUser": f"{self._fhir_server}/{user}"}
        return jwt.encode(claims, self._key, ALGORITHM, headers={"kid": self._key_id})

    def keys(self) -> dict[str, Any]:
        """The JWK Set."""
        public = ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {"keys": [{**public, "kid": self._key_id, "alg": ALGORITHM, "use": "sig"}]}
