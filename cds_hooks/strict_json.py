"""Reads JSON the strict way: UTF-8 only, no duplicate keys, no NaN, no huge numbers, no deep nesting.

Knows RFC 8259 and nothing of hooks. Lone surrogates (`"\\ud800"`) are legal JSON but no text: they become U+FFFD, so
that nothing later fails on them. Errors never quote the input.

Two readers: orjson for what it reads the same, three times as fast, and Python's for the rest, which alone refuses. orjson
is as strict but for two things, and each can be seen afterwards: of a key that is there twice it drops one, so that what
it writes back has fewer quotation marks, and an integer of 20 digits becomes a float.
"""

from __future__ import annotations

import json
import math
import re
from itertools import accumulate
from typing import Any, NoReturn

import orjson

MAX_DEPTH = 100
MAX_INTEGER_DIGITS = 19
"""Enough for any 64-bit integer."""

_NOT_STRUCTURE = bytes(set(range(256)) - set(b'"[]{}'))
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
"""Each bracket as what it adds to the depth, a signed byte."""
_DIGITS_ALIKE = bytes.maketrans(b"123456789", b"000000000")
_LONG_NUMBER = b"0" * (MAX_INTEGER_DIGITS + 1)
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")


class NotStrictJson(ValueError):
    """The bytes are not JSON we accept; the message says why in our own words."""


def loads(body: bytes, *, max_depth: int = MAX_DEPTH) -> Any:
    """Read `body`. Raises NotStrictJson for anything but strict JSON nested at most `max_depth` levels deep."""
    if not body:
        raise NotStrictJson("the body is empty")
    structure = _structure(body)
    _check_depth(structure, max_depth)
    found = _fast(body, structure.count(b'"'))
    return found[0] if found else _slow(body)


def _structure(body: bytes) -> bytes:
    """The quotation marks around strings, and all brackets, those in strings too."""
    unescaped = body.replace(b"\\\\", b"").replace(b'\\"', b"") if b"\\" in body else body
    return unescaped.translate(None, _NOT_STRUCTURE)


def _check_depth(structure: bytes, max_depth: int) -> None:
    """Count brackets outside strings before parsing: the parser itself would recurse as deep as it is told to."""
    # Without the empty strings, and with them all that hold no bracket, few are left to be split at.
    outside = b"".join(structure.replace(b'""', b"").split(b'"')[::2])
    depths = accumulate(memoryview(outside.translate(_STEPS)).cast("b"))
    if max(depths, default=0) > max_depth:
        raise NotStrictJson(f"the body is nested more than {max_depth} levels deep")


def _fast(body: bytes, quotes: int) -> tuple[Any] | None:
    """What orjson reads in `body`, which holds `quotes` quotation marks around strings; None where that may not be it."""
    if _LONG_NUMBER in body.translate(_DIGITS_ALIKE):
        return None
    try:
        value = orjson.loads(body)
        written = orjson.dumps(value)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None
    return (value,) if _structure(written).count(b'"') == quotes else None


def _slow(body: bytes) -> Any:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise NotStrictJson("the body is not UTF-8") from None
    try:
        value = _DECODER.decode(text)
    except NotStrictJson:
        raise
    except (ValueError, RecursionError):
        raise NotStrictJson("the body is not JSON") from None
    return _repaired(value) if _SURROGATE_ESCAPE.search(body) else value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise NotStrictJson("an object has the same key twice")
    return result


def _integer(text: str) -> int:
    if len(text.lstrip("-")) > MAX_INTEGER_DIGITS:
        raise NotStrictJson(f"an integer has more than {MAX_INTEGER_DIGITS} digits")
    return int(text)


def _decimal(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise NotStrictJson("a number is too large")
    return value


def _constant(_: str) -> NoReturn:
    raise NotStrictJson("NaN and Infinity are not JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_decimal, parse_constant=_constant
)


def _repaired(value: Any) -> Any:
    """`value` with every lone surrogate replaced; recursion is bounded by the depth check."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_repaired(item) for item in value]
    if isinstance(value, dict):
        return {_repaired(key): _repaired(item) for key, item in value.items()}
    return value
