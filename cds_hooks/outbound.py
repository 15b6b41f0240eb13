"""The one way out: requests to registered servers, bounded in size and time.

Knows httpx and DNS. Resolves the name itself, checks every address it gets and connects to a checked one, so a name
that points elsewhere a moment later changes nothing. Follows no redirect, reads no proxy or netrc settings, asks for
no compression and inflates nothing. Does not know FHIR or keys.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import httpx

from cds_hooks.security_events import security_event
from cds_hooks.server_address import ServerAddress

CONNECTIONS_PER_SERVER = 20
LONGEST_SECONDS = 60.0
"""A net only: the time that counts is the caller's, and it bounds the whole answer, not each read."""


class Unreachable(Exception):
    """The server gave no usable answer: refused, too slow, too large, compressed, or at an address not allowed."""


class TooSlow(Unreachable):
    """Nothing else was wrong when its time was over."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer of a registered server."""

    status: int
    media_type: str
    """Lower case, without parameters."""
    body: bytes


@dataclass(frozen=True, slots=True)
class NetworkRules:
    """Which kinds of addresses a server's name may resolve to."""

    private: bool = False
    loopback: bool = False


class Outbound:
    """Fetches from registered servers; keeps one connection pool per server."""

    def __init__(self, *, ca_file: Path | None = None) -> None:
        self._ca_file = ca_file
        self._tls: ssl.SSLContext | None = None
        self._clients: dict[str, httpx.AsyncClient] = {}
        # httpx writes every URL, and so the patient's id, at INFO. That must not hang on how a log was set up.
        logging.getLogger("httpx").setLevel(logging.WARNING)

    async def get(
        self, address: ServerAddress, rules: NetworkRules, *, headers: Mapping[str, str], max_bytes: int, seconds: float
    ) -> Fetched:
        """GET `address`; every status is an answer, redirects included. Raises Unreachable, TooSlow where time was all it lacked."""
        return await self._bounded(address, rules, headers, None, max_bytes, seconds)

    async def post(
        self,
        address: ServerAddress,
        rules: NetworkRules,
        *,
        form: Mapping[str, str],
        headers: Mapping[str, str],
        max_bytes: int,
        seconds: float,
    ) -> Fetched:
        """POST `form` to `address`, url-encoded; otherwise as `get`. Raises Unreachable."""
        typed = {**headers, "content-type": "application/x-www-form-urlencoded"}
        return await self._bounded(address, rules, typed, urlencode(form).encode(), max_bytes, seconds)

    async def close(self) -> None:
        """Close every connection."""
        clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            await client.aclose()

    async def _bounded(
        self,
        address: ServerAddress,
        rules: NetworkRules,
        headers: Mapping[str, str],
        body: bytes | None,
        max_bytes: int,
        seconds: float,
    ) -> Fetched:
        limit = asyncio.timeout(max(seconds, 0))
        try:
            async with limit:
                host = await _checked_host(address, rules)
                return await self._fetch(address, host, headers, body, max_bytes)
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            if _is_tls_failure(error):
                security_event("tls-failure", server=address.origin)
            if limit.expired():
                raise TooSlow("no answer in time") from None
            raise Unreachable("no answer") from None

    async def _fetch(
        self, address: ServerAddress, host: str, headers: Mapping[str, str], sent_body: bytes | None, max_bytes: int
    ) -> Fetched:
        url = httpx.URL(f"{address.scheme}://{host}:{address.port}", raw_path=address.target.encode("ascii"))
        sent = {**headers, "host": address.origin.partition("://")[2], "accept-encoding": "identity"}
        extensions = {"sni_hostname": address.host.strip("[]")}
        method = "GET" if sent_body is None else "POST"
        client = self._client(address)
        async with client.stream(method, url, content=sent_body, headers=sent, extensions=extensions) as response:
            if response.headers.get("content-encoding", "identity").lower() != "identity":
                raise Unreachable("the answer is compressed")
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > max_bytes:
                    raise Unreachable("the answer is too large")
        media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        return Fetched(response.status_code, media_type, bytes(body))

    def _client(self, address: ServerAddress) -> httpx.AsyncClient:
        # One pool per origin: connections are pooled by IP address, and a TLS session checked for one name must not
        # carry another name's token.
        if address.origin not in self._clients:
            self._tls = self._tls or self._tls_context()
            self._clients[address.origin] = httpx.AsyncClient(
                verify=self._tls,
                trust_env=False,
                follow_redirects=False,
                limits=httpx.Limits(max_connections=CONNECTIONS_PER_SERVER),
                timeout=LONGEST_SECONDS,
            )
        return self._clients[address.origin]

    def _tls_context(self) -> ssl.SSLContext:
        if self._ca_file:
            return ssl.create_default_context(cafile=str(self._ca_file))
        return httpx.create_ssl_context(trust_env=False)


def _is_tls_failure(error: BaseException | None) -> bool:
    """Did the handshake fail, or was the server's certificate refused? httpx tells it by the causes alone."""
    while error and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error is not None


async def _checked_host(address: ServerAddress, rules: NetworkRules) -> str:
    """The address to connect to, IPv6 in brackets; every address the name has is allowed, or none is used."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(address.host.strip("[]"), address.port, type=socket.SOCK_STREAM)
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    if not addresses or not all(_allowed(one, rules) for one in addresses):
        raise Unreachable("the server's name leads to an address that is not allowed")
    # IPv4 first: where a host has both, a broken IPv6 route is the more common fault.
    chosen = min(addresses, key=lambda one: one.version)
    return f"[{chosen}]" if chosen.version == 6 else str(chosen)


def _allowed(address: ipaddress.IPv4Address | ipaddress.IPv6Address, rules: NetworkRules) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        embedded = address.ipv4_mapped or address.sixtofour or _nat64(address)
        if embedded:
            return _allowed(embedded, rules)
    if address.is_loopback:
        return rules.loopback
    if address.is_link_local or address.is_multicast or address.is_unspecified or address.is_reserved:
        return False
    return address.is_global or (rules.private and address.is_private)


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def _nat64(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
