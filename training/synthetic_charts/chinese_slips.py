"""What hurried writers of Chinese mistype: another character of the same sound or shape, one twice, a mark left out.

Input : "咳嗽3天，无发热。"     Output: "该嗽3天，无发热。" or "咳嗽3天无发热。"
Which characters are taken for one another is data, chinese_slips.yaml. Knows characters, no medicine.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict

_SLIPS = Path(__file__).with_name("chinese_slips.yaml")
_RATE = 0.02
"""Of the characters and marks of a note that was typed in a hurry."""
_TWICE = 0.15
_BY_SHAPE = 0.3
"""Of the characters mistaken, where one of the same shape is at hand."""
_MARKS = frozenset("，。、；：")


class SlipTable(BaseModel):
    """Groups of characters that are taken for one another, parted by blanks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sound: str
    shape: str
    one_way: dict[str, str]

    def alike(self) -> tuple[dict[str, str], dict[str, str]]:
        """(by sound, by shape): character -> those that are written for it."""
        return _others(self.sound), _others(self.shape) | self.one_way


def with_chinese_slips(text: str, random: np.random.Generator, rate: float = _RATE) -> str:
    """rate: of the characters and marks, 0 to 1. Digits, other letters and what denies stay as they are."""
    return "".join(_slipped(one, random) if random.random() < rate else one for one in text)


def _slipped(character: str, random: np.random.Generator) -> str:
    if character in _MARKS:
        return ""
    by_sound, by_shape = _tables()
    sounds, shapes = by_sound.get(character, ""), by_shape.get(character, "")
    if not sounds and not shapes:
        return character
    if random.random() < _TWICE:
        return character * 2
    alike = shapes if shapes and (not sounds or random.random() < _BY_SHAPE) else sounds
    return alike[int(random.integers(len(alike)))]


@lru_cache(maxsize=1)
def slip_table() -> SlipTable:
    """Raises ValidationError where the file is none."""
    return SlipTable.model_validate(yaml.safe_load(_SLIPS.read_text("utf-8")))


@lru_cache(maxsize=1)
def _tables() -> tuple[dict[str, str], dict[str, str]]:
    return slip_table().alike()


def _others(groups: str) -> dict[str, str]:
    """Each character of a group -> the rest of its groups."""
    found: dict[str, str] = {}
    for group in groups.split():
        for one in group:
            found[one] = found.get(one, "") + group.replace(one, "")
    return found
