"""Keys come from registered places only, seldom, and never a secret one."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from cds_hooks import key_sets
from cds_hooks.key_sets import FRESH_SECONDS, REFRESH_INTERVAL, STALE_SECONDS, KeySets, NoKey, read_key_set
from cds_hooks.outbound import Outbound
from cds_hooks.trusted_issuer import TrustedIssuer
from tests.cds_hooks import tokens
from tests.cds_hooks.key_server import KeyServer

SPECIFICATION_EXAMPLE = {
    "kty": "EC",
    "use": "sig",
    "crv": "P-384",
    "kid": "example-kid",
    "x": "46SDH7Znh821wblCBglA61sNE9ZrHYKKt3qRtRTmSXyOI_FIGBLWrWa0GPUkDCEk",
    "y": "XMcRuuoGW7CXjQdy-F5i3FeBE0x9hPLdeFdSoDd3ELmx404tLX0VRRcqzAsPhXcI",
    "alg": "ES384",
}


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def sets(url: str, clock: Clock | None = None) -> KeySets:
    issuer = TrustedIssuer(tenant="a", jku=url)
    return KeySets({"iss": issuer}, Outbound(), development=True, clock=clock or Clock())


def found(keys: KeySets, kid: str) -> bool:
    return asyncio.run(_found(keys, kid))


async def _found(keys: KeySets, kid: str) -> bool:
    try:
        await keys.key("iss", kid)
    except NoKey:
        return False
    return True


def test_a19_a_thousand_unknown_kids_cost_one_refresh_a_minute() -> None:
    clock = Clock()

    async def run(keys: KeySets) -> None:
        assert await _found(keys, "ec")
        assert not any(await asyncio.gather(*(_found(keys, f"kid-{n}") for n in range(1000))))
        assert len(server.asked) == 1
        clock.now += REFRESH_INTERVAL
        assert not await _found(keys, "kid-x")
        assert len(server.asked) == 2

    with KeyServer(tokens.key_set()) as server:
        asyncio.run(run(sets(server.url, clock)))


@pytest.mark.parametrize(
    "fault",
    [
        {"body": b'{"keys": [' + b" " * key_sets.MAX_SET_BYTES + b"]}"},
        {"document": {"keys": [tokens.jwk(f"k{n}", tokens.EC_KEY) for n in range(101)]}},
        {"body": b"not json"},
        {"body": b'{"keys": {}}'},
        {"body": b'{"keys": [7]}'},
        {"document": tokens.key_set(), "seconds": 30.0},
        {"document": {"keys": [tokens.jwk("ec", tokens.EC_KEY, d="secret")]}},
        {"document": {"keys": [tokens.jwk("ec", tokens.EC_KEY), {"kty": "oct", "kid": "o", "k": "c2VjcmV0"}]}},
        {"document": {"keys": [tokens.jwk("ec", tokens.EC_KEY), tokens.jwk("ec", tokens.RSA_KEY)]}},
    ],
)
def test_a20_a_set_that_cannot_be_trusted_gives_no_key_within_two_seconds(fault: dict[str, Any]) -> None:
    with KeyServer(**fault) as server:
        begun = time.monotonic()
        assert not found(sets(server.url), "ec")
        assert time.monotonic() - begun < 2


def test_known_keys_outlive_a_fault_until_they_are_stale() -> None:
    clock = Clock()
    with KeyServer(tokens.key_set()) as server:
        keys = sets(server.url, clock)

        async def run() -> None:
            assert await _found(keys, "ec")
            server.body = b"broken"
            clock.now += FRESH_SECONDS + 1
            assert await _found(keys, "ec")
            clock.now += STALE_SECONDS
            assert not await _found(keys, "ec")

        asyncio.run(run())
        assert len(server.asked) == 3


def test_a_withdrawn_key_is_gone_after_the_next_refresh() -> None:
    clock = Clock()
    with KeyServer(tokens.key_set()) as server:
        keys = sets(server.url, clock)

        async def run() -> None:
            assert await _found(keys, "rsa")
            server.document = {"keys": [tokens.jwk("ec", tokens.EC_KEY)]}
            clock.now += FRESH_SECONDS + 1
            assert not await _found(keys, "rsa")

        asyncio.run(run())


def test_a_file_is_read_again_for_an_unknown_kid(tmp_path: Path) -> None:
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps({"keys": [tokens.jwk("old", tokens.EC_KEY)]}))
    clock = Clock()
    keys = KeySets({"iss": TrustedIssuer(tenant="a", jwks_file=path)}, Outbound(), clock=clock)
    assert found(keys, "old")
    path.write_text(json.dumps({"keys": [tokens.jwk("new", tokens.EC_KEY)]}))
    assert not found(keys, "new"), "within the minute"
    clock.now += REFRESH_INTERVAL
    assert found(keys, "new")


def test_a_loopback_key_server_is_only_for_development() -> None:
    with KeyServer(tokens.key_set()) as server:
        issuer = TrustedIssuer(tenant="a", jku=server.url)
        keys = KeySets({"iss": issuer}, Outbound(), clock=Clock())
        assert not found(keys, "ec")
        assert not server.asked


def test_keys_of_no_use_are_left_out() -> None:
    document = {
        "keys": [
            SPECIFICATION_EXAMPLE,
            SPECIFICATION_EXAMPLE | {"kid": "enc", "use": "enc"},
            {"kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": "AAAA"},
            {key: value for key, value in SPECIFICATION_EXAMPLE.items() if key != "kid"},
        ]
    }
    assert list(read_key_set(json.dumps(document).encode())) == ["example-kid"]
