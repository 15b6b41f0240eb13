"""Which addresses an export calls, and which of them see the access token.

Knows URLs as text. https alone, plain http on this very machine; a token goes to the FHIR server's own origin and to
origins that the caller names, to no other, whatever a manifest says.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from training.bulk_export.failures import ExportFailure

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_DEFAULT_PORTS = {"http": 80, "https": 443}


def origin(url: str, what: str) -> tuple[str, str, int]:
    """(scheme, host, port). Raises ExportFailure for anything but a plain https address (or http on loopback)."""
    if not url.isascii() or not url.isprintable() or any(mark in url for mark in '\\ <>"') or len(url) > 8192:
        raise ExportFailure(f"the address of {what} is not a plain URL")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ExportFailure(f"the address of {what} is not a plain URL") from None
    if parts.scheme not in _DEFAULT_PORTS or not host or "@" in parts.netloc:
        raise ExportFailure(f"the address of {what} is not a plain http or https URL")
    if parts.scheme == "http" and host not in _LOOPBACK:
        raise ExportFailure(f"the address of {what} is http: patient data and tokens go over https alone")
    return parts.scheme, host, port or _DEFAULT_PORTS[parts.scheme]
