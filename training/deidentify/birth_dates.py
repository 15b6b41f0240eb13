"""A patient's full birth date in what was written, and whether it is another date that was only moved onto that day.

Input : words of an output line, the same line of the input     Output: whose lines state a birth date
For the leak test: it shares no finder with the cleaning. Knows years of four digits, in digits or with the month's name in
English, and 年月日; a year of two digits or in words tells nothing here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from nlp_core.unreadable import Unreadable
from training.deidentify.attachments import stated_text
from training.deidentify.clean_part import Settings
from training.deidentify.export_parts import Part, resources_of
from training.deidentify.identifier_store import IdentifierStore
from training.deidentify.surrogates import Surrogates
from training.deidentify.text_folding import folded
from training.deidentify.vocabulary import vocabulary

Written = tuple[int, int, int]
"""The three numbers of a date in the order in which they stand; with the month's name, year, month, day."""
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_NAME = "(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
_IN_DIGITS = (
    re.compile(r"(?<!\d)(\d{4})[ ]?([-/.])[ ]?(\d{1,2})[ ]?\2[ ]?(\d{1,2})(?!\d)"),
    re.compile(r"(?<!\d)(\d{1,2})[ ]?([-/.])[ ]?(\d{1,2})[ ]?\2[ ]?(\d{4})(?!\d)"),
    re.compile(r"(?<!\d)(\d{4})()(\d{2})(\d{2})(?!\d)"),
    re.compile(r"(?<!\d)(\d{4})([ ]?)年[ ]?(\d{1,2})[ ]?月[ ]?(\d{1,2})(?!\d)"),
)
_DAY_MONTH = re.compile(
    rf"(?<!\d)(\d{{1,2}})(?:st|nd|rd|th)?[-/., ]{{0,2}}(?:of )?{_NAME}[-/., ]{{0,2}}(\d{{4}})(?!\d)"
)
_MONTH_DAY = re.compile(rf"(?<![a-z]){_NAME}[-/., ]{{0,2}}(\d{{1,2}})(?:st|nd|rd|th)?[-/., ]{{1,2}}(\d{{4}})(?!\d)")
_REMEMBERED = 200_000


class Stated(NamedTuple):
    """Birth dates in one output line, with how often each stands there, and whose the resources in the line are."""

    times: Mapping[date, int]
    people: Sequence[str]


class BirthDates:
    """Of the patients of an export; one per process."""

    def __init__(self, settings: Settings, store: IdentifierStore) -> None:
        self._store = store
        self._surrogates = Surrogates(settings.key, vocabulary()) if settings.shifting else None
        self._known: dict[str, tuple[date, ...]] = {}

    def stated(self, texts: Iterable[str], people: Sequence[str]) -> Stated | None:
        """Where the words state the birth date of one of `people` (references such as `Patient/1`)."""
        births = {birth for person in people for birth in self._of(person)}
        if not births:
            return None
        plain = folded("\n".join(texts)).lower()
        births = {birth for birth in births if birth.isoformat()[:4] in plain}
        if not births:
            return None
        days = days_in(plain)
        times = {birth: count for birth in births if (count := sum(days[form] for form in forms(birth)))}
        return Stated(times, people) if times else None

    def leaked(self, part: Part, stated: Mapping[int, Stated]) -> Iterator[int]:
        """`stated` by line of the part -> the lines where it is no other date that was moved onto that day.

        A shifted date is told by the input: there the day that the shift moves onto the birth date stands as often.
        """
        surrogates = self._surrogates
        if surrogates is None or not stated:
            yield from stated
            return
        for line in resources_of(part):
            found = stated.get(line.number)
            if found and line.resource is not None:
                days = days_in(folded("\n".join(_strings(line.resource))).lower())
                shifts = [surrogates.shift(person) for person in found.people]
                if any(count > _moved_onto(birth, shifts, days) for birth, count in found.times.items()):
                    yield line.number

    def _of(self, person: str) -> tuple[date, ...]:
        known = self._known.get(person)
        if known is None:
            if len(self._known) > _REMEMBERED:
                self._known.clear()
            known = self._known[person] = tuple(_calendar_days(self._store.births_of(person)))
        return known


def days_in(plain: str) -> Counter[Written]:
    """How often each date stands in a text, folded and in small letters; a date within a longer number is none."""
    found: Counter[Written] = Counter()
    for pattern in _IN_DIGITS:
        found.update((int(one[1]), int(one[3]), int(one[4])) for one in pattern.finditer(plain))
    found.update((int(one[3]), _MONTHS.index(one[2][:3]) + 1, int(one[1])) for one in _DAY_MONTH.finditer(plain))
    found.update((int(one[3]), _MONTHS.index(one[1][:3]) + 1, int(one[2])) for one in _MONTH_DAY.finditer(plain))
    return found


def forms(day: date) -> frozenset[Written]:
    """Year first, European and US order."""
    return frozenset(((day.year, day.month, day.day), (day.day, day.month, day.year), (day.month, day.day, day.year)))


def _moved_onto(birth: date, shifts: Sequence[int], days: Counter[Written]) -> int:
    """How many of the input's `days` one of the shifts moves onto the birth date, or onto what reads like it."""
    readings = [birth, birth.replace(month=birth.day, day=birth.month)] if birth.day <= 12 else [birth]
    moved = {form for one in readings for shift in shifts for form in forms(one - timedelta(days=shift))}
    return sum(days[form] for form in moved)


def _calendar_days(births: Iterable[str]) -> Iterator[date]:
    """Those of people: 0001-01-01 and 9999-12-31 stand for none."""
    for birth in births:
        try:
            day = date.fromisoformat(birth)
        except ValueError:
            continue  # on no calendar, so nothing moves it either
        if 1800 < day.year < 2200:
            yield day


def _strings(value: Any) -> Iterator[str]:
    """Every string of a resource; of content what it says."""
    if isinstance(value, dict):
        if "data" in value or "url" in value:
            yield _content(value)
        for name, inner in value.items():
            if name != "data":
                yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
    elif isinstance(value, str):
        yield value


def _content(holder: dict[str, Any]) -> str:
    try:
        return stated_text(holder) or ""
    except Unreadable:
        return ""
