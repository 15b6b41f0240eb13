"""The same story told of somebody else: of the other sex, a little older or younger, by another name.

Knows words: which ones tell a sex, where an age stands, how a name gets into a note. Does not know when medicine would
care (measure_swaps asks the knowledge that).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from nlp_core.assessment import Language
from nlp_core.chart import Sex

_PAIRS = """he she|himself herself|man woman|men women|boy girl|boys girls|male female|males females|gentleman lady
father mother|dad mum|daddy mummy|son daughter|husband wife|brother sister|brothers sisters|grandfather grandmother
grandpa grandma|grandson granddaughter|uncle aunt|nephew niece|boyfriend girlfriend|schoolboy schoolgirl|mr mrs"""
_ONE_WAY = {"him": "her", "his": "her", "hers": "his", "ms": "mr", "mom": "dad", "miss": "mr"}
_HER_ALONE = frozenset(
    """a about after again and as at because before but by during for from if in into last now of off on or
out over since so that the then this to today until up when while with""".split()
)
"""Words before which "her" is no possessive: "I saw her in clinic"."""
_CHINESE_PAIRS = """儿子 女儿|姨妈 姨父|姑妈 姑父|伯母 伯父|孙子 孙女|儿媳 女婿|父亲 母亲|老公 老婆|丈夫 妻子|先生 女士|爸 妈|哥 姐|弟 妹|爷爷 奶奶|外公 外婆|姥爷 姥姥
叔叔 阿姨|大爷 大妈|舅舅 舅妈|男 女|他 她"""
_KEPT = "子女|儿女|男女|其他|他人|他汀|吉他|他克莫司|兄弟姐妹|姐妹|兄弟"
"""Chinese words that hold one of the above and mean no sex of anybody."""
_SEX_LETTER = re.compile(
    r"(?P<before>(?<![\d./:°])\b\d{1,2}\s?(?:y/?o|yrs?|mo?|m/o)?[\s,/]{0,2})(?P<after>[MF])\b(?![’'])"
    r"|\b(?P<first>[MF])(?P<number>[\s,/]{0,2}\d{1,2}\b(?![:/%]|\.\d))"
)
_HEAD = 200
"""Characters in which a letter beside a number is a sex and no temperature."""
ORIGINS: dict[Language, tuple[tuple[str, str, str], ...]] = {
    "en": (
        ("Emily", "James", "Smith"), ("Siobhan", "Sean", "O'Brien"), ("Linh", "Minh", "Nguyen"), ("Priya", "Raj", "Patel"),
        ("Lucia", "Mateo", "Garcia Lopez"), ("Chidinma", "Emeka", "Okafor"), ("Fatima", "Omar", "Al-Rashid"),
        ("Agnieszka", "Piotr", "Kowalski"), ("Ji-woo", "Min-jun", "Kim"), ("Latoya", "DeShawn", "Washington"),
        ("Harpreet", "Gurpreet", "Singh"), ("Miriam", "Avi", "Cohen"), ("Olga", "Dmitri", "Ivanov"), ("Yuki", "Kenji", "Yamamoto"),
        ("Mei", "Wei", "Zhang"), ("Amina", "Abdi", "Hassan"),
    ),
    "zh": (
        ("秀英", "建国", "王"), ("静怡", "志强", "李"), ("丽华", "海涛", "陈"), ("晓燕", "文博", "欧阳"), ("桂兰", "德明", "赵"),
        ("雪梅", "俊杰", "刘"), ("思琪", "浩然", "周"), ("玉珍", "永福", "孙"), ("古丽", "阿里木", "买买提·"), ("卓玛", "扎西", "次仁"),
        ("其其格", "巴特尔", "包"), ("英子", "哲洙", "朴"),
    ),
}  # fmt: skip
"""Given names of a woman and of a man, and the family name."""
WORDS_TOO: dict[Language, tuple[tuple[str, str, str], ...]] = {
    "en": (
        ("Anne", "Robert", "Burns"), ("Rose", "Peter", "Stone"), ("May", "Paul", "Whitehead"), ("Joy", "Ernest", "Moles"),
        ("Grace", "Jack", "Rash"), ("Hope", "Frank", "Graves"), ("Dawn", "Will", "Parkinson"), ("Faith", "Mark", "Blood"),
        ("Iris", "Bill", "Sharp"), ("Violet", "Guy", "Legg"),
    ),
    "zh": (("丹", "力", "黄"), ("静", "静", "冷"), ("力", "力", "张"), ("红", "磊", "石"), ("雪", "斌", "白"), ("买买提", "买买提", "热依汗·")),
}  # fmt: skip
"""Names that are also words of illness or of the body."""


@dataclass(frozen=True, slots=True)
class Name:
    """A patient's name as a note writes it in full, and as it goes on."""

    full: str
    short: str


