"""How fast the present illness came, as the note states it: "sudden", "for 3 days", "两年来".

Knows durations and speeds; how well they fit a diagnosis is diagnoses' business.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nlp_core.knowledge import Onset

ONSETS: tuple[Onset, ...] = ("sudden", "hours", "days", "weeks", "months", "years")

_WORDS = {
    "one": 1,
    "a": 1,
    "an": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "few": 3,
    "several": 4,
    "couple": 2,
    "half": 0.5,
    "一": 1,
    "二": 2,
    "两": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "七": 7,
    "八": 8,
    "九": 9,
    "十": 10,
    "半": 0.5,
    "数": 4,
    "多": 4,
    "几": 4,
}
_NUMBER = r"(?P<number>\d{1,3}(?:\.\d)?|one|two|three|four|five|six|seven|eight|nine|ten|a few|few|several|a couple of|couple of|a|an)"
_UNIT = r"(?P<unit>minute|min|hour|hr|day|week|wk|month|mo|year|yr)s?"
_ENGLISH = re.compile(
    rf"(?:(?:for|over|past|last|during|x|since|of|began|started|started about|within)\s+(?:the\s+)?(?:past\s+|last\s+)?(?:about\s+|approximately\s+)?)?"
    rf"{_NUMBER}(?:\s*(?:-|–|to)\s*\d{{1,3}})?[\s-]+{_UNIT}\b(?P<tail>[\s-]+(?:history|hx|duration|ago|of|prior|earlier|before))?",
    re.IGNORECASE,
)
_AN_AGE = re.compile(r"[\s-]*(?:old|of[\s-]age)\b", re.IGNORECASE)
_LEAD = re.compile(r"(?:for|over|past|last|during|x|since|began|started|within)\s", re.IGNORECASE)
_CHINESE = re.compile(
    r"(?P<number>\d{1,3}|[一二两三四五六七八九十半数几多])\s*(?P<more>余|多)?\s*(?P<unit>分钟|小时|天|日|周|星期|个月|月|年)(?!龄|岁)"
)
_SUDDEN = re.compile(
    r"\b(?:sudden(?:ly)?|abrupt(?:ly)?|all of a sudden|acute onset|thunderclap)\b|突然|骤然|突发|骤起", re.IGNORECASE
)
_DAYS = {"m": 1 / 1440, "h": 1 / 24, "d": 1.0, "w": 7.0, "y": 365.0}
_CHINESE_DAYS = {
    "分钟": 1 / 1440,
    "小时": 1 / 24,
    "天": 1.0,
    "日": 1.0,
    "周": 7.0,
    "星期": 7.0,
    "个月": 30.0,
    "月": 30.0,
    "年": 365.0,
}
_HEAD = 900


@dataclass(frozen=True, slots=True)
class StatedOnset:
    """The onset and where the note states it: characters `[start, end)`."""

    onset: Onset
    start: int
    end: int


def onset_of(text: str) -> StatedOnset | None:
    """The first duration (or word for suddenness) in the opening of a text; None where it says nothing."""
    head = text[:_HEAD]
    sudden = _SUDDEN.search(head)
    if sudden:
        return StatedOnset("sudden", sudden.start(), sudden.end())
    for match in _ENGLISH.finditer(head):
        if match["tail"] or _LEAD.match(match.group()):
            return StatedOnset(_band(_english_days(match)), match.start(), match.end())
    chinese = _CHINESE.search(head)
    if chinese:
        days = _amount(chinese["number"]) * _CHINESE_DAYS[chinese["unit"]]
        return StatedOnset(_band(days), chinese.start(), chinese.end())
    return None


def durations(text: str) -> Iterator[tuple[str, int, int]]:
    """Every duration a text states with a number, as (`minutes` ... `years`, start, end) in characters."""
    for match in _ENGLISH.finditer(text):
        if not _AN_AGE.match(text, match.end()):
            yield _unit_of(_english_days(match)), match.start(), match.end()
    for match in _CHINESE.finditer(text):
        yield _unit_of(_amount(match["number"]) * _CHINESE_DAYS[match["unit"]]), match.start(), match.end()


def _unit_of(days: float) -> str:
    return "minutes" if days < 1 / 24 else _band(days)


def _english_days(match: re.Match[str]) -> float:
    unit = match["unit"].lower()
    per = 30.0 if unit.startswith("mo") else _DAYS[unit[0]]
    return _amount(match["number"].lower().split()[-1] if "couple" not in match["number"].lower() else "couple") * per


def _amount(number: str) -> float:
    return float(_WORDS[number]) if number in _WORDS else float(number)


def _band(days: float) -> Onset:
    limits: tuple[tuple[float, Onset], ...] = ((1.0, "hours"), (10, "days"), (45, "weeks"), (400, "months"))
    return next((onset for limit, onset in limits if days <= limit), "years")
