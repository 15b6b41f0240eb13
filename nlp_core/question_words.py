"""A question's words: what it asks for besides the names it holds, and which words carry its meaning.

Input : a question in English or Chinese
Output: terms for comparing it with sentences, and the kind of answer it wants
Rules of words; knows no chart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

Wanted = Literal["time", "number", "medication", "age", "place"]

_WANTED: dict[Wanted, re.Pattern[str]] = {
    "time": re.compile(r"\b(?:when|how long|since when)\b|什么时候|何时|多久|几天|多长时间", re.IGNORECASE),
    "number": re.compile(
        r"\b(?:what (?:is|was) (?:his|her|the|their)|how (?:high|low|fast|old|many|much))\b|多少|多高|几岁|多大",
        re.IGNORECASE,
    ),
    "place": re.compile(r"\bwhere\b|哪里|哪儿|什么(?:部位|位置|地方)|哪个部位|何处", re.IGNORECASE),
    "age": re.compile(r"\bhow old\b|\bage\b|几岁|多大年纪|年龄|多大岁数", re.IGNORECASE),
    "medication": re.compile(r"\b(?:medications?|medicines?|drugs?|tablets)\b|什么药|哪些药|用药|吃药", re.IGNORECASE),
}
_GENERAL = re.compile(
    r"^\s*(?:what (?:is|are) (?!(?:his|her|their|the)\b)|what causes|how (?:is|are|do you treat|does one treat|to treat)\b(?! (?:he|she|his|her))"
    r"|tell me about|explain)|(?:是什么(?:病|疾病)?|怎么治疗?|如何治疗|怎样治疗|什么是)",
    re.IGNORECASE,
)
_TREATMENT = re.compile(r"\b(?:treat\w*|therapy|manage\w*)\b|治疗|怎么治|用什么药治", re.IGNORECASE)
_PLACE = re.compile(
    r"\b(?:left|right|upper|lower|bilateral|quadrant|flank|navel|umbilic\w+|periumbilical|epigastri\w+|retrosternal|behind|radiat\w+"
    r"|spread\w*|moved|migrat\w+|located?|around the)\b|[左右上下]腹|[左右双]侧|脐周|剑突下|胸骨后|部位|放射|转移至|位于",
    re.IGNORECASE,
)
_EMPTY_WORDS = frozenset(
    "a an the is are was were be been being do does did has have had he she his her they their them it its of on in at to for"
    " from with by and or any some there this that these those what when where which who why how long high low much many"
    " patient you your about around before ever now recently still up out not no".split()
)
_EMPTY_CHINESE = re.compile(
    r"患者|病人|什么时候|什么|是否|有没有|有无|多少|多久|多高|哪个|哪些|哪里|怎么|怎样|为什么|何时|开始|以前|最近|目前|现在|正在|在用|服用"
    r"|[他她它吗呢吧么的了在有是被就和与过何从对请问人家里得做吃]"
)
_ENGLISH = re.compile(r"[a-z][a-z0-9]+")
_HAN = re.compile(r"[\u3400-\u9fff]+")
_ENDINGS = re.compile(r"(?:ing|ed|es|s|e|ful|ness)$")


def wanted(question: str) -> frozenset[Wanted]:
    """The kinds of answer it asks for."""
    return frozenset(kind for kind, pattern in _WANTED.items() if pattern.search(question))


def is_general(question: str) -> bool:
    """Does it ask about medicine, not about a patient?"""
    return bool(_GENERAL.search(question))


def asks_for_treatment(question: str) -> bool:
    return bool(_TREATMENT.search(question))


def names_a_place(text: str) -> bool:
    """Does it say where in the body?"""
    return bool(_PLACE.search(text))


def question_terms(question: str) -> frozenset[str]:
    """Words without those that every question holds; Chinese by pairs of characters."""
    return terms(_EMPTY_CHINESE.sub(" ", question)) - _EMPTY_WORDS


def terms(text: str) -> frozenset[str]:
    """Words of a sentence to be compared by, English ones without their endings."""
    lowered = text.lower()
    words = {_ENDINGS.sub("", word) if len(word) > 4 else word for word in _ENGLISH.findall(lowered)}
    return frozenset(words) | frozenset(_pairs(_HAN.findall(lowered)))


def _pairs(runs: Iterable[str]) -> Iterable[str]:
    for run in runs:
        yield from (run[at : at + 2] for at in range(max(1, len(run) - 1)))
