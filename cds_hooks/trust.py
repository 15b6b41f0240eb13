"""Who is calling: checks the signed token of a call and names the tenant.

Knows JWTs and the six checks of the CDS Hooks best practices (issuer, audience, expiry, tenant, signature, replay),
plus those PyJWT leaves to us: a cap on a token's lifetime, integer times, a bounded `jti`, refused key headers.
Every failure is NotTrusted, whose reason goes to the log and never to the caller; the token itself goes nowhere.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from jwt.algorithms import get_default_algorithms

from cds_hooks import strict_json
from cds_hooks.key_sets import Jwk, KeySets, NoKey
from cds_hooks.operation_outcome import NotTrusted
from cds_hooks.replay_store import ReplayStore
from cds_hooks.settings import Settings
from cds_hooks.trusted_issuer import TrustedIssuer

MAX_TOKEN_CHARACTERS = 8192
MAX_JTI_CHARACTERS = 128
MAX_KID_CHARACTERS = 256
MIN_RSA_BITS = 2048
MOST_MADE = 1000

_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_KEY_HEADERS = frozenset({"jwk", "x5u", "x5c", "crit"})
"""Headers that bring or point to a key of the caller's choice, or that ask for extensions we do not have."""
_KEY_FIT = {"ES384": ("EC", "P-384"), "ES256": ("EC", "P-256"), "RS384": ("RSA", None), "RS256": ("RSA", None)}
_REQUIRED_CLAIMS = ["iss", "aud", "exp", "iat", "jti"]


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated client, or the only one where authentication is off."""

    tenant: str
    fhir_servers: tuple[str, ...] = ()
    """Base addresses it may ask us to call."""
    private_network: bool = False
    authenticated: bool = True
    issuer: str = ""
    """Of its token; empty where none is asked for."""


class Trust:
    """Checks the Authorization header of a call."""

    def __init__(self, settings: Settings, keys: KeySets, seen: ReplayStore) -> None:
        self._settings = settings
        self._keys = keys
        self._seen = seen
        self._made: dict[tuple[str, str, str], tuple[Jwk, Any]] = {}
        """By issuer, `kid` and algorithm, with the JWK that each was made of."""

    def anyone(self) -> Caller:
        """The caller where no token is asked for."""
        settings = self._settings
        return Caller(settings.tenant, settings.fhir_servers, settings.private_network, authenticated=False)

    async def caller(self, authorization: list[str], path: str) -> Caller:
        """The client behind the `Authorization` headers of a call to `path` (e.g. `/cds-services`).

        Raises NotTrusted, or Unavailable when the store of seen tokens does not answer.
        """
        if not self._settings.auth_on:
            return self.anyone()
        token = _bearer_token(authorization)
        header, claims = _segment(token, 0), _segment(token, 1)
        name, issuer = self._issuer(claims)
        algorithm, kid = self._checked_header(header, issuer)
        try:
            jwk = await self._keys.key(name, kid)
        except NoKey as error:
            raise NotTrusted(str(error)) from None
        key = self._public_key(jwk, name, kid, algorithm)
        self._verify(token, key, algorithm, name, path)
        lifetime = self._checked_claims(claims, issuer)
        if not await self._seen.first_time(name, claims["jti"], lifetime):
            raise NotTrusted("jti seen before")
        return Caller(issuer.tenant, issuer.fhir_servers, issuer.private_network, issuer=name)

    def _public_key(self, jwk: Jwk, issuer: str, kid: str, algorithm: str) -> Any:
        """Made once for each key of a set, and anew when the set is refreshed. Every token's signature is checked with it."""
        made_of, key = self._made.get((issuer, kid, algorithm), (None, None))
        if made_of is not jwk:
            key = public_key(jwk, algorithm)
            if len(self._made) >= MOST_MADE:  # of keys that have been replaced since
                self._made.clear()
            self._made[issuer, kid, algorithm] = jwk, key
        return key

    def _issuer(self, claims: Mapping[str, Any]) -> tuple[str, TrustedIssuer]:
        name = claims.get("iss")
        if not isinstance(name, str) or name not in self._settings.trusted_issuers:
            raise NotTrusted("issuer not registered")
        return name, self._settings.trusted_issuers[name]

    def _checked_header(self, header: Mapping[str, Any], issuer: TrustedIssuer) -> tuple[str, str]:
        """The algorithm and the `kid`."""
        algorithm, kid = header.get("alg"), header.get("kid")
        if _KEY_HEADERS & header.keys():
            raise NotTrusted("header brings its own key or a critical extension")
        if algorithm not in self._settings.algorithms:
            raise NotTrusted("algorithm not allowed")
        if str(header.get("typ", "")).upper() != "JWT":
            raise NotTrusted("typ is not JWT")
        if not isinstance(kid, str) or not 0 < len(kid) <= MAX_KID_CHARACTERS:
            raise NotTrusted("no usable kid")
        if "jku" in header and header["jku"] != issuer.jku:
            raise NotTrusted("jku is not the registered one")
        return str(algorithm), kid

    def _verify(self, token: str, key: Any, algorithm: str, issuer: str, path: str) -> None:
        try:
            jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._settings.public_base_url + path,
                issuer=issuer,
                leeway=self._settings.leeway_seconds,
                options={"require": _REQUIRED_CLAIMS},
            )
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise NotTrusted(f"token refused: {type(error).__name__}") from None

    def _checked_claims(self, claims: Mapping[str, Any], issuer: TrustedIssuer) -> int:
        """What PyJWT does not check; returns for how many seconds the `jti` must be remembered."""
        times = [claims[name] for name in ("iat", "exp", "nbf") if name in claims]
        if any(type(moment) is not int for moment in times):
            raise NotTrusted("a time is not an integer")
        lifetime = int(claims["exp"] - claims["iat"])
        if not 0 < lifetime <= self._settings.max_token_seconds:
            raise NotTrusted("lifetime out of bounds")
        if not 0 < len(claims["jti"]) <= MAX_JTI_CHARACTERS:
            raise NotTrusted("no usable jti")
        if "tenant" in claims and claims["tenant"] != issuer.tenant:
            raise NotTrusted("tenant is not this issuer's")
        # `iat` may lie `leeway` ahead and the token lives `leeway` past `exp`: both are added.
        return lifetime + 2 * self._settings.leeway_seconds + 1


