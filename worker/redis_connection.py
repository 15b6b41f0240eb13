"""Opens connections to Redis, with TLS where the address says so and with an end to every wait.

Knows addresses, certificates and timeouts; knows no keys.
"""

from __future__ import annotations

import ssl
from typing import Any

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from worker.settings import QueueSettings

FAULT_SECONDS = 0.3
"""A Redis that has not answered after this long is treated as down by the web process."""
WORKER_SECONDS = 5.0
"""The same for the worker, which has nobody waiting on the line."""


def async_redis(settings: QueueSettings, *, connections: int) -> redis.asyncio.Redis:
    """For the web process: at most `connections` at a time. Waiting for a reply is bounded by the caller instead."""
    return redis.asyncio.Redis.from_url(
        settings.redis_url.get_secret_value(),
        max_connections=connections,
        socket_connect_timeout=FAULT_SECONDS,
        socket_timeout=None,
        # A connection that Redis closed while idle is opened again once; a timeout is never retried.
        retry=AsyncRetry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
        **_tls(settings),
    )


def blocking_redis(settings: QueueSettings, *, seconds: float = WORKER_SECONDS) -> redis.Redis:
    """For the worker: no call takes longer than about `seconds`."""
    return redis.Redis.from_url(
        settings.redis_url.get_secret_value(),
        socket_connect_timeout=seconds,
        socket_timeout=seconds,
        retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
        **_tls(settings),
    )


def kombu_tls(settings: QueueSettings) -> dict[str, Any] | None:
    """`broker_use_ssl` of Celery; None without TLS."""
    if not _uses_tls(settings):
        return None
    return _tls(settings) | {"ssl_cert_reqs": ssl.CERT_REQUIRED}


def _tls(settings: QueueSettings) -> dict[str, Any]:
    if not _uses_tls(settings):
        return {}
    options: dict[str, Any] = {"ssl_cert_reqs": "required", "ssl_check_hostname": True}
    if settings.redis_ca_file:
        options["ssl_ca_certs"] = str(settings.redis_ca_file)
    if settings.redis_cert_file:
        options["ssl_certfile"] = options["ssl_keyfile"] = str(settings.redis_cert_file)
    return options


def _uses_tls(settings: QueueSettings) -> bool:
    return settings.redis_url.get_secret_value().startswith("rediss://")
