"""Reads JSON the strict way: UTF-8 only, no duplicate keys, no NaN, no huge numbers, no deep nesting.

Knows RFC 8259 and nothing of hooks. Lone surrogates (`"\\ud800"`) are legal JSON but no text: they become U+FFFD, so
that nothing later fails on them. Errors never quote the input. A faster parser would not pay: nearly all of a chart is
base64, and finding out afterwards whether it dropped a duplicate key takes longer than it saves (measured).
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

MAX_DEPTH = 100
MAX_INTEGER_DIGITS = 19
"""Enough for any 64-bit integer."""

_NOT_STRUCTURE = bytes(set(range(256)) - set(b'"[]{}'))
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")


class NotStrictJson(ValueError):
    """The bytes are not JSON we accept; the message says why in our own words."""


def loads(body: bytes, *, max_depth: int = MAX_DEPTH) -> Any:
    """Read `body`. Raises NotStrictJson for anything but strict JSON nested at most `max_depth` levels deep."""
    if not body:
        raise NotStrictJson("the body is empty")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise NotStrictJson("the body is not UTF-8") from None
    _check_depth(body, max_depth)
    try:
        value = _DECODER.decode(text)
    except NotStrictJson:
        raise
    except (ValueError, RecursionError):
        raise NotStrictJson("the body is not JSON") from None
    return _repaired(value) if _SURROGATE_ESCAPE.search(body) else value


def _check_depth(body: bytes, max_depth: int) -> None:
    """Count brackets outside strings before parsing: the parser itself would recurse as deep as it is told to."""
    bare = body.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _NOT_STRUCTURE)
    depth = 0
    for bracket in b"".join(bare.split(b'"')[::2]):
        depth += 1 if bracket in b"[{" else -1
        if depth > max_depth:
            raise NotStrictJson(f"the body is nested more than {max_depth} levels deep")


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
