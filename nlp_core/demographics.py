"""Age and sex as a note states them, for charts whose coded data does not.

Knows phrases such as "48-year-old woman", "8 mo M" and "男，3岁". The coded chart always wins over what is read here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from nlp_core.chart import Sex

_YEARS_PER = {"year": 1.0, "month": 1 / 12, "week": 7 / 365.25, "day": 1 / 365.25}
_CHINESE_UNITS = {"岁": "year", "歲": "year", "个": "month", "月": "month", "周": "week", "日": "day", "天": "day"}
_RELATED = r"wife|husband|mother|father|mum|mom|dad|grandmother|grandfather|grandma|grandpa|sister|brother|aunt|uncle|partner|girlfriend|boyfriend"
_SOMEBODY = rf"(?:I|he|she|(?:[Mm]y|[Oo]ur) (?:{_RELATED}|son|daughter|child|boy|girl))"
_AGE = re.compile(
    r"(?P<number>\d{1,3})\s*[- ]?\s*(?:(?P<unit>years?|yrs?|months?|mos?|weeks?|wks?|days?)[\s-]*(?:old|of[\s-]age)(?!\s+(?:rash|wound|injur|fractur|scar|burn|laceration|bruise|lesion|tattoo|pain))"
    r"|(?P<short>yo|y/o|y\.o\.?|m/o|mo(?=\s?[,/]?\s?(?:(?-i:[MF])|old|male|female|boy|girl)\b))\b)"
    r"|(?P<zh>\d{1,3})\s*(?P<zh_unit>岁|歲|月龄|周龄|日龄|个月大|天大)(?!前|后|余前|时|起|患|确诊|发病|去世|死)"
    r"|儿[，,]\s*(?:[男女]性?[，,]\s*)?(?P<child>\d{1,3})\s*(?P<child_unit>个月|天)"
    r"|[男女]性?[，,]\s*(?P<infant>\d{1,2})\s*(?P<infant_unit>个月|天)(?!前|后|余)"
    r"|\b(?:age|aged|年龄)[:： ]\s*(?P<plain>\d{1,3})\b(?!\s*(?:month|week|day|mo\b))"
    r"|(?:^|(?<=[\n.:;]\s)|(?<=[\n;]))(?P<bare>(?:[1-8]?\d|9[0-4])(?=\s?(?-i:[MF])\b)|\d{1,3}(?!\s?[MF]\.))\s?(?-i:[MF])\b(?![’'])"
    r"|(?<![\w.'’])(?-i:[MF]),\s?(?P<young>\d{1,2})\s?(?P<young_unit>days?|weeks?|wks?|months?|mos?)\b(?!\s+(?:ago|of|history|after|before))"
    r"|(?<![\w.'’])(?-i:[MF])[\s,/]{0,2}(?P<letter_first>\d{1,3})\b(?![.:/%]\d|\s*(?:mg|kg|cm|mm|day|week|month|mo\b|wk|hr|%))"
    rf"|\b{_SOMEBODY}(?:['’]s|['’]m| is| was| am)\s(?:now\s|just\s|almost\s|about\s|already\s)?(?P<said>\d{{1,3}})(?=\s*(?:[,.;)]|and\b|with\b|an? (?:wo)?man\b|$))"
    r"|(?:[今我]年|年仅)\s?(?P<zh_said>\d{1,3})(?=[，,。]|岁)",
    re.IGNORECASE,
)
_CERTAIN = ("number", "zh", "child", "infant", "young", "plain")
"""Groups of _AGE that say outright that they are an age; the others are taken where none of these is there."""
_OF_A_RELATIVE = re.compile(
    r"(?:[父母兄弟姐妹爷奶](?:亲|爸|妈)?[，,]?|mother|father|brother|sister|aunt|uncle|died at|age of)\s*$",
    re.IGNORECASE,
)
_FEMALE = re.compile(
    r"\b(?:woman|female|girl|lady|mrs|ms|gravida|housewife|she|her|pregnant|schoolgirl|mother of)\b|女性|女孩|我是?女的|岁的?女|岁女|^女|女大学生|女学生|女教师|女工|[一这]名女|[一这]位女|女，|女,|患者女|女患|女士|女童|妇女|孕妇|产妇|女生|她|女(?=[\s/]{1,2}\d{1,3}\s?岁)|(?<=岁[，,])女(?!儿|友|婿|朋)",
    re.IGNORECASE,
)
_MALE = re.compile(
    r"\b(?:man|male|boy|gentleman|mr|he|his|him|schoolboy|father of)\b|男性|男孩|我是?男的|岁的?男|岁男|^男|男大学生|男学生|男教师|男工|[一这]名男|[一这]位男|男，|男,|患者男|男患|先生|男童|男生|他|男(?=[\s/]{1,2}\d{1,3}\s?岁)|(?<=岁[，,])男(?!友|朋)",
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
    "女,",
    "男,",
    "女孩",
    "男孩",
    "女生",
    "男生",
    *(
        "我女的",
        "我是女的",
        "岁的女",
        "岁女",
        "女",
        "女大学生",
        "女学生",
        "女教师",
        "女工",
        "一名女",
        "一位女",
        "这名女",
        "这位女",
    ),
    *(
        "我男的",
        "我是男的",
        "岁的男",
        "岁男",
        "男",
        "男大学生",
        "男学生",
        "男教师",
        "男工",
        "一名男",
        "一位男",
        "这名男",
        "这位男",
    ),
}
_PLAIN_YEARS = ("plain", "bare", "letter_first", "said", "zh_said")
"""Groups of _AGE that hold years without a unit."""
_ONLY_WOMEN = re.compile(
    r"\b(?:LMP|G\d{1,2}P\d{1,2}|menarche|post-?menopausal|premenopausal|menopausal|menses|gravida|primigravida|multigravida|antenatal"
    r"|postpartum|pregnan(?:t|cy)|my period|her periods?|last period|lochia|uterus|cervix|vagina(?:l)?|ovar(?:y|ies|ian))\b"
    r"|末次月经|月经|停经|孕\d|妊娠|怀孕|产后|绝经|阴道|白带|宫颈|子宫|卵巢|孕产"
)
_ONLY_MEN = re.compile(
    r"\b(?:prostate|testic\w+|testis|testes|scrot\w+|penis|penile|foreskin|erection)\b|前列腺|睾丸|阴囊|阴茎|包皮"
)
_PATIENT_IS: tuple[tuple[re.Pattern[str], Sex], ...] = (
    (
        re.compile(
            r"\bmy (?:wife|mother|mum|mom|daughter|girl|grandmother|grandma|sister|aunt|girlfriend)\b|我(?:老婆|妻子|爱人女|妈|母亲|女儿|姐|妹|奶奶|外婆|姥姥|婆婆|岳母|丈母娘)",
            re.I,
        ),
        "female",
    ),
    (
        re.compile(
            r"\bmy (?:husband|father|dad|son|boy|grandfather|grandpa|brother|uncle|boyfriend)\b|我(?:老公|丈夫|爸|父亲|儿子|哥|弟|爷爷|外公|姥爷|公公|岳父|丈人)",
            re.I,
        ),
        "male",
    ),
)
"""A relative writes: whom the first sentence names is the patient."""
_HEAD = 600
"""Characters at the start of a note where the patient is introduced."""
_OPENING = 120
"""Characters in which a relative says whom they write about."""


@dataclass(frozen=True, slots=True)
class Demographics:
    age_years: float | None = None
    sex: Sex = "unknown"


def demographics_of(text: str) -> Demographics:
    """What the first lines of a note say of the patient; None and `unknown` where they say nothing."""
    head = text[:_HEAD]
    return Demographics(_age(head), _sex(head))


def tells_of_one_sex(text: str) -> bool:
    """Does a text speak of what only women or only men have: a pregnancy, a prostate?"""
    return bool(_ONLY_WOMEN.search(text) or _ONLY_MEN.search(text))


def _stated_age(text: str) -> re.Match[str] | None:
    """The first age that is the patient's: one that says so outright before one that may be a number beside a letter."""
    found = [match for match in _AGE.finditer(text) if not _OF_A_RELATIVE.search(text[: match.start()])]
    certain = (match for match in found if any(match[group] for group in _CERTAIN))
    return next(certain, found[0] if found else None)


