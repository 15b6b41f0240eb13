"""Reads single values out of FHIR JSON leniently: a value of the wrong type counts as none.

Knows JSON types and FHIR ids. Does not know what any field means. Real charts hold numbers as strings, objects where
lists belong, empty strings and lone surrogates; nothing here raises for them.

A chart asks for ten thousand values, most of them absent: each function answers absent ones first, then what is written
as it should be, and only then the rest. That halves the time a chart takes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

Json = dict[str, Any]

NAME_LIMIT = 500
"""Longest name, unit or code kept, in code points: what is longer is no name but a text in the wrong place."""
_LARGEST_INTEGER = 10**18
_SURROGATE = re.compile("[\ud800-\udfff]")
_NUMBER = re.compile(r"[+-]?\d{1,30}(?:\.\d{0,30})?(?:[eE][+-]?\d{1,3})?")
_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


def repaired(text: str) -> str:
    """`text` with each lone surrogate as U+FFFD; the number of code points stays the same."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def words(value: object, limit: int = NAME_LIMIT) -> str:
    """A short text on one line, white space folded, at most `limit` code points; `""` for anything but text.

    Whole numbers are taken as text, since ids and codes are often written so.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LARGEST_INTEGER
        return str(value) if whole else ""
    if len(value) <= limit and value.isascii() and value.isprintable() and "  " not in value:
        return value.strip()  # nearly every code and name: nothing to repair, fold or cut
    return repaired(" ".join(value[: 4 * limit].split())[:limit])


def item(value: object) -> Json:
    """`value` as an object, else an empty one. A list gives its first object."""
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    if isinstance(value, Mapping):
        return dict(value)
    found = items(value)
    return found[0] if found else {}


def items(value: object) -> list[Json]:
    """The objects in `value`, a list; a single object counts as a list of one, anything else is left out."""
    if value is None:
        return []
    if isinstance(value, list | tuple):
        return [entry for entry in value if isinstance(entry, dict)]
    return [value] if isinstance(value, dict) else []


def number(value: object) -> float | None:
    """A finite number, also from a string such as `"6.2"`; None for everything else."""
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, str):
        text = value[:80].strip()
        return number(float(text)) if _NUMBER.fullmatch(text) else None
    if not isinstance(value, int | float | Decimal):
        return None
    try:
        found = float(value)
    except (OverflowError, ValueError):
        return None
    return found if math.isfinite(found) else None


def is_true(value: object) -> bool:
    """A JSON true, also written as a string."""
    return value is True or (isinstance(value, str) and value.strip().lower() == "true")


def resource_type(resource: Mapping[str, Any]) -> str:
    """`resourceType`, `""` when missing or no text."""
    name = resource.get("resourceType")
    return name if isinstance(name, str) and len(name) < 64 else ""


def resource_id(resource: Mapping[str, Any]) -> str:
    """The resource's id; `""` when missing or not fit to stand in a URL."""
    found = words(resource.get("id"), 129)
    return found if _ID.fullmatch(found) else ""


def reference_to(resource: Mapping[str, Any]) -> str:
    """`DocumentReference/123`, or the type alone where the resource has no usable id."""
    kind, identity = resource_type(resource), resource_id(resource)
    return f"{kind}/{identity}" if identity else kind
