"""Digests of a chart's parts, each taken once however often the chart is told again.

Input: the notes, the facts or the problems of a chart. Output: SHA-256 of their JSON, 64 hex digits. A part that remembers is
still the tuple it was: as it never changes, neither does what it remembers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

from pydantic import BaseModel
from pydantic_core import to_json

from nlp_core.chart import Chart

EntryT = TypeVar("EntryT", bound=BaseModel)


class RememberingPart(tuple[EntryT, ...]):
    """A part of a chart that remembers its digest."""

    remembered: str | None = None


def remembering(chart: Chart) -> Chart:
    """The same chart with parts that remember."""
    parts = {"notes": chart.notes, "facts": chart.facts, "problems": chart.problems}
    return chart.model_copy(update={name: RememberingPart(part) for name, part in parts.items()})


def part_digest(part: Sequence[BaseModel]) -> str:
    """The digest of a part. Raises PydanticSerializationError where a text is no valid Unicode (a lone surrogate)."""
    if isinstance(part, RememberingPart):
        part.remembered = part.remembered or _digest(part)
        return part.remembered
    return _digest(part)


def _digest(part: Sequence[BaseModel]) -> str:
    return hashlib.sha256(to_json(part)).hexdigest()
