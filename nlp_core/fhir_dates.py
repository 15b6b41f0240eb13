"""FHIR dates -> moments with a time zone, and a birth date -> an age.

Knows partial dates, missing zones, HL7 v2/CDA timestamps and the fillers that stand for "no date" (year 1, year 9999).
Does not know which field of a resource is the date that matters.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from nlp_core.fhir_fields import words

EARLIEST_YEAR, LATEST_YEAR = 1850, 2150
"""Years outside are fillers or slips: such a thing is undated."""
OLDEST_AGE = 150.0
_DAYS_IN_YEAR = 365.25
_DATE = re.compile(
    r"(?P<year>\d{4})(?!\d)(?:[-/.年](?P<month>\d{1,2})(?:[-/.月](?P<day>\d{1,2})日?)?)?月?"
    r"(?:[T ]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d*)?)?\s*"
    r"(?P<zone>Z|[+-]\d{2}:?\d{2})?)?(?:[T ].*)?"
)
_COMPACT = re.compile(r"(\d{8})T?(?:(\d{4}|\d{6})(\.\d+)?([+-]\d{4}|Z)?)?")


def moment(value: object) -> datetime | None:
    """The moment that a FHIR date, dateTime or instant names; None when it names none.

    Partial dates stand for their first moment. Without a zone it is UTC; a given zone is kept. A wrong time of day does
    not lose the date.
    """
    text = words(value, 64).upper() if value is not None else ""
    if not text:
        return None
    found = (_iso(text) if text[10:11] in ("", "T", " ") else None) or _compact(text) or _loose(text)
    if found is None or not EARLIEST_YEAR <= found.year <= LATEST_YEAR:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def first_moment(*values: object) -> datetime | None:
    """The first of `values` that names a moment."""
    for value in values:
        if value is not None and (found := moment(value)) is not None:
            return found
    return None


def age_in_years(birth_date: object, as_of: datetime) -> float | None:
    """Age in years with fractions; None when unknown, in the future or over 150.

    A birth date known to the year or month only counts as the middle of it.
    """
    text = words(birth_date, 64)
    born = moment(text)
    if born is None:
        return None
    month_known, day_known = len(text) > 4, len(text) > 7
    middle = date(born.year, born.month if month_known else 7, born.day if day_known else (15 if month_known else 1))
    days = (as_of.date() - middle).days
    # A zone apart, or a partial date of this very year: born already, so the age is 0 and not unknown.
    slack = 1 if day_known else (31 if month_known else 184)
    if days < -slack:
        return None
    years = max(days, 0) / _DAYS_IN_YEAR
    return years if years <= OLDEST_AGE else None


def _iso(text: str) -> datetime | None:
    """Well-formed ISO 8601, which nearly all charts write. Python takes any sign for the T: callers check it."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _compact(text: str) -> datetime | None:
    """HL7 v2 and CDA: `20200506101500+0800`."""
    match = _COMPACT.fullmatch(text)
    if match is None:
        return None
    day, time, _, zone = match.groups()
    return (_iso(f"{day}T{time}{zone or ''}") if time else None) or _iso(day)


def _loose(text: str) -> datetime | None:
    """Partial dates, slashes, single digits, leap seconds; the date alone where the time is wrong."""
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    part = match.groupdict()
    day = f"{part['year']}-{int(part['month'] or 1):02}-{int(part['day'] or 1):02}"
    if part["hour"] is None:
        return _iso(day)
    second = min(int(part["second"] or 0), 59)
    return _iso(f"{day}T{int(part['hour']):02}:{part['minute']}:{second:02}{part['zone'] or ''}") or _iso(day)
