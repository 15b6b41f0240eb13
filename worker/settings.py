"""What the worker process, and the client that hands charts to it, may be told from outside (variables DXSPAN_...).

Read once at start and passed on as arguments. Holds secrets: neither its repr nor an error shows a value.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from worker.payloads import Sealer


class QueueSettings(BaseSettings):
    """What both ends of the queue need to know."""

    model_config = SettingsConfigDict(env_prefix="DXSPAN_", frozen=True, extra="ignore", hide_input_in_errors=True)

    redis_url: SecretStr
    """`redis://[user:password@]host:port/db`, or `rediss://...` for TLS, which anything but loopback needs."""
    redis_ca_file: Path | None = None
    """Certificates that the Redis server's is checked against (PEM); None = the system's."""
    redis_cert_file: Path | None = None
    """Certificate and key in one PEM file that this process shows to a Redis server that asks for one; None = none."""
    queue_key: SecretStr
    """32 random bytes in base64; several, divided by commas, while keys change: the first seals, all open."""
    payload_seconds: int = Field(default=120, ge=5, le=120)
    """Longest life of a sealed chart in Redis, in seconds."""
    cache_seconds: int = Field(default=900, ge=0, le=86_400)
    """Life of a sealed assessment in Redis, in seconds; 0 keeps none."""
    queue_limit: int = Field(default=200, ge=1)
    """Charts waiting in the queue beyond which a new one is refused as `overloaded`."""

    task_events: bool = False
    """Tell Flower or celery-exporter of each task (docs/operations.md): ids, times and states, no argument."""

    @field_validator("redis_url")
    @classmethod
    def _known_scheme(cls, url: SecretStr) -> SecretStr:
        parts = urlsplit(url.get_secret_value())
        if parts.scheme not in ("redis", "rediss") or not parts.hostname:
            raise ValueError("must be redis://host:port/db or rediss://host:port/db")
        if parts.query:
            raise ValueError("takes no options after '?'; the CA goes into DXSPAN_REDIS_CA_FILE")
        return url

    @field_validator("queue_key")
    @classmethod
    def _usable_key(cls, key: SecretStr) -> SecretStr:
        Sealer.from_setting(key.get_secret_value())
        return key

    @classmethod
    def from_environment(cls) -> Self:
        """The settings in this process's environment. Raises pydantic's ValidationError, which shows no value."""
        return cls.model_validate({})

    @property
    def sealer(self) -> Sealer:
        return Sealer.from_setting(self.queue_key.get_secret_value())

    @property
    def redis_place(self) -> str:
        """Where Redis is, without user and password: for banners and logs."""
        parts = urlsplit(self.redis_url.get_secret_value())
        return f"{parts.scheme}://{parts.hostname}:{parts.port or 6379}{parts.path}"

    @property
    def travels_in_clear(self) -> bool:
        """True when Redis is reached over a network without TLS."""
        parts = urlsplit(self.redis_url.get_secret_value())
        return parts.scheme == "redis" and parts.hostname not in ("127.0.0.1", "::1", "localhost")


class WorkerSettings(QueueSettings):
    """What the worker process needs besides."""

    bundle_path: Path | None = None
    """Model bundle to read with; None = the one that set-up composed."""
    worker_pool: Literal["solo", "prefork"] = "solo"
    """`solo`: one reader in one process, fastest. `prefork`: readers in child processes; a killed one is replaced and
    its chart read again after about five seconds."""
    worker_concurrency: int = Field(default=1, ge=1, le=64)
    """Child processes of `prefork`."""
    worker_queues: Literal["all", "fresh"] = "all"
    """`fresh` takes only charts that somebody waits for; leave at least one worker on `all`."""
    sentence_mib: int = Field(default=64, ge=0)
    """Most memory of a worker for what the encoder said of sentences, in MiB; 0 = nothing is remembered."""
    sentence_seconds: int = Field(default=14_400, ge=1, le=86_400)
    """How long that is kept, here and in Redis, in seconds."""
    sentence_redis_mib: int = Field(default=64, ge=0)
    """The same, sealed in Redis, for all workers together, in MiB; 0 = each remembers alone."""
    tracing: bool = False
    """Send OpenTelemetry spans by OTLP over HTTP to where the standard `OTEL_*` variables say (docs/operations.md)."""
    worker_metrics_port: int | None = Field(default=None, ge=1, le=65_535)
    """Port for Prometheus; None = not offered."""
    worker_metrics_address: str = "127.0.0.1"
    """Address at which that port is open; in a container `0.0.0.0`, to be closed by its network."""
