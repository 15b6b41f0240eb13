"""Dates and high ages in text: where they stand, and how each profile writes them.

Input : "seen 3/5/2021", shift +10 days     Output: "seen 3/15/2021"; by Safe Harbor, "seen 2021"
Knows calendars in English and Chinese. A date shift keeps the time between two events and is no Safe Harbor (45 CFR
164.514(b)(2)(i)(C) leaves the year alone); it needs an expert's determination.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

from training.deidentify.kinds import Found, Kind
from training.deidentify.searched_text import SearchedText

_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_NUMBER = {name[:3]: number for number, name in enumerate(_MONTHS, 1)}
_MONTH = r"(?i:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
_WEEKDAY = r"(?i:mon|tues?|wednes|thurs?|fri|satur|sun)day"
_YEAR = r"(?:19|20)\d{2}"
_ISO = re.compile(rf"(?<![\w.-])({_YEAR})([-/.])(\d{{1,2}})\2(\d{{1,2}})(?![\d-])")
_NUMERIC = re.compile(rf"(?<![\w./-])(\d{{1,2}})([-/.])(\d{{1,2}})\2({_YEAR}|\d{{2}})(?![\w-]|[./]\d)")
_COMPACT = re.compile(r"(?<![\w.-])((?:19|20)\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?![\w-]|\.\d)")
_MONTH_DAY = re.compile(
    rf"(?<![A-Za-z])({_MONTH})\b\.?[ -]{{0,2}}(\d{{1,2}})(?:st|nd|rd|th)?(?:,?[ -]{{1,2}}((?:19|20)\d{{2}})|,?[ ]?'(\d{{2}}))?(?![\w/]|\.\d|[ ]?%)"
)
_DAY_MONTH = re.compile(
    rf"(?<![\w.])(\d{{1,2}})(?:st|nd|rd|th)?[ -]?(?:of )?({_MONTH})(?:\b|(?=(?:19|20)\d\d))\.?(?:,?[ -]?((?:19|20)\d{{2}})(?!\d))?"
)
_MONTH_YEAR = re.compile(rf"(?<![A-Za-z])({_MONTH})\b\.?,?[ -](?:of )?({_YEAR}|'\d\d)(?!\d)")
_MONTH_ALONE = re.compile(
    rf"(?<![A-Za-z])(?i:in|since|last|this|next|until|till|by|early|late|mid|of|during|through|from|between|before|after|end of)[ -]({_MONTH})(?![A-Za-z])(?![ ]+(?i:be|have|not|need|cause|help|also|take|use|return|require|benefit|consider|occur))"
)
_NUMERIC_MONTH_YEAR = re.compile(rf"(?<![\w./-])(0?[1-9]|1[0-2])([/-])({_YEAR})(?![\w/-])")
_NUMERIC_MONTH_DAY = re.compile(
    r"(?<![A-Za-z])(?i:on|since|dated?|follow[ -]?up|f/u|returns?|visit|appt|appointment|scheduled|called|until|till|thru|through|by|from|of|due|seen|admitted|discharged|started|dos|dob|before|after|as of|to|/)[ :]{1,2}(?P<it>(0?[1-9]|1[0-2])/(0?[1-9]|[12]\d|3[01]))(?![\w/%-]|\.\d|[ ]?(?:mg|tab|cup|of|strength|pain|scale|hours|days|weeks|doses|beats|normal))"
)
_WEEKDAYS = re.compile(rf"(?<![A-Za-z]){_WEEKDAY}s?(?![A-Za-z])")
_CHINESE = re.compile(r"(?:((?:18|19|20)\d{2})[ ]?年[ ]?)(\d{1,2})[ ]?月(?:份|[ ]?(\d{1,2})[ ]?[日号號]?)?")
_CHINESE_DAY = re.compile(r"(?<![\d年])(?<!\d\.)(\d{1,2})[ ]?月[ ]?(\d{1,2})[ ]?[日号號]")
_CHINESE_MONTH = re.compile(r"(?:今年|去年|前年|本年|于|自|从)(\d{1,2})月(?!\d)(?:份)?")
_CHINESE_WORDS = re.compile(
    r"[一二]?[〇○零一二三四五六七八九]{2,4}年[一二三四五六七八九十]{1,2}月(?:[一二三四五六七八九十]{1,3}[日号號])?"
    r"|(?:农历|農曆|[民國国]{2}[一二三四五六七八九十]{1,4}年|[甲乙丙丁戊己庚辛壬癸][子丑寅卯辰巳午未申酉戌亥]年?)?"
    r"(?:正|腊|臘|[一二三四五六七八九十]{1,2})月(?:初[一二三四五六七八九十]|廿[一二三四五六七八九]?|[一二三四五六七八九十]{1,3}[日号號]?)"
    r"|(?<![最起当當])初[一二三四五六七八九十](?![次诊診步级級中])"
    r"|[民國国]{2}[一二三四五六七八九十]{1,4}年(?:[一二三四五六七八九十]{1,2}月)?"
)
_HIGH = re.compile(r"(?<![\d./-])(9\d|1[0-2]\d)(?![\d%]|[./]\d)")
_AGE_BEHIND = re.compile(
    r"[ -]{0,2}(?:(?i:years?|yrs?|y)\b(?![- ](?:ago|later))|(?i:y/o|yo\b|y\.o\.)|(?:[MF]|male|female|man|woman)\b|[ ]?余?周?岁)"
)
_AGE_BEFORE = re.compile(
    r"(?:(?<![a-z])(?:aged?|age of|turn(?:ed|ing)|in (?:his|her|their))[ :]{1,2}(?:is )?|年龄[ ]?:?[ ]?)$"
)
_AGE_WORDS = re.compile(
    r"(?<![a-z])(?:nine?ty(?:[ -](?:one|two|three|four|five|six|seven|eight|nine))?|one hundred(?:[ -](?:and )?\w+)?)(?=[ -](?:years?|yrs?)\b)"
)
_AGE_CHINESE = re.compile(
    r"(?:九十[一二三四五六七八九]?|一百[零〇]?[一二三四五六七八九]?)(?=[ ]?(?:余|多)?[周]?[岁歲])"
)
_REPUBLIC = re.compile(r"(?<![\d./-])(?:1[01]\d|9\d)[/.](?:0?[1-9]|1[0-2])[/.](?:0?[1-9]|[12]\d|3[01])(?![\d/.])")
"""A year of the Republic of China."""
_IN_DIGITS = (_ISO, _NUMERIC, _COMPACT, _NUMERIC_MONTH_YEAR)
_MONTH_WORDS = frozenset({*_MONTHS, *(name[:3] for name in _MONTHS), "sept"})
_DAYS = frozenset(
    f"{day}{ending}"
    for day in "monday tuesday wednesday thursday friday saturday sunday".split()
    for ending in ("", "s")
)
_PIVOT = 30
OLDEST = 89
OVER_89 = "90+"


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


def find_ages(text: SearchedText) -> Iterator[Found]:
    """Ages over 89: the number alone is the identifier."""
    for match in _HIGH.finditer(text.plain):
        start, end = match.span()
        if _AGE_BEHIND.match(text.plain, end) or _AGE_BEFORE.search(text.lower[max(0, start - 16) : start]):
            yield Found(start, end, Kind.DATE)
    if "九十" in text.plain or "一百" in text.plain:
        for match in _AGE_CHINESE.finditer(text.plain):
            yield Found(*match.span(), Kind.DATE)
    if not text.words.isdisjoint(("ninety", "ninty", "hundred")):
        for match in _AGE_WORDS.finditer(text.lower):
            yield Found(*match.span(), Kind.DATE)


def _in_digits(text: SearchedText) -> Iterator[Found]:
    for line, line_end in text.date_lines:
        for pattern in _IN_DIGITS:
            for match in pattern.finditer(text.plain, line, line_end):
                if _parts(match.group()) is not None:
                    yield Found(*match.span(), Kind.DATE)
        for match in _NUMERIC_MONTH_DAY.finditer(text.plain, line, line_end):
            yield Found(*match.span("it"), Kind.DATE)
        for match in _REPUBLIC.finditer(text.plain, line, line_end):
            yield Found(*match.span(), Kind.DATE)


def _chinese(plain: str) -> Iterator[Found]:
    for pattern in (_CHINESE, _CHINESE_DAY):
        for match in pattern.finditer(plain):
            if _parts(match.group()) is not None:
                yield Found(*match.span(), Kind.DATE)
    for match in _CHINESE_WORDS.finditer(plain):
        yield Found(*match.span(), Kind.DATE)
    for match in _CHINESE_MONTH.finditer(plain):
        yield Found(match.start(1), match.end(), Kind.DATE)


def is_age(piece: str) -> bool:
    """Is what was found a high age, not a date?"""
    return (
        (piece.isdecimal() and len(piece) < 4)
        or piece[:4].lower() in ("nine", "nint", "one ")
        or piece[:2] in ("九十", "一百")
    )


def _worded(plain: str) -> Iterator[Found]:
    for pattern in (_MONTH_DAY, _DAY_MONTH, _MONTH_YEAR):
        for match in pattern.finditer(plain):
            found = match.group()
            if re.match(r"(?i:may|mar|dec)\b", found) and found[0].islower() and not re.search(_YEAR, found):
                continue  # "may 2 to 3 tablets help"
            if _parts(found) is not None:
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
    parts = _parts(plain)
    year = re.search(_YEAR, plain)
    if shift is None or parts is None:
        known = year.group() if year else str(parts[0]) if parts and parts[0] else ""
        return f"{known}年" if known and chinese else known or ("某日" if chinese else "[date]")
    moved = _moved(*parts, shift)
    return _in_form(plain, parts, moved) if moved else ("某日" if chinese else "[date]")


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


Parts = tuple[int, int, int]
"""Year, month, day; 0 for what is not said."""


def _parts(text: str) -> Parts | None:
    """What a written date says; None where it is no day of the calendar."""
    for read in (_read_iso, _read_numeric, _read_worded, _read_chinese):
        found = read(text)
        if found is not None:
            year, month, day = found
            try:
                date(year or 2000, month or 1, day or 1)
            except ValueError:
                return None
            return found
    return None


def _read_iso(text: str) -> Parts | None:
    match = _ISO.fullmatch(text) or _COMPACT.fullmatch(text)
    if not match:
        return None
    numbers = [int(group) for group in match.groups() if group.isdigit()]
    return numbers[0], numbers[1], numbers[2]


def _read_numeric(text: str) -> Parts | None:
    match = _NUMERIC.fullmatch(text)
    if match:
        first, second, year = int(match.group(1)), int(match.group(3)), match.group(4)
        if match.group(2) == "." and len(year) == 2 and not _may_be_dotted(match.group(1), match.group(3)):
            return None  # a measurement
        month, day = (first, second) if first <= 12 else (second, first)
        return _full_year(year), month, day
    match = _NUMERIC_MONTH_YEAR.fullmatch(text)
    if match:
        return int(match.group(3)), int(match.group(1)), 0
    match = re.fullmatch(r"(\d{1,2})/(\d{1,2})", text)
    return (0, int(match.group(1)), int(match.group(2))) if match else None


def _may_be_dotted(day: str, month: str) -> bool:
    """Is "9.11.21" or "05.6.71" a date? "1.5.20" may be a measurement."""
    return int(day) <= 31 and int(month) <= 12 and (len(day) > 1 or len(month) > 1)


def _read_worded(text: str) -> Parts | None:
    name = re.search(_MONTH, text)
    if not name:
        return None
    month = _NUMBER[name.group()[:3].lower()]
    rest = f"{text[: name.start()]} {text[name.end() :]}"
    year = re.search(_YEAR, rest)
    short = re.search(r"'(\d{2})", rest)
    said = year or short
    rest = rest.replace(said.group(), " ") if said else rest
    day = re.search(r"(?<!')\d{1,2}", rest)
    return (
        int(year.group()) if year else _full_year(short.group(1)) if short else 0,
        month,
        int(day.group()) if day else 0,
    )


def _read_chinese(text: str) -> Parts | None:
    match = _CHINESE.fullmatch(text)
    if match:
        return int(match.group(1)), int(match.group(2)), int(match.group(3) or 0)
    match = re.fullmatch(r"(\d{1,2})[ ]?月(?:[ ]?(\d{1,2})[ ]?[日号號]|份)?", text)
    return (0, int(match.group(1)), int(match.group(2) or 0)) if match else None


def _full_year(text: str) -> int:
    return int(text) if len(text) == 4 else int(text) + (2000 if int(text) <= _PIVOT else 1900)


def _moved(year: int, month: int, day: int, shift: int) -> date | None:
    try:
        return date(year or 2001, month, day or 15) + timedelta(days=shift)
    except (ValueError, OverflowError):
        return None


def _in_form(text: str, parts: Parts, moved: date) -> str:
    """`moved` written as `text` wrote the date: the same parts in the same order with the same marks."""
    day = parts[2]
    numbers = re.findall(r"\d+", text)
    name = re.search(_MONTH, text)
    if name:
        return _worded_form(text, name, moved, has_day=bool(day))
    if len(numbers) == 1 and len(numbers[0]) == 8:
        return moved.strftime("%Y%m%d")
    order = iter(_values(numbers, parts, moved))
    padded = any(number.startswith("0") for number in numbers) or (len(numbers[0]) == 4 and "年" not in text)
    return re.sub(r"\d+", lambda match: _written(next(order), match.group(), padded), text)


def _values(numbers: list[str], parts: Parts, moved: date) -> list[int]:
    year, _, day = parts
    if not year:
        return [moved.month, moved.day][: len(numbers)]
    if len(numbers[0]) == 4:
        return [moved.year, moved.month, moved.day][: len(numbers)]
    if not day:
        return [moved.month, moved.year]
    return [moved.day, moved.month, moved.year] if int(numbers[0]) > 12 else [moved.month, moved.day, moved.year]


def _written(value: int, like: str, padded: bool) -> str:
    if len(like) == 2 and value > 99:
        return f"{value % 100:02d}"
    return f"{value:02d}" if padded else str(value)


def _worded_form(text: str, name: re.Match[str], moved: date, *, has_day: bool) -> str:
    written = _MONTHS[moved.month - 1]
    month = written if len(name.group()) > 4 or name.group().lower() in _MONTHS else written[:3]
    month = (
        month.upper()
        if name.group().isupper() and len(name.group()) > 1
        else month.capitalize()
        if name.group()[0].isupper()
        else month
    )

    def number(match: re.Match[str]) -> str:
        if len(match.group()) == 4:
            return str(moved.year)
        if match.string[max(0, match.start() - 1) : match.start()] == "'":
            return f"{moved.year % 100:02d}"
        return str(moved.day) if has_day else match.group()

    head = re.sub(r"\d+", number, text[: name.start()])
    return head + month + re.sub(r"\d+", number, text[name.end() :])