def _bearer_token(authorization: list[str]) -> str:
    if len(authorization) != 1:
        raise NotTrusted("no Authorization header, or several")
    scheme, _, token = authorization[0].partition(" ")
    if scheme.lower() != "bearer" or len(token) > MAX_TOKEN_CHARACTERS or not _TOKEN.fullmatch(token):
        raise NotTrusted("no bearer token")
    return token


def _segment(token: str, index: int) -> dict[str, Any]:
    """Header (0) or claims (1), read as strictly as a body; not yet verified."""
    part = token.split(".")[index]
    try:
        value = strict_json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, ValueError):
        raise NotTrusted("token is not JSON") from None
    if not isinstance(value, dict):
        raise NotTrusted("token is not a JSON object")
    return value


def public_key(jwk: Jwk, algorithm: str) -> Any:
    """The key object for `algorithm`, one of ES384, ES256, RS384 and RS256, if the JWK is meant for it.

    Raises NotTrusted.
    """
    kind, curve = _KEY_FIT[algorithm]
    if jwk.get("kty") != kind or (curve and jwk.get("crv") != curve) or jwk.get("alg", algorithm) != algorithm:
        raise NotTrusted("key does not fit the algorithm")
    try:
        key = get_default_algorithms()[algorithm].from_jwk(dict(jwk))
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        raise NotTrusted("key cannot be read") from None
    if kind == "RSA" and key.key_size < MIN_RSA_BITS:
        raise NotTrusted("RSA key is too short")
    return key
