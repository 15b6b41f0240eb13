"""The order in which a chart is read and cut: newest first.

Knows dates only. A date in the future is a slip or a plan: kept, but never taken for the latest word.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

CLOCK_SLACK = timedelta(days=1)
"""How far ahead a date may lie before it is a future one: clocks differ, and dates without zone count as UTC."""


class Dated(Protocol):
    """Anything of a chart with a date that may be unknown."""

    @property
    def date(self) -> datetime | None: ...


DatedT = TypeVar("DatedT", bound=Dated)


def is_future(date: datetime, as_of: datetime) -> bool:
    """Does `date` lie so far after `as_of` that it dates nothing?"""
    return date > as_of + CLOCK_SLACK


def newest_first(found: Iterable[DatedT], as_of: datetime) -> list[DatedT]:
    """Newest first, then those dated more than a day after `as_of`, undated last; equal dates stay in their order."""

    def place(entry: DatedT) -> tuple[int, float]:
        if entry.date is None:
            return 2, 0.0
        return int(is_future(entry.date, as_of)), -entry.date.timestamp()

    return sorted(found, key=place)
