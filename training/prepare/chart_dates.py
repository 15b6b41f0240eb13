"""Dates of a chart as exact as they are written, and which of two was first.

De-identified charts give years alone, others a day without time: nothing is called earlier than it is known to be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from nlp_core.fhir_dates import moment
from nlp_core.fhir_documents import written_dates
from nlp_core.fhir_fields import item, items, words

Order = Literal["before", "same", "after"]
_PARTS = {4: 1, 7: 2, 10: 3}
_TIME = 6


@dataclass(frozen=True, slots=True)
class ChartDate:
    """`parts`: how many of year, month, day are known; 6 with a time of day."""

    moment: datetime
    parts: int

    @property
    def text(self) -> str:
        """As `chart_date` reads it again."""
        cut = next((length for length, parts in _PARTS.items() if parts == self.parts), None)
        return self.moment.isoformat()[:cut]


def chart_date(*values: object) -> ChartDate | None:
    """The first value that names a date."""
    for value in values:
        found = moment(value) if value is not None else None
        if found is not None:
            return ChartDate(found, _PARTS.get(len(words(value, 64)), _TIME))
    return None


def order(one: ChartDate, other: ChartDate, *, by_day: bool) -> Order:
    """Is `one` before, the same as or after `other`, as far as both are known? `by_day`: hours do not count."""
    parts = min(one.parts, other.parts, 3 if by_day else _TIME)
    if parts == _TIME:
        first, second = one.moment, other.moment
        return "same" if first == second else "before" if first < second else "after"
    left, right = _known(one, parts), _known(other, parts)
    return "same" if left == right else "before" if left < right else "after"


def days_between(one: ChartDate, other: ChartDate) -> int | None:
    """Whole days from `one` to `other`; None where either is not known to the day."""
    if min(one.parts, other.parts) < 3:
        return None
    return (other.moment.date() - one.moment.date()).days


def date_of_document(resource: Mapping[str, Any]) -> ChartDate | None:
    """When a document was written."""
    contents = [item(content.get("attachment")) for content in items(resource.get("content"))]
    return chart_date(*written_dates(resource, [*contents, *items(resource.get("presentedForm"))]))


def date_of_recording(resource: Mapping[str, Any]) -> ChartDate | None:
    """When a diagnosis came into the chart; its onset says when it began, not when it was known."""
    return chart_date(resource.get("recordedDate"), resource.get("assertedDate"), resource.get("dateRecorded"))


def date_of_end(resource: Mapping[str, Any]) -> ChartDate | None:
    """When a disease was over."""
    period = item(resource.get("abatementPeriod"))
    return chart_date(resource.get("abatementDateTime"), period.get("end"), period.get("start"))


def date_of_encounter(resource: Mapping[str, Any]) -> ChartDate | None:
    """Its beginning."""
    period = item(resource.get("period") or resource.get("actualPeriod"))
    return chart_date(period.get("start"), resource.get("plannedStartDate"), period.get("end"))


def _known(date: ChartDate, parts: int) -> tuple[int, ...]:
    return (date.moment.year, date.moment.month, date.moment.day)[:parts]
