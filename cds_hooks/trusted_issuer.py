"""A client (an EHR) whose tokens are accepted, as the settings have it.

Knows which of its fields go together. Its addresses are checked here and compared elsewhere (fhir_access, key_sets).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, StringConstraints, field_validator, model_validator

from cds_hooks.server_address import BadAddress, ServerAddress

TenantName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]


def plain_address(url: str) -> str:
    """A server's address as we compare it. Raises ValueError."""
    try:
        return ServerAddress.parse(url).text.rstrip("/")
    except BadAddress as error:
        raise ValueError(f"is {error}") from None


class TrustedIssuer(BaseModel):
    """A client (an EHR) whose tokens are accepted."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    tenant: TenantName
    """The customer this issuer speaks for; a token's own `tenant` claim must say the same."""
    jku: str | None = None
    """Address of its JWK Set; a token's `jku` header, when there is one, must equal it."""
    jwks_file: Path | None = None
    """Its JWK Set, given out of band; wins over `jku`, which is then never fetched."""
    fhir_servers: tuple[str, ...] = ()
    """Base addresses of its FHIR servers: the only ones ever called with its tokens."""
    private_network: bool = False
    """Its FHIR server and JWK Set may live at private addresses (10/8, 192.168/16, ...)."""

    _addresses = field_validator("fhir_servers")(lambda urls: tuple(plain_address(url) for url in urls))

    @model_validator(mode="after")
    def _has_keys(self) -> Self:
        if not self.jku and not self.jwks_file:
            raise ValueError("needs a jku or a jwks_file")
        if self.jku:
            plain_address(self.jku)
        if self.jwks_file and not self.jwks_file.is_file():
            raise ValueError("names a jwks_file that does not exist")
        return self

    @property
    def urls(self) -> tuple[str, ...]:
        return (*self.fhir_servers, *([self.jku] if self.jku else []))
