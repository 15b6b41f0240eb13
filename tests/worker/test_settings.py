"""Settings are checked at start, and no message of theirs shows a secret."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from worker.payloads import new_queue_key
from worker.settings import QueueSettings, WorkerSettings

KEY = new_queue_key()
GOOD: dict[str, Any] = {"redis_url": "rediss://worker:hush@redis.example:6380/2", "queue_key": KEY}


def test_the_environment_fills_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DXSPAN_REDIS_URL", "redis://localhost/1")
    monkeypatch.setenv("DXSPAN_QUEUE_KEY", KEY)
    monkeypatch.setenv("DXSPAN_CACHE_SECONDS", "60")
    settings = WorkerSettings.from_environment()
    assert settings.cache_seconds == 60
    assert settings.redis_place == "redis://localhost:6379/1"


@pytest.mark.parametrize(
    "change",
    [
        {"redis_url": "http://:hush@redis.example"},
        {"redis_url": "redis://"},
        {"redis_url": "rediss://:hush@redis.example/0?ssl_cert_reqs=none"},
        {"queue_key": "hush"},
        {"payload_seconds": 121},
        {"cache_seconds": -1},
        {"worker_pool": "gevent"},
    ],
)
def test_a_bad_value_is_refused_and_not_repeated(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        WorkerSettings.model_validate(GOOD | change)
    assert "hush" not in str(refused.value)


def test_neither_password_nor_key_shows() -> None:
    settings = QueueSettings.model_validate(GOOD)
    shown = f"{settings!r} {settings} {settings.redis_place}"
    assert "hush" not in shown
    assert KEY not in shown
    assert settings.redis_place == "rediss://redis.example:6380/2"


@pytest.mark.parametrize(
    ("url", "in_clear"),
    [
        ("redis://localhost", False),
        ("redis://127.0.0.1:6379/0", False),
        ("redis://redis.example", True),
        ("rediss://redis.example", False),
    ],
)
def test_a_network_without_tls_is_noticed(url: str, in_clear: bool) -> None:
    assert QueueSettings.model_validate(GOOD | {"redis_url": url}).travels_in_clear is in_clear
