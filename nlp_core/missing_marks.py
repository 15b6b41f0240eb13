"""Text without punctuation cut where its writer would have put marks: "no fever chills She has cough" is two statements.

Only texts that lack marks as a whole are touched. A mark takes the place of a blank, so no character moves. Knows words that
begin a statement; what the statements say is others' business.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from nlp_core.text_view import Rewriting

LEAST_WORDS = 15
"""Words (Chinese: characters) below which a text may well do without marks."""
WORDS_PER_MARK = 40
"""Words to each mark from which on a text counts as unpunctuated."""
_WORD = re.compile(r"[A-Za-z]+|[\u3400-\u9fff]")
_MARK = re.compile(r"[,;:!?](?!\d)|\.(?!\w)|[。，、；：！？\n]")
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_BEGINS = re.compile(
    r"(?i)(?:no|denies|denied|denying|he|she|they|the patient|on (?:exam|examination)|exam|examination|physical|vitals?|temp"
    r"|temperature|pulse|bp|blood pressure|heart rate|hr|rr|respiration\w*|spo2|oxygen|labs?|laboratory|ecg|ekg|ct|mri|cxr"
    r"|x-?rays?|ultrasound|urinalysis|hemoglobin|wbc|platelets|creatinine|lungs|abdomen|pmh|past|family|social|medications"
    r"|meds|allergies|hpi|o/e|plan|assessment|impression)\b"
)
_GOES_ON = frozenset(
    "a an the of in on at to for from with without by and or no her his my our their into over under is are was were has had"
    " dr mr mrs ms than as that if when while because not very more be been between through per any"
    .split()
)  # fmt: skip
"""Words that no statement ends with."""
_TITLE = re.compile(r"[A-Z][a-z]+(?![a-zA-Z])|A(?= [a-z])|I(?![\w'’])|\d{1,3} ?[MF](?!\S)")
_LISTED, _SHORT = 4, 6
"""Characters of a Chinese item that after a denial still belongs to its list; and of one that goes on with the sentence."""
_NEW_LIST = re.compile(r"查体|体检|体温|辅助|既往|伴|有|[A-Z]")
_DENIAL = re.compile(r"无|否认|未|没|不伴")


def lost_marks(text: str) -> list[Rewriting]:
    """Blanks to be read as marks, in order of place."""
    words = len(_WORD.findall(text))
    if words < LEAST_WORDS or words < WORDS_PER_MARK * len(_MARK.findall(text)):
        return []
    if 2 * len(_CHINESE.findall(text)) > words:
        return list(_chinese_marks(text))
    return list(_english_marks(text))


def _english_marks(text: str) -> Iterator[Rewriting]:
    """A semicolon before a word in title case, and before words that begin a statement."""
    before = ""
    for match in re.finditer(r"\S+", text):
        word = match.group()
        begins = _TITLE.match(word) or _BEGINS.match(text, match.start())
        if before and begins and before.lower() not in _GOES_ON and text[match.start() - 1] == " ":
            yield Rewriting(match.start() - 1, match.start(), ";")
        before = word


def _chinese_marks(text: str) -> Iterator[Rewriting]:
    """A blank beside Chinese is a full stop before a longer statement, else a comma; short items keep a denial's list."""
    pieces = list(re.finditer(r"\S+", text))
    denied = False
    for piece, following in pairwise(pieces):
        denied = bool(_DENIAL.match(piece.group())) or (denied and len(piece.group()) <= _LISTED)
        denied = denied and not _NEW_LIST.match(following.group())
        if text[piece.end()] == " " and _CHINESE.search(piece.group()[-1] + following.group()[0]):
            yield Rewriting(piece.end(), piece.end() + 1, _chinese_mark(len(following.group()), denied=denied))


def _chinese_mark(length: int, *, denied: bool) -> str:
    if denied and length <= _LISTED:
        return "、"
    return "，" if length <= _SHORT else "。"
