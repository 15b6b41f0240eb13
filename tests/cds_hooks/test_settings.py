"""Settings are checked at start, and no error shows a value."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from cds_hooks.__main__ import chosen_settings, explained
from cds_hooks.settings import Settings

ISSUERS = {"https://ehr.example.org/": {"tenant": "a", "jku": "https://ehr.example.org/jwks.json"}}


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in [name for name in os.environ if name.startswith("DXSPAN_")]:
        monkeypatch.delenv(name)


def production(**changes: Any) -> Settings:
    return Settings(**({"public_base_url": "https://cds.example.org", "trusted_issuers": ISSUERS} | changes))


def test_production_needs_an_issuer_and_https() -> None:
    assert production().auth_on
    assert not production().docs_on
    for changes in (
        {"trusted_issuers": {}},
        {"public_base_url": "http://cds.example.org"},
        {"public_base_url": "cds.example.org"},
        {"trusted_issuers": {"x": {"tenant": "a", "jku": "http://ehr.example.org/jwks.json"}}},
        {"trusted_issuers": {"x": ISSUERS["https://ehr.example.org/"] | {"fhir_servers": ["http://fhir.example.org"]}}},
    ):
        with pytest.raises(ValidationError):
            production(**changes)


def test_development_is_open_and_documented() -> None:
    settings = Settings(development=True)
    assert not settings.auth_on
    assert settings.docs_on
    assert Settings(development=True, auth=True, trusted_issuers=ISSUERS).auth_on


@pytest.mark.parametrize(
    "issuer",
    [
        {"tenant": "a"},
        {"jku": "https://x.example/jwks"},
        {"tenant": "a b", "jku": "https://x.example/jwks"},
        {"tenant": "a", "jku": "ftp://x.example/jwks"},
        {"tenant": "a", "jwks_file": "/does/not/exist"},
        {"tenant": "a", "jku": "https://x.example/jwks", "fhir_servers": ["https://x.example/../y"]},
        {"tenant": "a", "jku": "https://x.example/jwks", "fhirServers": []},
    ],
)
def test_issuers_are_checked(issuer: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        production(trusted_issuers={"https://ehr.example.org/": issuer})


def test_lists_are_written_with_commas_and_issuers_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DXSPAN_CORS_ORIGINS", "https://a.example, http://localhost:8080")
    monkeypatch.setenv("DXSPAN_ALGORITHMS", "ES384,ES256")
    monkeypatch.setenv("DXSPAN_TRUSTED_ISSUERS", json.dumps(ISSUERS))
    monkeypatch.setenv("DXSPAN_PUBLIC_BASE_URL", "https://cds.example.org/")
    settings = Settings()
    assert settings.cors_origins == ("https://a.example", "http://localhost:8080")
    assert settings.algorithms == ("ES384", "ES256")
    assert settings.public_base_url == "https://cds.example.org"
    assert settings.trusted_issuers["https://ehr.example.org/"].tenant == "a"


@pytest.mark.parametrize("origins", ["*", "https://a.example/", "a.example", "null"])
def test_origins_are_exact(origins: str) -> None:
    with pytest.raises(ValidationError):
        Settings(development=True, cors_origins=origins)


@pytest.mark.parametrize("algorithms", ["HS256", "none", "ES384,HS384", "RS512"])
def test_symmetric_and_missing_algorithms_cannot_be_set(algorithms: str) -> None:
    with pytest.raises(ValidationError):
        Settings(development=True, algorithms=algorithms)


def test_errors_name_the_variable_and_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DXSPAN_DEADLINE_MS", "canary-1")
    monkeypatch.setenv("DXSPAN_TRUSTED_ISSUERS", json.dumps({"canary-2": {"tenant": "canary 3", "jku": "canary-4"}}))
    with pytest.raises(ValidationError) as error:
        Settings()
    text = explained(error.value)
    assert "DXSPAN_DEADLINE_MS: " in text
    assert "DXSPAN_TRUSTED_ISSUERS" in text
    for canary in ("canary-1", "canary 3", "canary-4"):
        assert canary not in text
        assert canary not in str(error.value)


def test_a_loopback_address_with_nothing_set_is_a_developers() -> None:
    chosen = chosen_settings("127.0.0.1", 8123, {})
    assert chosen.development
    assert chosen.public_base_url == "http://127.0.0.1:8123"
    assert chosen_settings("::1", 8123, {}).public_base_url == "http://[::1]:8123"


def test_anything_said_about_trust_ends_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DXSPAN_TRUSTED_ISSUERS", json.dumps(ISSUERS))
    monkeypatch.setenv("DXSPAN_PUBLIC_BASE_URL", "https://cds.example.org")
    import os

    chosen = chosen_settings("127.0.0.1", 8000, os.environ)
    assert chosen.auth_on
    assert not chosen.development


def test_an_open_address_with_nothing_set_is_refused() -> None:
    with pytest.raises(ValidationError, match="trusted_issuers is empty"):
        chosen_settings("0.0.0.0", 8000, {})
    assert chosen_settings("0.0.0.0", 8000, {}, development=True).development


def test_secrets_stay_out_of_the_repr() -> None:
    settings = Settings(development=True, redis_url="redis://:canary@127.0.0.1:6379/0")
    assert "canary" not in repr(settings)


def test_the_reserve_is_part_of_the_deadline() -> None:
    with pytest.raises(ValidationError, match="reserve_ms"):
        Settings(development=True, deadline_ms=200, reserve_ms=200)


def test_what_is_hidden_by_is_kept_as_long_as_it_hides() -> None:
    assert Settings(development=True, feedback_keep_days=365).feedback_keep_days == 365
    with pytest.raises(ValidationError, match="feedback_keep_days"):
        Settings(development=True, feedback_keep_days=364)


def test_jwks_file_may_replace_jku(tmp_path: Path) -> None:
    path = tmp_path / "jwks.json"
    path.write_text("{}")
    issuers = {"https://ehr.example.org/": {"tenant": "a", "jwks_file": str(path)}}
    assert production(trusted_issuers=issuers).trusted_issuers["https://ehr.example.org/"].urls == ()
