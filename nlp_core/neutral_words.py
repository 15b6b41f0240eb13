"""Words that tell a person's sex, made neutral: what somebody's symptom is near to must not depend on who has it.

Knows pronouns, the plainest nouns and relatives. The encoder sees "they wake gasping" for he and she alike; text, offsets and quotes
are not touched, and age and sex are read elsewhere (demographics).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_NEUTRAL = {
    **dict.fromkeys(("he", "she"), "they"),
    **dict.fromkeys(("his", "her", "him"), "their"),
    **dict.fromkeys(("himself", "herself"), "themselves"),
    **dict.fromkeys(("man", "woman", "gentleman", "lady"), "person"),
    **dict.fromkeys(("boy", "girl"), "child"),
    **dict.fromkeys(("father", "mother", "dad", "daddy", "mum", "mummy", "mom"), "parent"),
    **dict.fromkeys(("grandfather", "grandmother", "grandpa", "grandma"), "grandparent"),
    **dict.fromkeys(("brother", "sister"), "sibling"),
    **dict.fromkeys(("husband", "wife"), "spouse"),
    **dict.fromkeys(("boyfriend", "girlfriend"), "partner"),
    **dict.fromkeys(("son", "daughter"), "child"),
    **dict.fromkeys(("uncle", "aunt", "nephew", "niece"), "relative"),
    "hers": "theirs",
}
"""English has one "her" for "his" and "him": all three are made the same, at the price of grammar."""
_NEUTRAL_CHINESE = {
    "她": "他",
    **dict.fromkeys(("女性", "男性", "女士", "先生"), "患者"),
    **dict.fromkeys(("女孩", "男孩", "女童", "男童"), "孩子"),
    **dict.fromkeys(("女婴", "男婴"), "婴儿"),
    **dict.fromkeys(("女子", "男子"), "成人"),
    **dict.fromkeys(("女儿", "儿子", "闺女"), "孩子"),
    **dict.fromkeys(("老公", "老婆", "丈夫", "妻子"), "爱人"),
    **dict.fromkeys(("大爷", "大妈"), "老人"),
    **dict.fromkeys(("女生", "男生"), "学生"),
    **dict.fromkeys(("父亲", "母亲", "爸爸", "妈妈", "老爸", "老妈"), "家长"),
    **dict.fromkeys(("爷爷", "奶奶", "外公", "外婆", "姥爷", "姥姥"), "祖辈"),
    **dict.fromkeys(("哥哥", "姐姐", "弟弟", "妹妹", "大哥", "大姐"), "同胞"),
    **dict.fromkeys(("表哥", "表姐", "表弟", "表妹", "堂哥", "堂姐", "堂弟", "堂妹"), "表亲"),
    **dict.fromkeys(("叔叔", "阿姨", "舅舅", "舅妈", "姨妈", "姑妈", "伯父", "伯母", "姨父", "姑父"), "亲戚"),
    **dict.fromkeys(("孙子", "孙女", "外孙女", "外孙"), "孙辈"),
    **dict.fromkeys(("女", "男"), "人"),
}
"""`女` and `男` alone only where they are no part of another word: "女，34岁", "患者女", "44岁男厨师"."""
_ALONE = (
    r"(?:(?<![\u4e00-\u9fff])|(?<=患者)|(?<=病人)|(?<=我))[男女](?![\u4e00-\u9fff])|(?<=\d岁)[男女](?=[\u4e00-\u9fff])"
)
_ENGLISH = rf"\b(?:{'|'.join(_NEUTRAL)})\b"
_TELLING_ENGLISH = re.compile(_ENGLISH, re.IGNORECASE)
_TELLING = re.compile(
    rf"{_ENGLISH}|{'|'.join(word for word in _NEUTRAL_CHINESE if word not in '男女')}|{_ALONE}", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class NeutralText:
    """A text made neutral, with the way back: character i of `text` stands for the original's `[starts[i], ends[i])`."""

    text: str
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]


def neutral_with_offsets(text: str) -> NeutralText:
    """As `neutral`, for readers that quote; all letters of a changed word stand for the whole word."""
    matches = list(_telling(text).finditer(text))
    if not matches:  # as most sentences are
        own = np.arange(len(text) + 1, dtype=np.int64)
        return NeutralText(text, own[:-1], own[1:])
    pieces: list[str] = []
    starts: list[NDArray[np.int64]] = []
    ends: list[NDArray[np.int64]] = []
    at = 0
    for match in matches:
        _keep(text, at, match.start(), pieces, starts, ends)
        word = _neutral_word(match)
        pieces.append(word)
        starts.append(np.full(len(word), match.start(), np.int64))
        ends.append(np.full(len(word), match.end(), np.int64))
        at = match.end()
    _keep(text, at, len(text), pieces, starts, ends)
    return NeutralText("".join(pieces), np.concatenate(starts), np.concatenate(ends))


def _keep(
    text: str,
    start: int,
    end: int,
    pieces: list[str],
    starts: list[NDArray[np.int64]],
    ends: list[NDArray[np.int64]],
) -> None:
    pieces.append(text[start:end])
    starts.append(np.arange(start, end, dtype=np.int64))
    ends.append(np.arange(start + 1, end + 1, dtype=np.int64))


def neutral(text: str) -> str:
    """The text for the encoder's eyes; its length may change."""
    return _telling(text).sub(_neutral_word, text)


def _telling(text: str) -> re.Pattern[str]:
    """Half the time where no Chinese can be."""
    return _TELLING_ENGLISH if text.isascii() else _TELLING


def _neutral_word(match: re.Match[str]) -> str:
    word = match.group().lower()
    return _NEUTRAL.get(word) or _NEUTRAL_CHINESE[word]
