"""What happens to a note between the head and the record: slips of the keyboard, capitals, lost full stops, the other script.

Each works on the pieces, so that the gold moves with the words. Knows letters, no medicine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from training.synthetic_charts.chinese_slips import with_chinese_slips
from training.synthetic_charts.gold import WrittenNote, WrittenSentence
from training.synthetic_charts.styles import Charts

_KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_SHORTEST = 4
"""Letters of a word that is worth a slip."""
_SLIPS = 0.03
_CHANCES = {"typed in a hurry": 0.2, "all capitals": 0.06, "no full stops": 0.08, "all small": 0.06}
_TRADITIONAL = 0.2
_CHINESE_IN_A_HURRY = 0.3
"""Of the Chinese notes of fuller charts."""


def distorted(note: WrittenNote, random: np.random.Generator, charts: Charts = "first") -> WrittenNote:
    """Some notes with slips, some in capitals or without full stops, some Chinese ones in the traditional script.

    In fuller charts some Chinese ones with slips of their own.
    """
    changes: list[Callable[[str], str]] = []
    if random.random() < _CHANCES["typed in a hurry"]:
        changes.append(lambda text: with_slips(text, random))
    if note.language == "en" and random.random() < _CHANCES["all capitals"]:
        changes.append(str.upper)
    if note.language == "en" and random.random() < _CHANCES["all small"]:
        changes.append(str.lower)
    if random.random() < _CHANCES["no full stops"]:
        changes.append(lambda text: text.rstrip(".。"))
    if charts == "fuller" and note.language == "zh" and random.random() < _CHINESE_IN_A_HURRY:
        changes.append(lambda text: with_chinese_slips(text, random))
    if note.language == "zh" and random.random() < _TRADITIONAL:
        changes.append(traditional)
    for change in changes:
        note = _changed(note, change)
    return note


def with_slips(text: str, random: np.random.Generator, rate: float = _SLIPS) -> str:
    """One word in so many gets a letter swapped, lost, doubled or hit beside."""
    words = text.split(" ")
    for place, word in enumerate(words):
        if len(word) >= _SHORTEST and word.isalpha() and word.isascii() and random.random() < rate:
            words[place] = _slipped(word, random)
    return " ".join(words)


def traditional(text: str) -> str:
    """The traditional script, as long as the simplified text: by words where that keeps the length, else by characters."""
    changed = _converter().convert(text)
    return changed if len(changed) == len(text) else "".join(map(_traditional_character, text))


def _slipped(word: str, random: np.random.Generator) -> str:
    at = int(random.integers(1, len(word) - 1))
    kind = int(random.integers(4))
    if kind == 0:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind == 1:
        return word[:at] + word[at + 1 :]
    if kind == 2:
        return word[:at] + word[at] + word[at:]
    return word[:at] + _beside(word[at], random) + word[at + 1 :]


def _beside(letter: str, random: np.random.Generator) -> str:
    row = next((row for row in _KEYBOARD if letter.lower() in row), letter)
    at = row.index(letter.lower()) if letter.lower() in row else 0
    neighbours = row[max(0, at - 1) : at] + row[at + 1 : at + 2]
    return neighbours[int(random.integers(len(neighbours)))] if neighbours else letter


@lru_cache(maxsize=8192)
def _traditional_character(character: str) -> str:
    changed = _converter().convert(character)
    return changed if len(changed) == 1 else character


@lru_cache(maxsize=1)
def _converter() -> Any:
    from opencc import OpenCC  # loads its dictionaries

    return OpenCC("s2t")


def _changed(note: WrittenNote, change: Callable[[str], str]) -> WrittenNote:
    return replace(note, sentences=tuple(_changed_sentence(sentence, change) for sentence in note.sentences))


def _changed_sentence(sentence: WrittenSentence, change: Callable[[str], str]) -> WrittenSentence:
    return sentence.with_pieces(piece.reworded(change(piece.text)) for piece in sentence.pieces)
