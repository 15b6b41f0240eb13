"""Words that tell a person's sex, made neutral: what somebody's symptom is near to must not depend on who has it.

Knows pronouns and the plainest nouns. The encoder sees "they wake gasping" for he and she alike; text, offsets and quotes
are not touched, and age and sex are read elsewhere (demographics).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_NEUTRAL = {
    **dict.fromkeys(("he", "she"), "they"),
    **dict.fromkeys(("his", "her"), "their"),
    **dict.fromkeys(("himself", "herself"), "themselves"),
    **dict.fromkeys(("man", "woman", "gentleman", "lady"), "person"),
    **dict.fromkeys(("boy", "girl"), "child"),
    "him": "them",
    "hers": "theirs",
}
_TELLING = re.compile(rf"\b(?:{'|'.join(_NEUTRAL)})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class NeutralText:
    """A text made neutral, with the way back: character i of `text` stands for the original's `[starts[i], ends[i])`."""

    text: str
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]


def neutral_with_offsets(text: str) -> NeutralText:
    """As `neutral`, for readers that quote; all letters of a changed word stand for the whole word."""
    pieces: list[str] = []
    starts: list[NDArray[np.int64]] = []
    ends: list[NDArray[np.int64]] = []
    at = 0
    for match in _TELLING.finditer(text):
        _keep(text, at, match.start(), pieces, starts, ends)
        word = _NEUTRAL[match.group().lower()]
        pieces.append(word)
        starts.append(np.full(len(word), match.start(), np.int64))
        ends.append(np.full(len(word), match.end(), np.int64))
        at = match.end()
    _keep(text, at, len(text), pieces, starts, ends)
    return NeutralText("".join(pieces).replace("她", "他"), np.concatenate(starts), np.concatenate(ends))


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
    return _TELLING.sub(lambda match: _NEUTRAL[match.group().lower()], text).replace("她", "他")
