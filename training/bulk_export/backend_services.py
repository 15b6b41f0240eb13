"""SMART Backend Services: an access token for a client that proves itself with its private key.

Input : client id, private key (JWK, JWK set or PEM file), the FHIR base or the token endpoint
Output: access tokens, a new one before the old one runs out
Each token is asked for with a JWT that is signed for this once (RS384 or ES384, five minutes, its own `jti`). Neither key,
JWT nor token is ever shown, stored or put into an error.
"""

from __future__ import annotations

import base64
import hashlib
import re
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from training.bulk_export.addresses import origin
from training.bulk_export.failures import ExportFailure, Unreachable
from training.bulk_export.server import Server
from training.bulk_export.waits import Waits

LIFETIME_SECONDS = 240
"""Of the signed JWT; the specification allows 300."""
RENEWED_BEFORE_SECONDS = 30
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")
_USUAL_LIFETIME = 300


@dataclass(frozen=True, slots=True, repr=False)
class SigningKey:
    """A private key with the algorithm it signs by."""

    key: RSAPrivateKey | EllipticCurvePrivateKey
    algorithm: str
    kid: str


def read_signing_key(path: Path, kid: str | None = None) -> SigningKey:
    """kid: instead of the JWK's own. A key without any is named by its thumbprint (RFC 7638), since every assertion must name
    its key. Raises ExportFailure, FileNotFoundError."""
    content = path.read_bytes()
    try:
        key, own = _from_pem(content) if b"-----BEGIN" in content else _from_jwk(orjson.loads(content), kid)
    except (ValueError, TypeError, KeyError, jwt.PyJWTError):
        raise ExportFailure(f"{path} holds no private key without password, as PEM, JWK or JWK set") from None
    if isinstance(key, RSAPrivateKey) and key.key_size >= 2048:
        return SigningKey(key, "RS384", kid or own or thumbprint(RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)))
    if isinstance(key, EllipticCurvePrivateKey) and key.curve.name == "secp384r1":
        return SigningKey(key, "ES384", kid or own or thumbprint(ECAlgorithm.to_jwk(key.public_key(), as_dict=True)))
    raise ExportFailure(f"{path}: SMART takes RSA keys of 2048 bits or more (RS384) and P-384 keys (ES384)")


def thumbprint(public: Mapping[str, Any]) -> str:
    """Of a public RSA or EC key as JWK: base64url of the SHA-256 over its required members in order (RFC 7638)."""
    required = {name: public[name] for name in ("crv", "e", "kty", "n", "x", "y") if name in public}
    digest = hashlib.sha256(orjson.dumps(required, option=orjson.OPT_SORT_KEYS)).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _from_pem(content: bytes) -> tuple[Any, None]:
    return load_pem_private_key(content, password=None), None


def _from_jwk(value: Any, kid: str | None) -> tuple[Any, str | None]:
    """The private key of a JWK; of a set the one named `kid`, else its only one that can sign."""
    keys = value["keys"] if isinstance(value, dict) and "keys" in value else [value]
    private = [one for one in keys if "d" in one and (kid is None or one.get("kid") == kid)]
    if len(private) != 1:
        raise ValueError("not one private key")
    return jwt.PyJWK(private[0], algorithm="ES384" if private[0]["kty"] == "EC" else "RS384").key, private[0].get("kid")


@dataclass(frozen=True, slots=True)
class Discovered:
    """What `.well-known/smart-configuration` says of tokens."""

    token_url: str
    scope: str


def discover(server: Server, algorithm: str) -> Discovered:
    """Raises ExportFailure where the server offers no backend services, or none that takes `algorithm`."""
    url = f"{server.base}/.well-known/smart-configuration"
    found = server.ask("GET", url, "the server's smart-configuration", headers={"accept": "application/json"}).value
    if not isinstance(found, Mapping) or not isinstance(found.get("token_endpoint"), str):
        raise ExportFailure("the server's smart-configuration names no token_endpoint: give --token-url")
    taken = found.get("token_endpoint_auth_signing_alg_values_supported")
    if isinstance(taken, list) and taken and algorithm not in taken:
        raise ExportFailure(f"the server takes no client keys of {algorithm}")
    newer = "permission-v2" in (found.get("capabilities") or ())
    return Discovered(found["token_endpoint"], "system/*.rs" if newer else "system/*.read")


class BackendServices:
    """Tokens of one client at one token endpoint; may be asked from several threads."""

    def __init__(
        self, client: httpx.Client, client_id: str, key: SigningKey, found: Discovered, waits: Waits | None = None
    ) -> None:
        origin(found.token_url, "the token endpoint")
        self._server = Server(found.token_url, client, waits=waits or Waits())
        self._client_id, self._key, self._scope = client_id, key, found.scope
        self._lock = threading.Lock()
        self._token, self._until = "", 0.0

    def token(self) -> str:
        """One that is good for half a minute at least. Raises ExportFailure."""
        with self._lock:
            if self._server.waits.now() >= self._until - RENEWED_BEFORE_SECONDS or not self._token:
                self._token, self._until = self._asked()
            return self._token

    def forget(self, token: str) -> None:
        """The server took this one no more; nothing happens where another thread has a new one already."""
        with self._lock:
            if token == self._token:
                self._token = ""

    def _asked(self) -> tuple[str, float]:
        begun = self._server.waits.now()
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        answer = self._server.ask("POST", self._server.base, "the token endpoint", headers=headers, content=self._form)
        value = answer.value if isinstance(answer.value, Mapping) else {}
        token, lifetime = value.get("access_token"), value.get("expires_in", _USUAL_LIFETIME)
        if (
            not isinstance(token, str)
            or not _TOKEN.fullmatch(token)
            or str(value.get("token_type")).lower() != "bearer"
        ):
            raise Unreachable("the token endpoint: its answer holds no bearer token")
        if not isinstance(lifetime, int) or isinstance(lifetime, bool) or lifetime <= 0:
            raise Unreachable("the token endpoint: its token has no time left")
        # A token that lives shorter than we renew ahead is used once and renewed at its end.
        return token, begun + max(lifetime, RENEWED_BEFORE_SECONDS + 1)

    def _form(self) -> bytes:
        """Made anew for each try: a server takes a `jti` once."""
        form = {
            "grant_type": "client_credentials",
            "scope": self._scope,
            "client_assertion_type": _ASSERTION_TYPE,
            "client_assertion": self._assertion(self._server.waits.now()),
        }
        return urlencode(form).encode()

    def _assertion(self, now: float) -> str:
        claims = {
            "iss": self._client_id,
            "sub": self._client_id,
            "aud": self._server.base,
            "iat": int(now),
            "exp": int(now) + LIFETIME_SECONDS,
            "jti": str(uuid.uuid4()),
        }
        return jwt.encode(claims, self._key.key, algorithm=self._key.algorithm, headers={"kid": self._key.kid})
