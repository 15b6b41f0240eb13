"""Access tokens of our own for FHIR servers that notify us (SMART Backend Services: a signed assertion for a token).

Knows the exchange and for how long a token is kept, in memory alone. Never logs an answer. Raises FhirFailure.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from uuid import uuid4

import jwt
from pydantic import ValidationError

from cds_hooks import strict_json
from cds_hooks.fhir_server import FhirFailure
from cds_hooks.hook_request import FhirAuthorization
from cds_hooks.outbound import NetworkRules, Outbound, Unreachable
from cds_hooks.server_address import ServerAddress
from cds_hooks.subscriptions.subscribed_server import SubscribedServer

ASSERTION_SECONDS = 240
"""SMART allows five minutes."""
SPARE_SECONDS = 30.0
"""A token is not used so shortly before it ends."""
MAX_TOKEN_BYTES = 64 * 1024
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class BackendTokens:
    """One token per server, asked for when the last one is about to end."""

    def __init__(self, outbound: Outbound, *, loopback: bool) -> None:
        """loopback: in development a server may live on this machine."""
        self._outbound, self._loopback = outbound, loopback
        self._kept: dict[str, tuple[float, FhirAuthorization]] = {}
        self._asking: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def rules(self, server: SubscribedServer) -> NetworkRules:
        return NetworkRules(private=server.private_network, loopback=self._loopback)

    async def of(self, server: SubscribedServer, *, by: float) -> FhirAuthorization:
        """A token that still lasts; `by`: `time.monotonic()` seconds. Raises FhirFailure."""
        async with self._asking[server.fhir_server]:
            until, known = self._kept.get(server.fhir_server, (0.0, None))
            if known and time.monotonic() < until:
                return known
            granted = await self._granted(server, by)
            self._kept[server.fhir_server] = (time.monotonic() + granted.expires_in - SPARE_SECONDS, granted)
            return granted

    def forget(self, server: SubscribedServer) -> None:
        """The server did not take it: the next chart asks anew."""
        self._kept.pop(server.fhir_server, None)

    async def _granted(self, server: SubscribedServer, by: float) -> FhirAuthorization:
        form = {
            "grant_type": "client_credentials",
            "scope": server.scope,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": await asyncio.to_thread(assertion, server),
        }
        try:
            answer = await self._outbound.post(
                ServerAddress.parse(server.token_endpoint),
                self.rules(server),
                form=form,
                headers={"accept": "application/json"},
                max_bytes=MAX_TOKEN_BYTES,
                seconds=by - time.monotonic(),
            )
            said = strict_json.loads(answer.body)
        except (Unreachable, strict_json.NotStrictJson):
            raise FhirFailure("not-available") from None
        if answer.status != 200 or not isinstance(said, dict):
            raise FhirFailure("not-authorized")
        try:
            return FhirAuthorization.model_validate(
                {"scope": server.scope, "expires_in": 60} | said | {"subject": "dxspan"}
            )
        except ValidationError:
            raise FhirFailure("not-authorized") from None


def assertion(server: SubscribedServer) -> str:
    """The JWT by which the server's token endpoint knows us."""
    now = int(time.time())
    claims = {
        "iss": server.client_id,
        "sub": server.client_id,
        "aud": server.token_endpoint,
        "iat": now,
        "exp": now + ASSERTION_SECONDS,
        "jti": uuid4().hex,
    }
    return jwt.encode(claims, server.key_file.read_text(), algorithm=server.algorithm, headers={"kid": server.key_id})
