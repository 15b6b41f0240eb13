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
from training.deidentify.kinds import Found, Kind
from training.deidentify.searched_text import SearchedText
from training.deidentify.written_dates import (
    CHINESE,
    COMPACT,
    ISO,
    MONTH,
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
    rf"(?<![\w.])(\d{{1,2}})(?:st|nd|rd|th)?[ -]?(?:of )?({MONTH})(?:\b|(?=(?:19|20)\d\d))\.?(?:,?[ -]?((?:19|20)\d{{2}})(?!\d))?"
)
_MONTH_YEAR = re.compile(rf"(?<![A-Za-z])({MONTH})\b\.?,?[ -](?:of )?({YEAR}|'\d\d)(?!\d)")
_MONTH_ALONE = re.compile(
    rf"(?<![A-Za-z])(?i:in|since|last|this|next|until|till|by|early|late|mid|of|during|through|from|between|before|after|end of)[ -]({MONTH})(?![A-Za-z])(?![ ]+(?i:be|have|not|need|cause|help|also|take|use|return|require|benefit|consider|occur))"
)
_NUMERIC_MONTH_DAY = re.compile(
    r"(?<![A-Za-z])(?i:on|since|dated?|follow[ -]?up|f/u|returns?|visit|appt|appointment|scheduled|called|until|till|thru|through|by|from|of|due|seen|admitted|discharged|started|dos|dob|before|after|as of|to|/)[ :]{1,2}(?P<it>(0?[1-9]|1[0-2])/(0?[1-9]|[12]\d|3[01]))(?![\w/%-]|\.\d|[ ]?(?:mg|tab|cup|of|strength|pain|scale|hours|days|weeks|doses|beats|normal))"
)
_WEEKDAYS = re.compile(rf"(?<![A-Za-z]){_WEEKDAY}s?(?![A-Za-z])")
_CHINESE_DAY = re.compile(r"(?<![\d年])(?<!\d\.)(\d{1,2})[ ]?月[ ]?(\d{1,2})[ ]?[日号號]")
_CHINESE_MONTH = re.compile(r"(?:今年|去年|前年|本年|于|自|从)(\d{1,2})月(?!\d)(?:份)?")
_CHINESE_WORDS = re.compile(
    r"[一二]?[〇○零一二三四五六七八九]{2,4}年[一二三四五六七八九十]{1,2}月(?:[一二三四五六七八九十]{1,3}[日号號])?"
    r"|(?:农历|農曆|[民國国]{2}[一二三四五六七八九十]{1,4}年|[甲乙丙丁戊己庚辛壬癸][子丑寅卯辰巳午未申酉戌亥]年?)?"
    r"(?:正|腊|臘|[一二三四五六七八九十]{1,2})月(?:初[一二三四五六七八九十]|廿[一二三四五六七八九]?|[一二三四五六七八九十]{1,3}[日号號]?)"
    r"|(?<![最起当當])初[一二三四五六七八九十](?![次诊診步级級中])"
    r"|[民國国]{2}[一二三四五六七八九十]{1,4}年(?:[一二三四五六七八九十]{1,2}月)?"
)
_REPUBLIC = re.compile(r"(?<![\d./-])(?:1[01]\d|9\d)[/.](?:0?[1-9]|1[0-2])[/.](?:0?[1-9]|[12]\d|3[01])(?![\d/.])")
"""A year of the Republic of China."""
_IN_DIGITS = (ISO, NUMERIC, COMPACT, NUMERIC_MONTH_YEAR)
_MONTH_WORDS = frozenset({*MONTHS, *(name[:3] for name in MONTHS), "sept"})
_DAYS = frozenset(
    f"{day}{ending}"
    for day in "monday tuesday wednesday thursday friday saturday sunday".split()
    for ending in ("", "s")
)


def find_dates(text: SearchedText, *, weekdays: bool) -> Iterator[Found]:
    """`weekdays`: those are dates too."""
    yield from _in_digits(text)
    if any(word in _MONTH_WORDS or (word[-1].isdigit() and word[:3] in _MONTH_WORDS) for word in text.words):
        yield from _worded(text.plain)
    if "月" in text.plain or "初" in text.plain or "年" in text.plain:
        yield from _chinese(text.plain)
    if weekdays and not text.words.isdisjoint(_DAYS):
        for match in _WEEKDAYS.finditer(text.plain):
            yield Found(*match.span(), Kind.DATE)


def _in_digits(text: SearchedText) -> Iterator[Found]:
    for line, line_end in text.date_lines:
        for pattern in _IN_DIGITS:
            for match in pattern.finditer(text.plain, line, line_end):
                if parts_of(match.group()) is not None:
                    yield Found(*match.span(), Kind.DATE)
        for match in _NUMERIC_MONTH_DAY.finditer(text.plain, line, line_end):
            yield Found(*match.span("it"), Kind.DATE)
        for match in _REPUBLIC.finditer(text.plain, line, line_end):
            yield Found(*match.span(), Kind.DATE)


def _chinese(plain: str) -> Iterator[Found]:
    for pattern in (CHINESE, _CHINESE_DAY):
        for match in pattern.finditer(plain):
            if parts_of(match.group()) is not None:
                yield Found(*match.span(), Kind.DATE)
    for match in _CHINESE_WORDS.finditer(plain):
        yield Found(*match.span(), Kind.DATE)
    for match in _CHINESE_MONTH.finditer(plain):
        yield Found(match.start(1), match.end(), Kind.DATE)


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
