"""Text without punctuation cut where its writer would have put marks: "no fever chills She has cough" is two statements.

Only texts that lack marks as a whole are touched. A mark takes the place of a blank, so no character moves. Knows words that
begin a statement; what the statements say is others' business.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from nlp_core.text_view import Rewriting

LEAST_WORDS = 15
"""Words (Chinese: characters) below which a text may well do without marks."""
WORDS_PER_MARK = 40
"""Words to each mark from which on a text counts as unpunctuated."""
_WORD = re.compile(r"[A-Za-z]+|[\u3400-\u9fff]")
_MARK = re.compile(r"[,;:!?](?!\d)|\.(?!\w)|[。，、；：！？\n]")
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_BEGINS = re.compile(
    r"(?i)(?:no|not|denies|denied|denying|he|she|they|it|i|we|there|his|her|my|our|the patient|this|but|on (?:exam|examination)"
    r"|exam|examination|physical|vitals?|temp|temperature|pulse|bp|blood pressure|heart rate|hr|rr|respirat\w+|spo2|oxygen"
    r"|labs?|laboratory|ecg|ekg|ct|mri|cxr|x-?rays?|ultrasound|urinalysis|urine|hemoglobin|wbc|white|platelets|creatinine"
    r"|lungs|abdomen|skin|pmh|past|family|social|medications|meds|allergies|hpi|cc|o/e|plan|assessment|impression)\b"
)
_GOES_ON = frozenset(
    "a an the of in on at to for from with without by and or no her his my our their into over under is are was were has had"
    " dr mr mrs ms than as that if when while because not very more be been between through per any"
    .split()
)  # fmt: skip
"""Words that no statement ends with."""
_TITLE = re.compile(r"[A-Z][a-z]+(?![a-zA-Z])|I(?![\w'’])")
_SHORT = 4
"""Characters of a Chinese item that, after a denial, still belongs to its list."""
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
    """A blank beside Chinese is a comma; after a denial short items go on with the list."""
    pieces = list(re.finditer(r"\S+", text))
    denied = False
    for piece, following in zip(pieces, pieces[1:], strict=False):
        denied = bool(_DENIAL.match(piece.group())) or (denied and len(piece.group()) <= _SHORT)
        if text[piece.end()] != " " or not (_CHINESE.search(piece.group()[-1] + following.group()[0])):
            continue
        listed = denied and len(following.group()) <= _SHORT
        yield Rewriting(piece.end(), piece.end() + 1, "、" if listed else "，")
