"""Ages over 89 in text: Safe Harbor takes them for dates.

Input : "a 93-year-old", 年龄：九十二岁     Output: where the number stands
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from training.deidentify.kinds import Found, Kind
from training.deidentify.searched_text import SearchedText

_HIGH = re.compile(r"(?<![\d./-])(9\d|1[0-2]\d)(?![\d%]|[./]\d)")
_AGE_BEHIND = re.compile(
    r"[ -]{0,2}(?:(?i:years?|yrs?|y)\b(?![- ](?:ago|later))|(?i:y/o|yo\b|y\.o\.)|(?:[MF]|male|female|man|woman)\b|[ ]?[余餘]?[周週]?[岁歲])"
)
_AGE_BEFORE = re.compile(
    r"(?:(?<![a-z])(?:aged?|age of|turn(?:ed|ing)|in (?:his|her|their))[ :]{1,2}(?:is )?|年龄[ ]?:?[ ]?)$"
)
_AGE_WORDS = re.compile(
    r"(?<![a-z])(?:nine?ty(?:[ -](?:one|two|three|four|five|six|seven|eight|nine))?|one hundred(?:[ -](?:and )?\w+)?)(?=[ -](?:years?|yrs?)\b)"
)
_AGE_CHINESE = re.compile(
    r"(?:九十[一二三四五六七八九]?|一百[零〇]?[一二三四五六七八九]?)(?=[ ]?(?:余|餘|多)?[周週]?[岁歲])"
)
OLDEST = 89
OVER_89 = "90+"


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


def is_age(piece: str) -> bool:
    """Is what was found a high age, not a date?"""
    return (
        (piece.isdecimal() and len(piece) < 4)
        or piece[:4].lower() in ("nine", "nint", "one ")
        or piece[:2] in ("九十", "一百")
    )