def other_sex(text: str, language: Language) -> str:
    """The text with every word that tells a sex turned round, relatives' too: one world where all sexes are the other."""
    if language == "zh":
        return _CHINESE.sub(lambda match: _TURNED_CHINESE.get(match.group(), match.group()), text)
    text = _ENGLISH.sub(_turned, text)
    return _SEX_LETTER.sub(_turned_letter, text[:_HEAD]) + text[_HEAD:]


def aged(text: str, age: int, years: int) -> str:
    """The text with the first number that is the patient's age moved by `years`."""
    return re.sub(rf"(?<![\d./]){age}(?![\d./%])", str(age + years), text, count=1)


def name_of(parts: tuple[str, str, str], sex: Sex, language: Language) -> Name:
    """parts: given name of a woman, of a man, family name. Without a known sex there is no title."""
    woman, man, family = parts
    given = man if sex == "male" else woman
    if language == "zh":
        return Name(family + given, family + given)
    title = {"male": "Mr ", "female": "Ms "}.get(sex, "")
    return Name(f"{title}{given} {family}", f"{title}{family}")


def named(text: str, name: Name, style: str, language: Language) -> str:
    """The text with a name where charts and letters have one: a header or a signature, and once in the running text."""
    if language == "zh":
        text = re.sub("患者(?!自|述|诉|家)", f"患者{name.short}", text, count=1)
        return f"{text}\n——{name.full}" if style == "message" else f"姓名：{name.full}\n{text}"
    text = re.sub(r"(?<=[.!?]\s)(?:He|She)\b", name.short, text, count=1)
    return f"{text}\nMany thanks, {name.full}" if style == "message" else f"Patient: {name.full}\n{text}"


def _turned_round(pairs: str, between: str) -> dict[str, str]:
    both = [(one, other) for one, other in (pair.split() for pair in re.split(between, pairs))]
    return dict(both) | {other: one for one, other in both}


_TURNED = {**_turned_round(_PAIRS, r"[|\n]"), **_ONE_WAY}
_TURNED_CHINESE = _turned_round(_CHINESE_PAIRS, r"[|\n]") | {"闺女": "儿子"}
_ENGLISH = re.compile(rf"\b(?:her(?P<next>\s+[a-z]+)?|{'|'.join(_TURNED)})\b", re.IGNORECASE)
_CHINESE = re.compile("|".join([_KEPT, *sorted(_TURNED_CHINESE, key=len, reverse=True)]))


def _turned(match: re.Match[str]) -> str:
    word = match.group()
    if word[:3].lower() == "her" and word.lower() not in _TURNED:
        following = match["next"] or ""
        turned = "him" if not following or following.strip().lower() in _HER_ALONE else "his"
        return (turned.capitalize() if word[0].isupper() else turned) + _ENGLISH.sub(_turned, following)
    turned = _TURNED[word.lower()]
    return turned.capitalize() if word[0].isupper() else turned


def _turned_letter(match: re.Match[str]) -> str:
    letter = {"M": "F", "F": "M"}
    if match["after"]:
        return f"{match['before']}{letter[match['after']]}"
    return f"{letter[match['first']]}{match['number']}"
