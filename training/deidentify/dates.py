"""Dates in text: where they stand, and how each profile writes them and high ages.

Input : "seen 3/5/2021", shift +10 days     Output: "seen 3/15/2021"; by Safe Harbor, "seen 2021"
A date shift keeps the time between two events and is no Safe Harbor (45 CFR
164.514(b)(2)(i)(C) leaves the year alone); it needs an expert's determination.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

from training.deidentify.ages import OVER_89, is_age
from training.deidentify.chinese_dates import find_chinese_dates
from training.deidentify.kinds import Found, Kind
from training.deidentify.searched_text import SearchedText
from training.deidentify.written_dates import (
    COMPACT,
    DAY_NUMBER,
    ISO,
    MONTH,
    MONTH_NUMBER,
    MONTHS,
    NUMERIC,
    NUMERIC_MONTH_YEAR,
    YEAR,
    in_form,
    parts_of,
)

_WEEKDAY = r"(?i:mon|tues?|wednes|thurs?|fri|satur|sun)day"
_MONTH_DAY = re.compile(
    rf"(?<![A-Za-z])({MONTH})\b\.?[ -]{{0,2}}(\d{{1,2}})(?:st|nd|rd|th)?(?:,?[ -]{{1,2}}((?:19|20)\d{{2}})|,?[ ]?'(\d{{2}}))?(?![\w/]|\.\d|[ ]?%)"
)
_DAY_MONTH = re.compile(
    rf"(?<![\w.])(\d{{1,2}})(?:st|nd|rd|th)?[ /-]?(?:of |day of )?({MONTH})(?:\b|(?=(?:19|20)\d\d))\.?(?:,?[ /-]?((?:19|20)\d{{2}})(?!\d))?"
)
_MONTH_YEAR = re.compile(rf"(?<![A-Za-z])({MONTH})\b\.?,?[ -](?:of )?({YEAR}|'\d\d)(?!\d)")
_MONTH_ALONE = re.compile(
    rf"(?<![A-Za-z])(?i:in|since|last|this|next|until|till|by|early|late|mid|of|during|through|from|between|before|after|end of)[ -]({MONTH})(?![A-Za-z])(?![ ]+(?i:be|have|not|need|cause|help|also|take|use|return|require|benefit|consider|occur))"
)
_NUMERIC_MONTH_DAY = re.compile(
    rf"(?<![A-Za-z])(?i:on|since|dated?|follow[ -]?up|f/u|returns?|visit|appt|appointment|scheduled|called|until|till|thru|through|by|from|of|due|hearing|onset|op|seen|admitted|discharged|started|dos|dob|before|after|as of|to|/)[ :]{{1,2}}(?P<it>{MONTH_NUMBER}/{DAY_NUMBER})(?![\w/%-]|\.\d|[ ]?(?:mg|tab|cup|of|strength|pain|scale|hours|days|weeks|doses|beats|normal))"
)
_DAY_NAME = r"(?:mon|tue|tues|wed|weds|wednes|thu|thur|thurs|fri|sat|satur|sun)(?:day)?"
_TELLING_DAY = re.compile(
    r"(?<![\w./%-])(?:(?:0?[1-9]|1[0-2])/(?:1[346789]|2[1236789]|31)|(?!24/7)(?:1[3-9]|2\d|3[01])/(?:0?[1-689]|1[01]))(?![\w/%]|-\d|\.\d)",
    re.ASCII,
)
"""Two numbers of which one is a day beyond the months, and neither a common scale's (15, 20, 24, 25, 30) nor a length of time (3/7)."""
_DAY_AND_HOUR = re.compile(
    rf"(?<![\w./%-]){MONTH_NUMBER}/{DAY_NUMBER}(?=[ ]{{1,3}}(?:[01]\d|2[0-3])(?:[0-5]\d(?!\d)|:[0-5]\d)|[ ]{{1,3}}\d:[0-5]\d)",
    re.ASCII,
)
_DAY_BEHIND_WEEKDAY = re.compile(
    rf"(?<![A-Za-z])(?i:{_DAY_NAME})\.?,?[ ](?:the[ ])?({DAY_NUMBER}(?:st|nd|rd|th|/{DAY_NUMBER}))(?![\w/%-]|\.\d)"
)
_THE_DAY = re.compile(
    r"the[ ]((?:[12]?(?:1st|2nd|3rd|[04-9]th)|1[123]th|3(?:0th|1st)))(?=[.,;:)](?!\d)|[ ]?$|[ ]of[ ](?:last|this|next|the)[ ]month)",
    re.M,
)
_OF_A_YEAR = re.compile(
    r"(?<![A-Za-z])(?:(?i:spring|summer|autumn|winter|harvest)|(?:[A-Z][a-z']+[ ]){0,2}(?:Easter|Xmas|Christmas|Halloween|Thanksgiving|Ramadan|Diwali|Eid|Hanukkah|Day|Sunday))"
    r"(?:[ ](?i:of[ ])?(?:19|20)\d\d|[ ]?'\d\d)(?!\d)"
)
_FEASTS_AND_SEASONS = frozenset(
    "spring summer autumn winter harvest easter xmas christmas halloween thanksgiving ramadan diwali eid hanukkah day sunday".split()
)
_WEEKDAYS = re.compile(rf"(?<![A-Za-z]){_WEEKDAY}s?(?![A-Za-z])")
_REPUBLIC = re.compile(rf"(?<![\d./-])(?:1[01]\d|9\d)[/.]{MONTH_NUMBER}[/.]{DAY_NUMBER}(?![\d/.])")
"""A year of the Republic of China."""
_IN_DIGITS = (ISO, NUMERIC, COMPACT, NUMERIC_MONTH_YEAR)
_MONTH_WORDS = frozenset({*MONTHS, *(name[:3] for name in MONTHS), "sept"})
_DAYS = frozenset(
    f"{day}{ending}"
    for day in "monday tuesday wednesday thursday friday saturday sunday".split()
    for ending in ("", "s")
)
_SHORT_DAYS = _DAYS | frozenset("mon tue tues wed weds thu thur thurs fri sat sun".split())


