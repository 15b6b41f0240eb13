"""Signs that a note is not one clinician's account of this patient: words stuffed in, another patient's note pasted in.

Input : the note's text and what was read in it
Output: the reason to stay silent on the whole chart, or None. A chart that mixes two patients is worse than no answer.
Knows forms alone: how often a name stands how densely, and headers that name a patient.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Literal

from nlp_core.mentions import Mention

Distrust = Literal["stuffed_text", "other_patient_text"]

STUFFED_TIMES, STUFFED_WITHIN = 30, 2_400
"""A name said so often within so many characters was not written by a clinician; a paragraph copied twenty times may be."""
_PATIENT_OR = r"another patient|other patient|different patient|wrong patient"
_OTHER_PATIENT = re.compile(
    r"\b(?i:patient)\s+(?:no\.?\s*|#\s?)?(?:[B-WYZ]|[2-9]|(?i:two))\s*[:：]"
    r"|(?:患者|病人)\s*(?:[B-WYZ2-9乙丙丁二三])\s*[:：]"
    rf"|(?i:\b(?:note|chart|record)s? (?:of|for|from|belong(?:s|ing) to) (?:{_PATIENT_OR})|\b(?:{_PATIENT_OR})['’]s (?:note|chart|record))"
    r"|(?:另一|其他|别的)(?:位|名|个)?(?:患者|病人)的?(?:病历|病程|记录)"
)
_HEADER = re.compile(
    r"^[ \t]*(?P<label>patient name|mrn|medical record number|dob|date of birth|姓名|患者姓名|病历号|住院号|门诊号|出生日期)"
    r"[ \t]*[:：][ \t]*(?P<value>[^\s,，;；|]+(?: [^\s,，;；|:：]+)?)",
    re.IGNORECASE | re.MULTILINE,
)
_INTRODUCED = re.compile(
    r"(?:^|[.\n]\s{0,3})(?:(?:An?|This|The patient is an?)\s+)?(?P<age>\d{1,3})[- ]year[- ]old\s+(?P<who>man|woman|male|female)\b"
    r"(?!\s+(?:sibling|relative|partner|roommate|colleague))",
    re.IGNORECASE,
)
_SEX = {"man": "male", "woman": "female"}


def distrust_of(text: str, mentions: Sequence[Mention]) -> Distrust | None:
    """Why nothing should be concluded from a chart with this note."""
    if is_stuffed(mentions):
        return "stuffed_text"
    return "other_patient_text" if holds_another_patient(text) else None


def is_stuffed(mentions: Sequence[Mention]) -> bool:
    """Does one name stand so often and so densely that somebody wants it found?"""
    if len(mentions) < STUFFED_TIMES:
        return False
    places: dict[str, list[int]] = defaultdict(list)
    for mention in mentions:
        if mention.via == "name":
            places[mention.entry].append(mention.span.start)
    return any(_dense(sorted(set(starts))) for starts in places.values())


def _dense(starts: Sequence[int]) -> bool:
    first_and_last = zip(starts, starts[STUFFED_TIMES - 1 :], strict=False)
    return any(last - first <= STUFFED_WITHIN for first, last in first_and_last)


def holds_another_patient(text: str) -> bool:
    """Is a second patient announced, headed or introduced in the note?"""
    return bool(_OTHER_PATIENT.search(text)) or _two_headers(text) or _two_introductions(text)


def _two_headers(text: str) -> bool:
    """One label with two values: two names, two record numbers, two dates of birth."""
    values: dict[str, set[str]] = defaultdict(set)
    for match in _HEADER.finditer(text):
        values[match["label"].lower()].add(match["value"].strip().lower())
    return any(len(found) > 1 for found in values.values())


def _two_introductions(text: str) -> bool:
    """ "A 45-year-old man ..." and later "A 30-year-old woman ...": the sex differs, or the age by more than a birthday."""
    found = [(int(match["age"]), match["who"].lower()) for match in _INTRODUCED.finditer(text)]
    sexes = {_SEX.get(who, who) for _, who in found}
    ages = [age for age, _ in found]
    return len(sexes) > 1 or (bool(ages) and max(ages) - min(ages) > 1)
