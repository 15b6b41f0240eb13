"""Sentences that are no language: keys, codes and characters strewn over a note, which an encoder finds near to something all the same.

Input : a sentence. Output: whether most of it is such. "CD34+, CD19-" and "T4N2M0" are words of the trade, "k3#h&z8q~%1" is none.
"""

from __future__ import annotations

import re

_RUN = re.compile(r"[!-~]{12,}")
"""ASCII without a blank."""
_PIECE = re.compile(r"[^,;:/()]+")
_CHANGE = re.compile(r"(?<=[A-Za-z])[^A-Za-z.'-]|(?<=[^A-Za-z.'-])[A-Za-z]")
"""From a letter to what joins no words, or back."""
_SHORTEST = 6
_MOST_CHANGES = 0.25
"""Of the characters of a piece: "HLA-B27+" has 3 of 8 and is too short to tell, strewn characters have a third to a half."""
_MOST_NOISE = 0.5
"""Of the characters of a sentence."""


def is_no_language(sentence: str) -> bool:
    """Is more than half of it strewn characters?"""
    noise = sum(len(run.group()) for run in _RUN.finditer(sentence) if _is_strewn(run.group()))
    return noise > _MOST_NOISE * len(sentence.strip())


def _is_strewn(run: str) -> bool:
    pieces = [piece for piece in _PIECE.findall(run) if len(piece) >= _SHORTEST]
    changes = sum(len(_CHANGE.findall(piece)) for piece in pieces)
    return changes > _MOST_CHANGES * sum(map(len, pieces)) if pieces else False
