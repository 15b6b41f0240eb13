"""What a FHIR server says about its authorization server (`/.well-known/smart-configuration`), checked before use.

Knows SMART App Launch 2: PKCE with S256 must be offered. Every address it names must lie at the FHIR server's own origin
or at one that the operator wrote down; so a changed document sends neither a user nor a code elsewhere.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from cds_hooks import strict_json
from cds_hooks.outbound import Outbound, Unreachable
from cds_hooks.server_address import BadAddress, ServerAddress
from cds_hooks.viewer.refusals import LaunchRefused, NotNow
from cds_hooks.viewer.viewer_client import RegisteredClient

FRESH_SECONDS = 300.0
FETCH_SECONDS = 3.0
MAX_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class SmartConfiguration:
    """Where to send a user, and where to get tokens and keys."""

    issuer: str
    """`iss` of its id_tokens."""
    authorization_endpoint: ServerAddress
    token_endpoint: ServerAddress
    jwks_uri: ServerAddress


class SmartConfigurations:
    """Configurations of registered servers, kept for five minutes."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound
        self._kept: dict[str, tuple[float, SmartConfiguration]] = {}

    async def of(self, client: RegisteredClient) -> SmartConfiguration:
        """Raises LaunchRefused for a server that does not offer what we need, NotNow for one that does not answer."""
        until, known = self._kept.get(client.iss, (0.0, None))
        if known and time.monotonic() < until:
            return known
        found = self._read(await self._fetch(client), client)
        self._kept[client.iss] = (time.monotonic() + FRESH_SECONDS, found)
        return found

    async def _fetch(self, client: RegisteredClient) -> bytes:
        address = client.base.inside(f"{client.iss}/.well-known/smart-configuration")
        headers = {"accept": "application/json"}
        try:
            fetched = await self._outbound.get(
                address, client.rules, headers=headers, max_bytes=MAX_BYTES, seconds=FETCH_SECONDS
            )
        except Unreachable:
            raise NotNow("no smart-configuration", client) from None
        if fetched.status != 200:
            raise NotNow("no smart-configuration", client)
        return fetched.body

    def _read(self, body: bytes, client: RegisteredClient) -> SmartConfiguration:
        try:
            said = strict_json.loads(body)
        except strict_json.NotStrictJson:
            raise LaunchRefused("smart-configuration is not JSON", client) from None
        if not isinstance(said, dict) or not isinstance(said.get("issuer"), str):
            raise LaunchRefused("smart-configuration names no issuer", client)
        methods = said.get("code_challenge_methods_supported")
        if not isinstance(methods, list) or "S256" not in methods:
            raise LaunchRefused("the server does not offer PKCE with S256", client)
        endpoints = [_endpoint(said.get(name), client) for name in _ENDPOINTS]
        return SmartConfiguration(said["issuer"], *endpoints)


_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


def _endpoint(url: object, client: RegisteredClient) -> ServerAddress:
    try:
        address = ServerAddress.parse(url if isinstance(url, str) else "")
    except BadAddress:
        raise LaunchRefused("smart-configuration names no usable address", client) from None
    if not client.may_call(address):
        raise LaunchRefused("smart-configuration names an address that is not registered", client)
    return address
