"""A date as it is written: what it says, and another day written in the same way.

Input : "Mar 5th, 2021", "5/3/21", 2021年3月5日     Output: (2021, 3, 5); "Mar 15th, 2021" for a day ten days later
Knows calendars in English and Chinese.
"""

from __future__ import annotations

import re
from datetime import date

MONTHS = (
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
_NUMBER = {name[:3]: number for number, name in enumerate(MONTHS, 1)}
MONTH = r"(?i:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
YEAR = r"(?:19|20)\d{2}"
MONTH_NUMBER, DAY_NUMBER = r"(?:1[0-2]|0?[1-9])", r"(?:3[01]|[12]\d|0?[1-9])"
ISO = re.compile(rf"(?<![\w.-])({YEAR})([-/.])(\d{{1,2}})\2(\d{{1,2}})(?![\d-])", re.ASCII)
NUMERIC = re.compile(rf"(?<![\w./-])(\d{{1,2}})([-/.])(\d{{1,2}})\2({YEAR}|\d{{2}})(?![\w-]|[./]\d)", re.ASCII)
COMPACT = re.compile(r"(?<![\w.-])((?:19|20)\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?![\w-]|\.\d)", re.ASCII)
NUMERIC_MONTH_YEAR = re.compile(rf"(?<![\w./-])(0?[1-9]|1[0-2])([/-])({YEAR})(?![\w/-])", re.ASCII)
CHINESE = re.compile(r"(?:((?:18|19|20)\d{2})[ ]?年[ ]?)(\d{1,2})[ ]?月(?:份|[ ]?(\d{1,2})[ ]?[日号號]?)?")
_PIVOT = 30

Parts = tuple[int, int, int]
"""Year, month, day; 0 for what is not said."""


def parts_of(text: str) -> Parts | None:
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
    match = ISO.fullmatch(text) or COMPACT.fullmatch(text)
    if not match:
        return None
    numbers = [int(group) for group in match.groups() if group.isdigit()]
    return numbers[0], numbers[1], numbers[2]


def _read_numeric(text: str) -> Parts | None:
    match = NUMERIC.fullmatch(text)
    if match:
        first, second, year = int(match.group(1)), int(match.group(3)), match.group(4)
        if match.group(2) == "." and len(year) == 2 and not _may_be_dotted(match.group(1), match.group(3)):
            return None  # a measurement
        month, day = (first, second) if first <= 12 else (second, first)
        return _full_year(year), month, day
    match = NUMERIC_MONTH_YEAR.fullmatch(text)
    if match:
        return int(match.group(3)), int(match.group(1)), 0
    match = re.fullmatch(r"(\d{1,2})/(\d{1,2})", text)
    if not match:
        return None
    first, second = int(match.group(1)), int(match.group(2))
    return (0, first, second) if first <= 12 else (0, second, first)


def _may_be_dotted(day: str, month: str) -> bool:
    """Is "9.11.21" or "05.6.71" a date? "1.5.20" may be a measurement."""
    return int(day) <= 31 and int(month) <= 12 and (len(day) > 1 or len(month) > 1)


def _read_worded(text: str) -> Parts | None:
    name = re.search(MONTH, text)
    if not name:
        return None
    month = _NUMBER[name.group()[:3].lower()]
    rest = f"{text[: name.start()]} {text[name.end() :]}"
    year = re.search(YEAR, rest)
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
    match = CHINESE.fullmatch(text)
    if match:
        return int(match.group(1)), int(match.group(2)), int(match.group(3) or 0)
    match = re.fullmatch(r"(\d{1,2})[ ]?月(?:[ ]?(\d{1,2})[ ]?[日号號]?|份)?", text)
    return (0, int(match.group(1)), int(match.group(2) or 0)) if match else None


def _full_year(text: str) -> int:
    return int(text) if len(text) == 4 else int(text) + (2000 if int(text) <= _PIVOT else 1900)


def in_form(text: str, parts: Parts, moved: date) -> str:
    """`moved` written as `text` wrote the date: the same parts in the same order with the same marks."""
    day = parts[2]
    numbers = re.findall(r"\d+", text)
    name = re.search(MONTH, text)
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
        day_first = len(numbers) > 1 and int(numbers[0]) > 12
        return [moved.day, moved.month] if day_first else [moved.month, moved.day][: len(numbers)]
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
    written = MONTHS[moved.month - 1]
    month = written if len(name.group()) > 4 or name.group().lower() in MONTHS else written[:3]
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
