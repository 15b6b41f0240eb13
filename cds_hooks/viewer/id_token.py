"""Who has signed in: checks an id_token and reads the FHIR user from it.

Knows OpenID Connect as SMART uses it: signature by the server's keys, `iss`, `aud`, `exp`, `nonce`, `fhirUser`.
Any failure is LaunchRefused; the token goes nowhere.
"""

from __future__ import annotations

import hmac
import re
from typing import Any

import jwt

from cds_hooks.key_sets import FETCH_SECONDS, MAX_SET_BYTES, read_key_set
from cds_hooks.operation_outcome import NotTrusted
from cds_hooks.outbound import Outbound, Unreachable
from cds_hooks.server_address import BadAddress
from cds_hooks.trust import MAX_TOKEN_CHARACTERS, public_key
from cds_hooks.viewer.refusals import LaunchRefused, NotNow
from cds_hooks.viewer.smart_configuration import SmartConfiguration
from cds_hooks.viewer.viewer_client import RegisteredClient

ALGORITHMS = ("RS256", "RS384", "ES256", "ES384")
LEEWAY_SECONDS = 30
_REQUIRED = ["iss", "aud", "exp", "iat", "sub"]
_USER = re.compile(r"(?:Practitioner|PractitionerRole|Patient|RelatedPerson)/[A-Za-z0-9.-]{1,64}")


async def signed_in_user(
    token: object, nonce: str, client: RegisteredClient, configuration: SmartConfiguration, outbound: Outbound
) -> str:
    """`Practitioner/7`, as the id_token for `nonce` says. Raises LaunchRefused, or NotNow where keys cannot be had."""
    if not isinstance(token, str) or len(token) > MAX_TOKEN_CHARACTERS:
        raise LaunchRefused("no id_token", client)
    try:
        header = jwt.get_unverified_header(token)
        if header.get("alg") not in ALGORITHMS or not isinstance(header.get("kid"), str):
            raise LaunchRefused("id_token of another kind", client)
        jwk = await _key(header["kid"], client, configuration, outbound)
        claims = jwt.decode(
            token,
            public_key(jwk, header["alg"]),
            algorithms=[header["alg"]],
            audience=client.client.client_id,
            issuer=configuration.issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": _REQUIRED},
        )
    except (jwt.PyJWTError, NotTrusted, ValueError, TypeError) as error:
        raise LaunchRefused(f"id_token refused: {type(error).__name__}", client) from None
    _check(claims, nonce, client)
    return _user(claims.get("fhirUser"), client)


async def _key(kid: str, client: RegisteredClient, configuration: SmartConfiguration, outbound: Outbound) -> Any:
    """Fetched anew for each sign-in: those are rare, and a key that was withdrawn is then no longer believed."""
    headers = {"accept": "application/json"}
    try:
        fetched = await outbound.get(
            configuration.jwks_uri, client.rules, headers=headers, max_bytes=MAX_SET_BYTES, seconds=2 * FETCH_SECONDS
        )
    except Unreachable:
        raise NotNow("no keys of the authorization server", client) from None
    keys = read_key_set(fetched.body) if fetched.status == 200 else {}
    if kid not in keys:
        raise LaunchRefused("id_token signed with an unknown key", client)
    return keys[kid]


def _check(claims: dict[str, Any], nonce: str, client: RegisteredClient) -> None:
    said = claims.get("nonce")
    if not isinstance(said, str) or not hmac.compare_digest(said.encode(), nonce.encode()):
        raise LaunchRefused("id_token of another sign-in", client)
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if (several or "azp" in claims) and claims.get("azp") != client.client.client_id:
        raise LaunchRefused("id_token for another client", client)


def _user(said: object, client: RegisteredClient) -> str:
    """The reference of a user, which may be written as a URL under the FHIR server's base."""
    text = said if isinstance(said, str) else ""
    if _USER.fullmatch(text):
        return text
    try:
        segments = client.base.inside(text).segments[len(client.base.segments) :]
    except BadAddress:
        raise LaunchRefused("id_token names no user of this server", client) from None
    if not _USER.fullmatch("/".join(segments)):
        raise LaunchRefused("id_token names no user of this server", client)
    return "/".join(segments)
