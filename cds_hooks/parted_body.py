"""Cuts the prefetch out of a hook call's body without reading it: its bytes recur from call to call, the rest does not.

Input: a body. Output: the rest as a JSON value, read strictly, and the bytes where the prefetch stood; None where that cannot
be told, and then the body is read whole. Where to cut is guessed and then proved: with a word in the prefetch's place that
nobody else can know, the rest must be strict JSON that has this word under the key `prefetch`. So the bytes cut out stand where
one value stands; that they are one value, and strict, is seen when they are read.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from cds_hooks import strict_json

SMALLEST_BYTES = 512
"""A smaller body is read as quickly as it is cut."""
TAIL_BYTES = 8192
"""How much may follow the prefetch."""
MOST_CUTS = 32
KEY = "prefetch"
_OPENS = re.compile(rb'"prefetch"[ \t\r\n]*:[ \t\r\n]*(?=\{)')
_GOES_ON = re.compile(
    rb'\}(?=[ \t\r\n]*,[ \t\r\n]*"(?:hook|hookInstance|fhirServer|fhirAuthorization|context|extension)"[ \t\r\n]*:)'
)
_ENDS = re.compile(rb"\}[ \t\r\n]*\}[ \t\r\n]*\Z")
_STAND_IN = secrets.token_hex(16)
_STAND_IN_JSON = b'"' + _STAND_IN.encode() + b'"'


@dataclass(frozen=True, slots=True)
class PartedBody:
    """A body in two parts."""

    rest: dict[str, Any]
    """Without the key `prefetch`."""
    around: bytes
    """The bytes before and after it, a NUL between them, which JSON has nowhere."""
    prefetch: bytes
    """Begins and ends with a curly bracket."""


def parted(body: bytes, *, max_depth: int) -> PartedBody | None:
    """`body` in two parts; never raises for anything in it."""
    opens = _OPENS.search(body) if len(body) >= SMALLEST_BYTES else None
    if not opens:
        return None
    begin = opens.end()
    for end in _cuts(body, begin):
        before, after = body[:begin], body[end:]
        rest = _rest(before + _STAND_IN_JSON + after, max_depth)
        if rest is not None:
            return PartedBody(rest, before + b"\0" + after, body[begin:end])
    return None


def _cuts(body: bytes, begin: int) -> Iterator[int]:
    """Where the prefetch may end, the earliest first: a later one would take what follows it for a part of it."""
    earliest = max(begin, len(body) - TAIL_BYTES)
    for number, found in enumerate(_GOES_ON.finditer(body, earliest)):
        if number == MOST_CUTS:
            break
        yield found.end()
    last = _ENDS.search(body, earliest)
    if last:
        yield last.start() + 1


def _rest(written: bytes, max_depth: int) -> dict[str, Any] | None:
    try:
        if orjson.loads(written)[KEY] != _STAND_IN:
            return None
        rest = strict_json.loads(written, max_depth=max_depth)
    except (ValueError, TypeError, KeyError, IndexError):
        return None
    return rest if rest.pop(KEY, None) == _STAND_IN else None
