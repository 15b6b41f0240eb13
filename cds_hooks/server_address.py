"""Compares addresses part by part: is this URL inside that registered base?

Knows URLs as text. Opens no connection and resolves no name (see outbound). Anything a clever URL relies on (user
names, backslashes, dot segments, encoded slashes, other alphabets) is refused rather than normalised, because two
parsers that normalise differently are how a token ends up at a stranger's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])"
    r"(?::(?P<port>[0-9]{1,5}))?(?P<path>/[^?#]*)?(?:\?(?P<query>[^#]*))?",
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_PRINTABLE = re.compile(r"[\x21\x22\x24-\x5b\x5d-\x7e]{1,4096}")
"""Printable ASCII without space, `#` and backslash."""
_ENCODED_TRICKS = re.compile(r"%(?:2e|2f|5c|00|25|3f|23)", re.IGNORECASE)
_DEFAULT_PORTS = {"http": 80, "https": 443}
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})


class BadAddress(ValueError):
    """Not an address we would ever call; the message never quotes it."""


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """An absolute http(s) URL in parts."""

    scheme: str
    host: str
    """Lower case; an IPv6 address keeps its brackets."""
    port: int
    segments: tuple[str, ...] = ()
    """The path's segments, still percent-encoded, without a trailing empty one."""
    query: str = ""

    @classmethod
    def parse(cls, url: str) -> ServerAddress:
        """Raises BadAddress for anything but a plain absolute http(s) URL."""
        match = _URL.fullmatch(url) if _PRINTABLE.fullmatch(url) else None
        if not match:
            raise BadAddress("not a plain absolute http or https URL")
        port = int(match["port"] or _DEFAULT_PORTS[match["scheme"]])
        if not 0 < port < 65536:
            raise BadAddress("its port is out of range")
        return cls(match["scheme"], match["host"].lower(), port, _segments(match["path"] or ""), match["query"] or "")

    @property
    def is_loopback(self) -> bool:
        return self.host in LOOPBACK_HOSTS

    @property
    def origin(self) -> str:
        """`scheme://host[:port]`, the port left out where it is the scheme's own."""
        shown = "" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.host}{shown}"

    @property
    def target(self) -> str:
        """Path and query as they go on the wire."""
        return "/" + "/".join(self.segments) + (f"?{self.query}" if self.query else "")

    @property
    def text(self) -> str:
        return self.origin + self.target

    def holds(self, other: ServerAddress) -> bool:
        """True when `other` is this base or lies under it, compared by scheme, host, port and whole path segments."""
        here = (self.scheme, self.host, self.port, self.segments)
        return here == (other.scheme, other.host, other.port, other.segments[: len(self.segments)])

    def inside(self, url: str) -> ServerAddress:
        """The address that `url`, absolute or relative to this base, means; it lies under this base.

        Raises BadAddress otherwise.
        """
        if not url:
            raise BadAddress("empty")
        if not _SCHEME.match(url):
            url = self.origin + (url if url.startswith("/") else "/".join(("", *self.segments, url)))
        address = ServerAddress.parse(url)
        if not self.holds(address):
            raise BadAddress("it lies outside the registered base")
        return address


def _segments(path: str) -> tuple[str, ...]:
    segments = path.removeprefix("/").split("/")
    if segments[-1] == "":
        segments.pop()
    if any(segment in ("", ".", "..") for segment in segments) or _ENCODED_TRICKS.search(path):
        raise BadAddress("its path is not plain")
    return tuple(segments)