def find_dates(text: SearchedText, *, weekdays: bool) -> Iterator[Found]:
    """`weekdays`: those are dates too."""
    yield from _in_digits(text)
    yield from _of_a_month(text)
    if any(word in _MONTH_WORDS or (word[-1].isdigit() and word[:3] in _MONTH_WORDS) for word in text.words):
        yield from _worded(text.plain)
    if not text.plain.isascii():
        yield from find_chinese_dates(text.simplified)
    if weekdays and not text.words.isdisjoint(_DAYS):
        for match in _WEEKDAYS.finditer(text.plain):
            yield Found(*match.span(), Kind.DATE)


def _of_a_month(text: SearchedText) -> Iterator[Found]:
    """The day alone: "the 6th.", "Thursday 14th"; and a feast or season with its year."""
    plain = text.plain
    for match in _THE_DAY.finditer(plain):  # without a look behind, so that "the " is searched for as it is
        if not match.start() or not plain[match.start() - 1].isalpha():
            yield Found(*match.span(1), Kind.DATE)
    if not text.words.isdisjoint(_SHORT_DAYS):
        for match in _DAY_BEHIND_WEEKDAY.finditer(plain):
            yield Found(*match.span(1), Kind.DATE)
    if not text.words.isdisjoint(_FEASTS_AND_SEASONS):
        for match in _OF_A_YEAR.finditer(plain):
            yield Found(*match.span(), Kind.DATE)


def _in_digits(text: SearchedText) -> Iterator[Found]:
    for line, line_end in text.date_lines:
        for pattern in _IN_DIGITS:
            for match in pattern.finditer(text.plain, line, line_end):
                if parts_of(match.group()) is not None:
                    yield Found(*match.span(), Kind.DATE)
        for match in _NUMERIC_MONTH_DAY.finditer(text.plain, line, line_end):
            yield Found(*match.span("it"), Kind.DATE)
        for pattern in (_REPUBLIC, _TELLING_DAY, _DAY_AND_HOUR):
            for match in pattern.finditer(text.plain, line, line_end):
                yield Found(*match.span(), Kind.DATE)


def _worded(plain: str) -> Iterator[Found]:
    for pattern in (_MONTH_DAY, _DAY_MONTH, _MONTH_YEAR):
        for match in pattern.finditer(plain):
            found = match.group()
            if re.match(r"(?i:may|mar|dec)\b", found) and found[0].islower() and not re.search(YEAR, found):
                continue  # "may 2 to 3 tablets help"
            if parts_of(found) is not None:
                yield Found(*match.span(), Kind.DATE)
    for match in _MONTH_ALONE.finditer(plain):
        if match.group(1)[0].isupper():
            yield Found(*match.span(1), Kind.DATE)


def rewritten(piece: str, plain: str, shift: int | None) -> str:
    """A date or age as the profile says it: moved by `shift` days, or with None its year alone.

    `piece` as it was written, `plain` the same folded. What has no year becomes `[date]`.
    """
    chinese = any(letter >= "\u3400" for letter in piece)
    if is_age(plain):
        return OVER_89
    parts = parts_of(plain)
    year = re.search(YEAR, plain)
    if shift is None or parts is None:
        known = year.group() if year else str(parts[0]) if parts and parts[0] else ""
        return f"{known}年" if known and chinese else known or ("某日" if chinese else "[date]")
    moved = _moved(*parts, shift)
    return in_form(plain, parts, moved) if moved else ("某日" if chinese else "[date]")


def moved_iso(text: str, shift: int) -> str | None:
    """A FHIR date or dateTime moved by days, its time and zone kept; None where it is none."""
    try:
        if len(text) >= 10:
            day = date(int(text[:4]), int(text[5:7]), int(text[8:10]))
            return (day + timedelta(days=shift)).isoformat() + text[10:]
        year, month = int(text[:4]), int(text[5:7] or 6) if len(text) > 4 else 6
        day = date(year, month, 15) + timedelta(days=shift)
        return day.isoformat()[: len(text)] if len(text) in (4, 7) else None
    except (ValueError, OverflowError):
        return None


def _moved(year: int, month: int, day: int, shift: int) -> date | None:
    try:
        return date(year or 2001, month, day or 15) + timedelta(days=shift)
    except (ValueError, OverflowError):
        return None