def _age(text: str) -> float | None:
    match = _stated_age(text)
    if match is None:
        return None
    if match["zh"] or match["child"] or match["infant"]:
        unit = _CHINESE_UNITS[(match["zh_unit"] or match["child_unit"] or match["infant_unit"])[0]]
        years = int(match["zh"] or match["child"] or match["infant"]) * _YEARS_PER[unit]
    elif plain := next(filter(None, (match[name] for name in _PLAIN_YEARS)), None):
        years = float(plain)
    else:
        unit = (match["unit"] or match["short"] or match["young_unit"] or "year").lower()
        kind = next(
            (name for name in _YEARS_PER if unit.startswith(name[0]) and not (name == "month" and unit[0] != "m")),
            "year",
        )
        years = int(match["number"] or match["young"]) * _YEARS_PER[kind]
    return years if years <= 125 else None


def _sex(text: str) -> Sex:
    """The first plain word for the patient decides, then what only women or men have, else the commoner pronoun."""
    match = _stated_age(text)
    letter = _letter_beside(match, text) if match else None
    if letter:
        return "female" if letter == "F" else "male"
    related = [(found.start(), sex) for pattern, sex in _PATIENT_IS if (found := pattern.search(text[:_OPENING]))]
    if related:
        return min(related)[1]
    near = text[match.start() : match.end() + 60] if match else text
    for scope in (near, text):
        female, male = _first_strong(_FEMALE, scope), _first_strong(_MALE, scope)
        if female != male:
            return "female" if female < male else "male"
    only_women, only_men = bool(_ONLY_WOMEN.search(text)), bool(_ONLY_MEN.search(text))
    if only_women != only_men:
        return "female" if only_women else "male"
    counts = len(_FEMALE.findall(text)), len(_MALE.findall(text))
    if counts[0] == counts[1]:
        return "unknown"
    return "female" if counts[0] > counts[1] else "male"


def _letter_beside(match: re.Match[str], text: str) -> str | None:
    """M or F right behind the age ("78F", "3 y/o M") or right before it ("F 54", "M, 8 months")."""
    if match["letter_first"] or match["young"]:
        return match.group()[0]
    behind = _SEX_LETTER.match(text, match.end() - 1)
    return behind["sex"] if behind else None


def _first_strong(pattern: re.Pattern[str], text: str) -> int:
    return next((m.start() for m in pattern.finditer(text) if m.group().lower() in _STRONG), len(text))
