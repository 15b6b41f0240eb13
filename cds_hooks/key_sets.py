"""The public keys of trusted issuers, by `kid`: from a file or from the issuer's registered `jku`, cached.

Knows JWK Sets and when to fetch one again. Only addresses from the settings are ever fetched, at most once a minute
for each issuer, so tokens with invented `kid`s cannot make us a battering ram. A set that holds a private or symmetric
key is refused whole: its owner has published a secret.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cds_hooks import strict_json
from cds_hooks.outbound import NetworkRules, Outbound, Unreachable
from cds_hooks.server_address import ServerAddress
from cds_hooks.trusted_issuer import TrustedIssuer

Jwk = Mapping[str, Any]

MAX_SET_BYTES = 256 * 1024
MAX_KEYS = 100
FETCH_SECONDS = 1.5
REFRESH_INTERVAL = 60.0
"""Seconds between two refreshes of one issuer's keys, successful or not."""
FRESH_SECONDS = 600.0
"""A set older than this is refreshed on its next use ..."""
STALE_SECONDS = 3600.0
"""... and older than this is no longer used, even if it cannot be refreshed."""


class NoKey(Exception):
    """There is no key to verify this token with."""


@dataclass(slots=True)
class _Keys:
    by_kid: dict[str, Jwk] = field(default_factory=dict)
    loaded_at: float = float("-inf")
    tried_at: float = float("-inf")
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class KeySets:
    """Keys of every trusted issuer."""

    def __init__(
        self,
        issuers: Mapping[str, TrustedIssuer],
        outbound: Outbound,
        *,
        development: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuers = issuers
        self._outbound = outbound
        self._development = development
        self._clock = clock
        self._keys = {name: _Keys() for name in issuers}

    async def key(self, issuer: str, kid: str) -> Jwk:
        """The JWK `kid` of a trusted `issuer`. Raises NoKey."""
        keys = self._keys[issuer]
        if kid not in keys.by_kid or self._clock() - keys.loaded_at > FRESH_SECONDS:
            async with keys.lock:
                await self._refresh(issuer, keys)
        if kid not in keys.by_kid or self._clock() - keys.loaded_at > STALE_SECONDS:
            raise NoKey("no key of that kid")
        return keys.by_kid[kid]

    async def _refresh(self, issuer: str, keys: _Keys) -> None:
        if self._clock() - keys.tried_at < REFRESH_INTERVAL:
            return
        keys.tried_at = self._clock()
        try:
            keys.by_kid = read_key_set(await self._load(self._issuers[issuer]))
        except (ValueError, OSError, Unreachable):
            return  # the keys known so far serve until they are stale; an unknown kid stays unknown
        keys.loaded_at = self._clock()

    async def _load(self, issuer: TrustedIssuer) -> bytes:
        if issuer.jwks_file:
            return await asyncio.to_thread(issuer.jwks_file.read_bytes)
        address = ServerAddress.parse(issuer.jku or "")
        rules = NetworkRules(private=issuer.private_network, loopback=self._development)
        fetched = await self._outbound.get(
            address, rules, headers={"accept": "application/json"}, max_bytes=MAX_SET_BYTES, seconds=FETCH_SECONDS
        )
        if fetched.status != 200:
            raise Unreachable("the JWK Set's server did not answer 200")
        return fetched.body


_SECRET_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


def read_key_set(data: bytes) -> dict[str, Jwk]:
    """The signature keys of a JWK Set by `kid`; keys we cannot use are left out.

    Raises ValueError when it is no JWK Set, too large, holds a secret, or has a `kid` twice.
    """
    document = strict_json.loads(data)
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list) or len(keys) > MAX_KEYS or not all(isinstance(key, dict) for key in keys):
        raise ValueError(f"not a JWK Set of at most {MAX_KEYS} keys")
    if any(_SECRET_MEMBERS & key.keys() for key in keys):
        raise ValueError("the JWK Set holds a private or symmetric key")
    usable = [key for key in keys if isinstance(key.get("kid"), str) and key.get("use", "sig") == "sig"]
    by_kid = {key["kid"]: key for key in usable if key.get("kty") in ("EC", "RSA")}
    if len({key["kid"] for key in usable}) != len(usable):
        raise ValueError("the JWK Set has a kid twice")
    return by_kid
