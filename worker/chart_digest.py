"""Turns a chart into bytes for the queue, and into a fingerprint that is equal for equal charts.

Knows which fields move with the clock alone. Does not seal anything (payloads does).
"""

from __future__ import annotations

import hashlib
import math
from datetime import UTC

from pydantic_core import PydanticSerializationError

from nlp_core.chart import Chart
from nlp_core.part_digests import part_digest

DAYS_PER_YEAR = 365.25
NO_UNICODE = "a text of the chart is no valid Unicode"


class UnwritableChart(ValueError):
    """The chart holds text that is no valid Unicode (a lone surrogate). Says nothing of the text."""


def chart_json(chart: Chart) -> bytes:
    """The chart as UTF-8 JSON. Raises UnwritableChart."""
    try:
        return chart.model_dump_json().encode()
    except (PydanticSerializationError, UnicodeEncodeError):
        raise UnwritableChart(NO_UNICODE) from None


def chart_digest(chart: Chart) -> str:
    """SHA-256 of the chart, 64 hex digits, the same all day long for the same chart.

    `as_of` counts by its day (UTC) and the age by whole days: otherwise no chart would ever equal its earlier self.
    Raises UnwritableChart.
    """
    day = chart.as_of.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    age = None if chart.age_years is None else float(math.floor(chart.age_years * DAYS_PER_YEAR))
    rest = {"as_of": day, "age_years": age, "notes": (), "facts": (), "problems": ()}
    digest = hashlib.sha256(chart_json(chart.model_copy(update=rest)))
    try:
        for part in (chart.notes, chart.facts, chart.problems):
            digest.update(part_digest(part).encode())
    except (PydanticSerializationError, UnicodeEncodeError):
        raise UnwritableChart(NO_UNICODE) from None
    return digest.hexdigest()
