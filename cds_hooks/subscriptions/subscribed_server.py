"""A FHIR server that notifies us, as the operator wrote it down: its address, its secret, and how we come to read there.

Knows the setting alone. A notification carries no token, so what it names is read with one of our own (SMART Backend
Services), which `client_id`, `key_file` and `token_endpoint` are for.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from cds_hooks.server_address import BadAddress, ServerAddress

LEAST_SECRET = 24
SCOPE = " ".join(
    f"system/{kind}.rs"
    for kind in "Patient DocumentReference Binary Condition Observation MedicationRequest AllergyIntolerance Encounter".split()
)


class SubscribedServer(BaseModel):
    """One entry of DXSPAN_SUBSCRIPTIONS."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    tenant: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")
    fhir_server: str
    """Base address; what a notification names elsewhere is not looked at."""
    secret: SecretStr
    """At least 24 characters; the Subscription's header is `Authorization: Bearer SECRET`."""
    token_endpoint: str
    client_id: str = Field(min_length=1, max_length=256)
    key_file: Path
    """Private key (PEM) whose public part is registered there."""
    key_id: str = Field(min_length=1, max_length=256)
    algorithm: Literal["ES384", "RS384"] = "ES384"
    scope: str = Field(default=SCOPE, max_length=4096)
    private_network: bool = False
    """Both servers may live at private addresses."""

    @field_validator("fhir_server", "token_endpoint")
    @classmethod
    def _plain(cls, url: str) -> str:
        try:
            return ServerAddress.parse(url).text.rstrip("/")
        except BadAddress as error:
            raise ValueError(f"is {error}") from None

    @field_validator("secret")
    @classmethod
    def _long(cls, secret: SecretStr) -> SecretStr:
        if len(secret.get_secret_value()) < LEAST_SECRET:
            raise ValueError(f"must be at least {LEAST_SECRET} characters")
        return secret

    @model_validator(mode="after")
    def _has_a_key(self) -> Self:
        if not self.key_file.is_file():
            raise ValueError("names a key_file that does not exist")
        return self

    @property
    def base(self) -> ServerAddress:
        return ServerAddress.parse(self.fhir_server)

    @property
    def urls(self) -> tuple[str, str]:
        return self.fhir_server, self.token_endpoint
