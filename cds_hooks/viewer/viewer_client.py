"""A viewer registered as a SMART app at one FHIR server, and how such servers are found again.

Knows what the operator wrote down. A FHIR server named in a request only ever chooses among these.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from cds_hooks.outbound import NetworkRules
from cds_hooks.server_address import BadAddress, ServerAddress

if TYPE_CHECKING:
    from cds_hooks.settings import Settings

_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?|https?://\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?")


class ViewerClient(BaseModel):
    """What an EHR gave us when the viewer was registered there."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    tenant: str
    """Whose cards link to the viewer; the FHIR server must be registered for this tenant."""
    client_id: str = Field(min_length=1, max_length=256)
    client_secret: SecretStr | None = None
    """Only where the EHR insists on a confidential client; PKCE is used in either case."""
    authorization_origins: tuple[str, ...] = ()
    """Origins where the EHR's authorization server may live besides the FHIR server's own."""
    frame_ancestors: tuple[str, ...] = ()
    """Origins whose pages may show the viewer in a frame; none = it opens in a window of its own."""

    @field_validator("authorization_origins", "frame_ancestors")
    @classmethod
    def _origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        if any(not _ORIGIN.fullmatch(origin) for origin in origins):
            raise ValueError("must be origins such as https://ehr.example.org, without path, and never *")
        return origins


@dataclass(frozen=True, slots=True)
class RegisteredClient:
    """A viewer client with the server it is registered at."""

    base: ServerAddress
    client: ViewerClient
    rules: NetworkRules
    """Addresses that the servers it names may have."""
    https_only: bool

    @property
    def iss(self) -> str:
        return self.base.text.rstrip("/")

    def may_call(self, address: ServerAddress) -> bool:
        """Is this the FHIR server's origin, or one that the operator named?"""
        if self.https_only and address.scheme != "https":
            return False
        named = (ServerAddress.parse(origin).origin for origin in self.client.authorization_origins)
        return address.origin in (self.base.origin, *named)


class ViewerClients:
    """Every registered viewer client."""

    def __init__(self, clients: Mapping[str, RegisteredClient]) -> None:
        """By base address as `RegisteredClient.iss` writes it."""
        self._clients = dict(clients)

    @classmethod
    def of(cls, settings: Settings) -> ViewerClients:
        registered: dict[str, RegisteredClient] = {}
        for url, client in settings.viewer_clients.items():
            base = ServerAddress.parse(url)
            rules = NetworkRules(private=_private(settings, client.tenant, base), loopback=settings.development)
            one = RegisteredClient(base, client, rules, https_only=not settings.development)
            registered[one.iss] = one
        return cls(registered)

    def __bool__(self) -> bool:
        return bool(self._clients)

    def at(self, iss: str) -> RegisteredClient | None:
        """The client at the FHIR server of that address, compared part by part."""
        try:
            return self._clients.get(ServerAddress.parse(iss).text.rstrip("/"))
        except BadAddress:
            return None

    def only_one(self) -> RegisteredClient | None:
        """The client where there is exactly one."""
        return next(iter(self._clients.values())) if len(self._clients) == 1 else None

    def for_call(self, tenant: str, fhir_server: str) -> RegisteredClient | None:
        """The client that a card of this tenant about a patient of this server links to."""
        found = self.at(fhir_server)
        return found if found and found.client.tenant == tenant else None


def _private(settings: Settings, tenant: str, base: ServerAddress) -> bool:
    for issuer in settings.trusted_issuers.values():
        if issuer.tenant == tenant and any(ServerAddress.parse(url) == base for url in issuer.fhir_servers):
            return issuer.private_network
    return settings.private_network
