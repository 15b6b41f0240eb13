"""The one way out: allowed addresses only, bounded, direct."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette

from cds_hooks.outbound import Fetched, NetworkRules, Outbound, TooSlow, Unreachable, _allowed
from cds_hooks.server_address import ServerAddress
from tests.certificates import self_signed
from tests.fhir_server import TOKEN, Fault, FhirServer
from tests.server_thread import ServerThread
from worker.local_redis import free_port

LOOPBACK = NetworkRules(loopback=True)
HEADERS = {"authorization": f"Bearer {TOKEN}"}


def get(
    url: str,
    *,
    rules: NetworkRules = LOOPBACK,
    seconds: float = 5.0,
    max_bytes: int = 1_000_000,
    ca_file: Path | None = None,
) -> Fetched:
    async def run() -> Fetched:
        outbound = Outbound(ca_file=ca_file)
        try:
            address = ServerAddress.parse(url)
            return await outbound.get(address, rules, headers=HEADERS, max_bytes=max_bytes, seconds=seconds)
        finally:
            await outbound.close()

    return asyncio.run(run())


def test_an_answer_comes_back_with_status_and_type() -> None:
    with FhirServer([]) as fhir:
        fetched = get(f"{fhir.url}/Condition?patient=1")
    assert fetched.status == 200
    assert fetched.media_type == "application/fhir+json"
    assert fhir.asked[0].query == "patient=1"


def test_a_failed_tls_handshake_is_a_security_event_of_its_own(
    tmp_path: Path, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    certificate, key = self_signed(tmp_path)
    port = free_port()
    config = uvicorn.Config(
        Starlette(), port=port, log_config=None, ws="none", ssl_certfile=str(certificate), ssl_keyfile=str(key)
    )
    with ServerThread(uvicorn.Server(config)), FhirServer([]) as plain:
        assert get(f"https://127.0.0.1:{port}/fhir/Condition?patient=canary", ca_file=certificate).status == 404
        assert not [line for line in log_lines() if line["event"] == "security"]
        for url in (f"https://127.0.0.1:{port}/fhir/Condition?patient=canary", f"https://127.0.0.1:{plain.port}/x"):
            with pytest.raises(Unreachable):
                get(url)
    said = [line for line in log_lines() if line["event"] == "security"]
    assert [line["kind"] for line in said] == ["tls-failure", "tls-failure"]
    assert said[0]["server"] == f"https://127.0.0.1:{port}"
    assert "canary" not in str(said)


def test_no_compression_is_asked_for_and_none_inflated() -> None:
    with FhirServer([], faults={"Condition": "gzip"}) as fhir, pytest.raises(Unreachable, match="compressed"):
        get(f"{fhir.url}/Condition")
    assert fhir.asked[0].accept_encoding == "identity"


def test_redirects_are_answers_and_not_followed() -> None:
    with FhirServer([], faults={"Condition": "redirect"}) as fhir:
        assert get(f"{fhir.url}/Condition").status == 307
    assert fhir.paths() == ["/fhir/Condition"]


@pytest.mark.parametrize("fault", ["huge", "endless"])
def test_large_answers_are_cut(fault: Fault) -> None:
    with FhirServer([], faults={"Condition": fault}) as fhir, pytest.raises(Unreachable, match="too large"):
        get(f"{fhir.url}/Condition")


@pytest.mark.parametrize("fault", ["slow", "drip"])
def test_slow_answers_are_cut(fault: Fault) -> None:
    with FhirServer([], faults={"Condition": fault}) as fhir:
        begun = time.monotonic()
        with pytest.raises(TooSlow):
            get(f"{fhir.url}/Condition", seconds=0.5)
        assert time.monotonic() - begun < 1.5


def test_a_deadline_that_has_passed_asks_nothing() -> None:
    with FhirServer([]) as fhir:
        with pytest.raises(Unreachable):
            get(f"{fhir.url}/Condition", seconds=-1)
        assert not fhir.asked


def test_a_server_that_is_not_there_is_unreachable_and_not_slow() -> None:
    with pytest.raises(Unreachable) as refused:
        get("http://127.0.0.1:9/x")
    assert not isinstance(refused.value, TooSlow)
    with pytest.raises(Unreachable):
        get("http://no-such-host.invalid/x")


def test_loopback_needs_to_be_allowed() -> None:
    with FhirServer([]) as fhir:
        with pytest.raises(Unreachable, match="not allowed"):
            get(f"{fhir.url}/Condition", rules=NetworkRules(private=True))
        assert not fhir.asked


@pytest.mark.parametrize(
    ("address", "public", "private", "loopback"),
    [
        ("8.8.8.8", True, True, True),
        ("2606:4700:4700::1111", True, True, True),
        ("10.1.2.3", False, True, False),
        ("192.168.1.1", False, True, False),
        ("172.16.0.1", False, True, False),
        ("fd00::1", False, True, False),
        ("127.0.0.1", False, False, True),
        ("127.255.0.1", False, False, True),
        ("::1", False, False, True),
        ("::ffff:127.0.0.1", False, False, True),
        ("64:ff9b::7f00:1", False, False, True),
        ("64:ff9b::a00:1", False, True, False),
        ("2002:7f00:1::", False, False, True),
        ("169.254.169.254", False, False, False),
        ("fe80::1", False, False, False),
        ("0.0.0.0", False, False, False),
        ("::", False, False, False),
        ("224.0.0.1", False, False, False),
        ("255.255.255.255", False, False, False),
        ("240.0.0.1", False, False, False),
    ],
)
def test_e1_kinds_of_addresses(address: str, public: bool, private: bool, loopback: bool) -> None:
    parsed = ipaddress.ip_address(address)
    assert _allowed(parsed, NetworkRules()) is public
    assert _allowed(parsed, NetworkRules(private=True)) is private
    assert _allowed(parsed, NetworkRules(loopback=True)) is loopback


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Make every name resolve to `addresses`; returns the list of names asked."""
    asked: list[str] = []

    async def getaddrinfo(_: Any, host: str, port: int, **__: Any) -> list[Any]:
        asked.append(host)
        return [(0, 0, 0, "", (address, port)) for address in addresses]

    monkeypatch.setattr("asyncio.base_events.BaseEventLoop.getaddrinfo", getaddrinfo)
    return asked


def test_e2_one_bad_address_among_good_ones_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, "8.8.8.8", "127.0.0.1")
    with pytest.raises(Unreachable, match="not allowed"):
        get("http://ehr.example.org/x", rules=NetworkRules())


def test_e2_the_checked_address_is_the_one_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = resolving(monkeypatch, "127.0.0.1")
    with FhirServer([]) as fhir:
        fetched = get(f"http://ehr.example.org:{fhir.port}/fhir/Condition")
    assert fetched.status == 200
    assert asked == ["ehr.example.org"], "the name is resolved once; nobody resolves it again to connect"
