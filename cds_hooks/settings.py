"""The web process's settings: `DXSPAN_*` environment variables, read once and checked at start.

Knows their names, defaults and which combinations are refused. Everything else receives values as arguments; nothing
else reads the environment. Values never appear in an error message: some of them are secrets.
"""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SecretStr, StringConstraints, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from cds_hooks.settings_together import check_together
from cds_hooks.subscriptions.subscribed_server import SubscribedServer
from cds_hooks.trusted_issuer import TenantName, TrustedIssuer, plain_address
from cds_hooks.viewer.viewer_client import ViewerClient
from nlp_core.assessment import Language

Algorithm = Literal["ES384", "RS384", "ES256", "RS256"]
_ORIGIN = re.compile(r"https?://[^/?#\s]+")


def in_memory(database_url: str) -> bool:
    """Is this a database that ends with the process?"""
    return database_url in ("sqlite://", "sqlite:///:memory:")


class Settings(BaseSettings):
    """Every setting of `dxspan-serve`. See docs/settings.md for what each is for."""

    model_config = SettingsConfigDict(env_prefix="DXSPAN_", frozen=True, extra="ignore", hide_input_in_errors=True)

    public_base_url: str = "http://127.0.0.1:8000"
    """Where clients reach us, e.g. `https://cds.example.org`: a token's `aud` is this plus the path called."""
    development: bool = False
    """For a developer's machine: allows http and loopback addresses, turns `auth` off and `docs` on unless set."""
    auth: bool | None = None
    """Require a signed token; None = not development. Switch it off only behind mutual TLS."""
    discovery_auth: bool = True
    """Require the token for discovery too, where `auth` is on."""
    trusted_issuers: dict[str, TrustedIssuer] = Field(default_factory=dict)
    """JSON: iss -> {tenant, jku or jwks_file, fhir_servers, private_network}."""
    algorithms: Annotated[tuple[Algorithm, ...], NoDecode] = ("ES384", "RS384")
    """Signatures accepted on tokens; ES256 and RS256 only where a client knows nothing better."""
    leeway_seconds: int = Field(default=30, ge=0, le=60)
    """Difference of clocks tolerated in tokens."""
    max_token_seconds: int = Field(default=300, ge=30, le=3600)
    """Longest `exp - iat` accepted."""
    tenant: TenantName = "local"
    """The tenant of every call where `auth` is off."""
    fhir_servers: Annotated[tuple[str, ...], NoDecode] = ()
    """FHIR servers that may be called where `auth` is off."""
    private_network: bool = False
    """Those servers may live at private addresses."""
    ca_file: Path | None = None
    """Certificate authorities for outbound TLS in place of the public ones."""
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """Origins of browser-based clients, exact; separated by commas."""
    redis_url: SecretStr | None = None
    """Queue to the workers and store of seen tokens; None = read in this process, remember tokens in memory."""
    redis_ca_file: Path | None = None
    """Certificates that the Redis server's is checked against (PEM); None = the system's."""
    redis_cert_file: Path | None = None
    """Certificate and key in one PEM file that this process shows to a Redis server that asks for one; None = none."""
    bundle_path: Path | None = None
    """Model bundle for reading in this process; None = the one that set-up composed."""
    sentence_mib: int = Field(default=64, ge=0)
    """Most memory for what the encoder said of sentences, where this process reads, in MiB; 0 = nothing is remembered."""
    sentence_seconds: int = Field(default=14_400, ge=1, le=86_400)
    """How long that is kept."""
    precompute: bool = False
    """Offer services for `appointment-book` and `encounter-start` that read charts before they are opened, and show nothing."""
    subscriptions: dict[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")], SubscribedServer] = Field(
        default_factory=dict
    )
    """JSON: name -> {tenant, fhir_server, secret, token_endpoint, client_id, key_file, key_id, algorithm, scope,
    private_network} of FHIR servers whose notifications to `/fhir-notifications/NAME` have charts read ahead
    (docs/queue.md); empty = there is no such address."""
    replay_fallback: Literal["refuse", "memory"] = "refuse"
    """Calls while Redis does not answer: `refuse` with 503, since nobody can tell whether a token was seen before, or let
    each web process's `memory` tell; a token may then be accepted once by each of them."""
    feedback_database_url: SecretStr = SecretStr("sqlite:///var/dxspan-feedback.db")
    """SQLAlchemy URL of the feedback store, e.g. `postgresql+psycopg://user@host/dxspan`."""
    feedback_key: SecretStr | None = None
    """32 bytes in base64: comments are kept, patients marked and waiting feedback sealed under it; None = no comments, and
    marks under a key in the database itself, which protect nobody from a thief of the whole database."""
    outbox_folder: Path | None = None
    """Where feedback waits while its database is away; None = beside a SQLite database, else `var/feedback-outbox`."""
    outbox_mib: int = Field(default=64, ge=1)
    """Most that may wait there; then feedback gets 503."""
    override_days: int = Field(default=90, ge=0, le=3650)
    """How long a dismissed diagnosis is not shown again for that patient; by reason it may be longer or shorter."""
    accepted_days: int = Field(default=90, ge=0, le=3650)
    """How long an accepted diagnosis is hidden where it never comes to the problem list."""
    encounter_hours: int = Field(default=12, ge=0, le=168)
    """Calls without `encounterId`: those of this many hours count as one encounter."""
    mute_below: float = Field(default=0.05, ge=0, le=1)
    """A diagnosis accepted in less than this share of showings is muted for that tenant; 0 = none ever is."""
    mute_after_shows: int = Field(default=200, ge=1)
    """Showings from which on that is judged."""
    feedback_keep_days: int | None = Field(default=None, ge=1)
    """After how many days what was shown and reported is deleted, and with it what is hidden therefore; at least
    `override_days`, `accepted_days` and `acceptance_days`; None = when somebody deletes it."""
    acceptance_days: int = Field(default=365, ge=1, le=3650)
    """Showings of this many days are counted for it."""
    audit_database_url: SecretStr | None = None
    """SQLAlchemy URL of the audit trail; None = the feedback database."""
    audit_folder: Path = Path("var/audit")
    """Disk of this machine where each request's record is put before its answer leaves; must outlive the process."""
    audit_keep_days: int = Field(default=2190, ge=1)
    """How long the audit trail is kept at least: `dxspan-audit prune` removes nothing younger, and nothing goes by itself."""
    audit_key: SecretStr | None = None
    """32 bytes in base64: seals whom a record is about and keys the chain; older keys after a comma. None = not kept."""
    switches_file: Path | None = None
    """YAML file of what is switched off (docs/switches.md), followed while serving; None = nothing can be."""
    shadow_days: int = Field(default=90, ge=1, le=3650)
    """How long what a model in the shadow would have shown is kept, and what others showed, to be compared."""
    calls_per_second: float = Field(default=200, ge=0)
    """Calls a tenant may make per second and web process, in bursts five seconds' worth, hooks and feedback each;
    more get 429; 0 = no end."""
    deadline_ms: int = Field(default=1500, ge=200, le=60_000)
    """Time for one answer."""
    reserve_ms: int = Field(default=100, ge=10, le=5_000)
    """Part of the deadline kept for writing the answer."""
    language: Language = "en"
    """Language of the service's description and of cards where the chart gives none."""
    record_summary: bool = False
    """Offer the second service, `dxspan-record-summary`: a few quoted sentences of the notes on a card of their own."""
    hide_past_problems: bool = False
    """Hide diagnoses that the problem list holds as resolved, inactive or in remission."""
    proposed_provenance: bool = True
    """Proposed Conditions hold a contained Provenance; off only where a server refuses contained resources."""
    developer: str = ""
    """Who offers this installation, for /transparency, where an empty value reads "not available"."""
    developer_contact: str = ""
    """Address at which they are reached, for the same page."""
    funding: str = ""
    """Who paid for the software's development, for the same page."""
    restricted_tenants: Annotated[tuple[TenantName, ...], NoDecode] = ()
    """Tenants, separated by commas, that allow documents and data under a restricting security label to be read and quoted."""
    max_body_bytes: int = Field(default=10 * 2**20, ge=1024)
    """Largest hook request; a larger one gets 413."""
    max_feedback_bytes: int = Field(default=2 * 2**20, ge=1024)
    """Largest feedback request."""
    body_timeout_seconds: float = Field(default=10, gt=0, le=10)
    """Longest time a client may take to send a request."""
    max_fhir_bytes: int = Field(default=5 * 2**20, ge=1024)
    """Largest answer taken from a FHIR server."""
    max_pages: int = Field(default=5, ge=1, le=100)
    """Pages followed of one search."""
    max_entries: int = Field(default=1000, ge=1)
    """Resources used of one prefetch key, newest first."""
    max_attachments: int = Field(default=50, ge=0)
    """Attachments fetched for one call, newest first."""
    repeat_seconds: int = Field(default=120, ge=0, le=3600)
    """How long an answer is kept for a repeated hookInstance; 0 = not at all."""
    opened_charts: int = Field(default=200, ge=0)
    """Charts kept in this process's memory as they were read, so that one opened again with the same prefetch is not read
    again; 0 = none."""
    opened_charts_mib: int = Field(default=32, ge=0)
    """Most memory for them, in MiB."""
    opened_chart_seconds: int = Field(default=600, ge=1, le=14_400)
    """How long each is kept, however often it is opened."""
    last_card_seconds: int = Field(default=3600, ge=0, le=86_400)
    """How long a patient's last card may stand in, marked with its time, when the chart is not read in time; 0 = never."""
    viewer_clients: dict[str, ViewerClient] = Field(default_factory=dict)
    """JSON: FHIR server -> {tenant, client_id, client_secret, authorization_origins, frame_ancestors} of the evidence
    viewer as registered there (docs/viewer.md); empty = cards have no link to it."""
    viewer_keep_seconds: int = Field(default=3600, ge=1, le=86_400)
    """How long what a card rests on is kept for the viewer; no session there is longer."""
    viewer_session_seconds: int = Field(default=900, ge=1, le=3600)
    """Idle time after which a session of the viewer ends."""
    docs: bool | None = None
    """Serve /openapi.json; None = in development."""
    demo_page: bool = False
    """Serve the demo EHR at /demo/ (`make demo`); only in development, without tokens, at a loopback address."""
    tracing: bool = False
    """Send OpenTelemetry spans by OTLP over HTTP to where the standard `OTEL_*` variables say (docs/operations.md)."""
    metrics: bool = False
    """Serve /metrics (Prometheus); keep it off the public network."""
    operators_token: SecretStr | None = None
    """At least 24 characters that open the operators' page at /operators (docs/operators.md), as the password beside any user
    name; None = there is no such page."""

    @field_validator("algorithms", "fhir_servers", "cors_origins", "restricted_tenants", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        """Lists are written with commas (`a,b`)."""
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    _addresses = field_validator("fhir_servers")(lambda urls: tuple(plain_address(url) for url in urls))
    _base = field_validator("public_base_url")(plain_address)

    @field_validator("audit_key")
    @classmethod
    def _audit_keys(cls, keys: SecretStr | None) -> SecretStr | None:
        for key in keys.get_secret_value().split(",") if keys else ():
            cls._key_of_32_bytes(SecretStr(key.strip()))
        return keys

    @field_validator("feedback_key")
    @classmethod
    def _key_of_32_bytes(cls, key: SecretStr | None) -> SecretStr | None:
        try:
            fits = key is None or len(base64.b64decode(key.get_secret_value(), validate=True)) == 32
        except ValueError:
            fits = False
        if not fits:
            raise ValueError("must be 32 bytes in base64")
        return key

    @field_validator("operators_token")
    @classmethod
    def _long(cls, token: SecretStr | None) -> SecretStr | None:
        if token and len(token.get_secret_value()) < 24:
            raise ValueError("must be at least 24 characters")
        return token

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        if any(not _ORIGIN.fullmatch(origin) for origin in origins):
            raise ValueError("must be origins such as https://ehr.example.org, without path, and never *")
        return origins

    @model_validator(mode="after")
    def _combination(self) -> Self:
        check_together(self)
        return self

    @property
    def auth_on(self) -> bool:
        return not self.development if self.auth is None else self.auth

    @property
    def docs_on(self) -> bool:
        return self.development if self.docs is None else self.docs

    @property
    def outbox_path(self) -> Path | None:
        """The outbox's folder; None where the database is in memory, and nothing is meant to outlive the process."""
        database = self.feedback_database_url.get_secret_value()
        if self.outbox_folder:
            return self.outbox_folder
        if in_memory(database):
            return None
        if database.startswith("sqlite:///"):
            file = Path(database.removeprefix("sqlite:///"))
            return file.with_name(f"{file.stem}-outbox")
        return Path("var/feedback-outbox")
