"""SMART App Launch 2, the app's side: from an EHR launch or a standalone one to a known user and patient.

Authorization code with PKCE (S256), `state` and `nonce`, all random and for one use. Knows that nothing in a query ever
names where a browser is sent: `iss` chooses among registered servers, our own addresses are fixed. The access token is
dropped unread: the viewer shows what was kept, and fetches nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode

from pydantic import BaseModel, ConfigDict

from cds_hooks import strict_json
from cds_hooks.outbound import Outbound, Unreachable
from cds_hooks.viewer.id_token import signed_in_user
from cds_hooks.viewer.refusals import LaunchRefused, NotNow
from cds_hooks.viewer.smart_configuration import SmartConfiguration, SmartConfigurations
from cds_hooks.viewer.viewer_client import RegisteredClient, ViewerClients
from cds_hooks.viewer.viewer_store import ViewerStore

LAUNCH_PATH = "/viewer/launch"
CALLBACK_PATH = "/viewer/callback"
LAUNCH_SECONDS = 600
"""Time to sign in."""
TOKEN_SECONDS = 5.0
MAX_TOKEN_BYTES = 256 * 1024
_LAUNCH = re.compile(r"[\x21-\x7e]{1,2048}")
_CODE = re.compile(r"[\x20-\x7e]{1,4096}")
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
_PATIENT = re.compile(r"(?!\.+$)[A-Za-z0-9.-]{1,64}")


@dataclass(frozen=True, slots=True)
class Begun:
    """Where the browser goes next, and the secret that it keeps, beside `state`, until it is back."""

    location: str
    state: str
    browser_secret: str
    client: RegisteredClient


@dataclass(frozen=True, slots=True)
class Arrived:
    """Who opened the viewer, for whom, and what the card said should be shown."""

    client: RegisteredClient
    user_id: str
    """`Practitioner/7`"""
    patient_id: str
    app_context: str | None


class _Launch(BaseModel):
    """A launch under way, kept under its `state`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    iss: str
    nonce: str
    verifier: str
    browser: str
    """Digest of the browser's secret."""


class SmartLaunch:
    """Begins launches and takes them when they come back."""

    def __init__(self, clients: ViewerClients, store: ViewerStore, outbound: Outbound, public_base_url: str) -> None:
        self._clients = clients
        self._store = store
        self._outbound = outbound
        self._configurations = SmartConfigurations(outbound)
        self._callback = public_base_url + CALLBACK_PATH

    def client_at(self, iss: str | None) -> RegisteredClient:
        """The client at the FHIR server `iss`; without one, the only client. Raises LaunchRefused."""
        client = self._clients.only_one() if iss is None else self._clients.at(iss)
        if client is None:
            raise LaunchRefused("iss not registered")
        return client

    async def begin(self, client: RegisteredClient, launch: str | None) -> Begun:
        """`launch`: the EHR's, None for a standalone launch. Raises LaunchRefused or NotNow."""
        if launch is not None and not _LAUNCH.fullmatch(launch):
            raise LaunchRefused("launch is not usable", client)
        configuration = await self._configurations.of(client)
        state, nonce, verifier, browser = (secrets.token_urlsafe(32) for _ in range(4))
        kept = _Launch(iss=client.iss, nonce=nonce, verifier=verifier, browser=_digest(browser))
        await self._store.put("launch", state, kept.model_dump_json().encode(), LAUNCH_SECONDS)
        asked = {
            "response_type": "code",
            "client_id": client.client.client_id,
            "redirect_uri": self._callback,
            "scope": f"openid fhirUser {'launch/patient' if launch is None else 'launch'}",
            "state": state,
            "nonce": nonce,
            "aud": client.iss,
            "code_challenge": _digest(verifier),
            "code_challenge_method": "S256",
            **({} if launch is None else {"launch": launch}),
        }
        endpoint = configuration.authorization_endpoint
        location = f"{endpoint.text}{'&' if endpoint.query else '?'}{urlencode(asked)}"
        return Begun(location, state, browser, client)

    async def finish(self, code: str | None, state: str | None, iss: str | None, browser_secret: str | None) -> Arrived:
        """`iss`: of the answer, where the server gives it (RFC 9207). Raises LaunchRefused or NotNow."""
        launch, client = await self._taken(state)
        if not browser_secret or not hmac.compare_digest(_digest(browser_secret), launch.browser):
            raise LaunchRefused("state of another browser", client)
        if code is None or not _CODE.fullmatch(code):
            raise LaunchRefused("the server gave no code", client)
        configuration = await self._configurations.of(client)
        if iss is not None and iss != configuration.issuer:
            raise LaunchRefused("answer of another server", client)
        granted = await self._exchanged(code, launch, client, configuration)
        user = await signed_in_user(granted.get("id_token"), launch.nonce, client, configuration, self._outbound)
        patient, context = granted.get("patient"), granted.get("appContext")
        if not isinstance(patient, str) or not _PATIENT.fullmatch(patient):
            raise LaunchRefused("no patient", client)
        if context is not None and not isinstance(context, str):
            raise LaunchRefused("appContext is not a string", client)
        return Arrived(client, user, patient, context)

    async def _taken(self, state: str | None) -> tuple[_Launch, RegisteredClient]:
        """The launch of that state, which is then used up."""
        kept = await self._store.take("launch", state) if state and _SECRET.fullmatch(state) else None
        if kept is None:
            raise LaunchRefused("state unknown or used")
        launch = _Launch.model_validate_json(kept)
        return launch, self.client_at(launch.iss)

    async def _exchanged(
        self, code: str, launch: _Launch, client: RegisteredClient, configuration: SmartConfiguration
    ) -> dict[str, Any]:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self._callback}
        form |= {"code_verifier": launch.verifier, "client_id": client.client.client_id}
        headers = {"accept": "application/json", **_basic(client)}
        try:
            answer = await self._outbound.post(
                configuration.token_endpoint,
                client.rules,
                form=form,
                headers=headers,
                max_bytes=MAX_TOKEN_BYTES,
                seconds=TOKEN_SECONDS,
            )
        except Unreachable:
            raise NotNow("the token endpoint does not answer", client) from None
        if answer.status >= 500:
            raise NotNow("the token endpoint failed", client)
        try:
            granted = strict_json.loads(answer.body) if answer.status == 200 else None
        except strict_json.NotStrictJson:
            granted = None
        if not isinstance(granted, dict):
            raise LaunchRefused("the token endpoint refused the code", client)
        return granted


def _digest(secret: str) -> str:
    """SHA-256 in base64url without padding: the S256 challenge of a verifier."""
    return base64.urlsafe_b64encode(hashlib.sha256(secret.encode()).digest()).decode().rstrip("=")


def _basic(client: RegisteredClient) -> dict[str, str]:
    """The client's own authentication, where it has a secret (RFC 6749, 2.3.1)."""
    secret = client.client.client_secret
    if secret is None:
        return {}
    pair = f"{quote_plus(client.client.client_id)}:{quote_plus(secret.get_secret_value())}"
    return {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
