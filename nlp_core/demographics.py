"""Age and sex as a note states them, for charts whose coded data does not.

Knows phrases such as "48-year-old woman", "8 mo M" and "男，3岁". The coded chart always wins over what is read here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from nlp_core.chart import Sex

_YEARS_PER = {"year": 1.0, "month": 1 / 12, "week": 7 / 365.25, "day": 1 / 365.25}
_CHINESE_UNITS = {"岁": "year", "歲": "year", "个": "month", "月": "month", "周": "week", "日": "day", "天": "day"}
_AGE = re.compile(
    r"(?P<number>\d{1,3})\s*[- ]?\s*(?:(?P<unit>years?|yrs?|months?|mos?|weeks?|wks?|days?)[\s-]*(?:old|of[\s-]age)"
    r"|(?P<short>yo|y/o|y\.o\.?|mo|m/o)\b)"
    r"|(?P<zh>\d{1,3})\s*(?P<zh_unit>岁|歲|月龄|周龄|日龄|个月大|天大|(?:个月|天)(?=[，,]\s*[男女]))(?!前|后|余前)"
    r"|儿[，,]\s*(?:[男女]性?[，,]\s*)?(?P<child>\d{1,3})\s*(?P<child_unit>个月|天)"
    r"|\b(?:age|aged|年龄)[:： ]\s*(?P<plain>\d{1,3})\b|^\s*(?P<bare>\d{1,3})\s?[MF]\b",
    re.IGNORECASE,
)
_FEMALE = re.compile(
    r"\b(?:woman|female|girl|lady|mrs|ms|gravida|housewife|she|her|pregnant|schoolgirl|mother of)\b|女性|女孩|女，|女,|患者女|女患|女士|女童|妇女|孕妇|产妇|她",
    re.IGNORECASE,
)
_MALE = re.compile(
    r"\b(?:man|male|boy|gentleman|mr|he|his|him|schoolboy|father of)\b|男性|男孩|男，|男,|患者男|男患|先生|男童|他",
    re.IGNORECASE,
)
_SEX_LETTER = re.compile(r"\w?[\s,/-]*(?P<sex>[MF])\b")
_STRONG = {
    "woman",
    "female",
    "girl",
    "lady",
    "man",
    "male",
    "boy",
    "gentleman",
    "女性",
    "男性",
    "女，",
    "男，",
    "女孩",
    "男孩",
}
_HEAD = 600
"""Characters at the start of a note where the patient is introduced."""


@dataclass(frozen=True, slots=True)
class Demographics:
    age_years: float | None = None
    sex: Sex = "unknown"


def demographics_of(text: str) -> Demographics:
    """What the first lines of a note say of the patient; None and `unknown` where they say nothing."""
    head = text[:_HEAD]
    return Demographics(_age(head), _sex(head))


def _age(text: str) -> float | None:
    match = _AGE.search(text)
    if match is None:
        return None
    if match["zh"] or match["child"]:
        unit = _CHINESE_UNITS[(match["zh_unit"] or match["child_unit"])[0]]
        years = int(match["zh"] or match["child"]) * _YEARS_PER[unit]
    elif match["plain"] or match["bare"]:
        years = float(match["plain"] or match["bare"])
    else:
        unit = (match["unit"] or match["short"] or "year").lower()
        kind = next(
            (name for name in _YEARS_PER if unit.startswith(name[0]) and not (name == "month" and unit[0] != "m")),
            "year",
        )
        years = int(match["number"]) * _YEARS_PER[kind]
    return years if years <= 125 else None


def _sex(text: str) -> Sex:
    """The first plain word for the patient decides, else the commoner pronoun."""
    match = _AGE.search(text)
    letter = _SEX_LETTER.match(text, match.end() - 1) if match else None
    if letter:
        return "female" if letter["sex"] == "F" else "male"
    near = text[match.start() : match.end() + 60] if match else text
    for scope in (near, text):
        female, male = _first_strong(_FEMALE, scope), _first_strong(_MALE, scope)
        if female != male:
            return "female" if female < male else "male"
    counts = len(_FEMALE.findall(text)), len(_MALE.findall(text))
    if counts[0] == counts[1]:
        return "unknown"
    return "female" if counts[0] > counts[1] else "male"


def _first_strong(pattern: re.Pattern[str], text: str) -> int:
    return next((m.start() for m in pattern.finditer(text) if m.group().lower() in _STRONG), len(text))
