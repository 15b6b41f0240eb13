"""Places of China by their names alone, without a word that leads to them: 老家在塘栖, 从衡水转来.

Input : a text in simplified characters     Output: where names of prefectures, counties and townships stand
Knows the list (rules/chinese_places.txt; rules/LICENCES.md says from whom) and how Chinese is cut into words: a name
counts where it begins and ends with words, so that two neighbours are not read as one. A reader behind the rules may doubt it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import rjieba

from training.deidentify.kinds import Found, Kind
from training.deidentify.text_folding import HAN
from training.deidentify.vocabulary import RULES

_RUN = re.compile(rf"{HAN}{{2,}}")
_WHAT = r"(?:地区|街道|[市县区镇乡州盟旗村])"
_ENDING = re.compile(rf"(?<=..){_WHAT}$")
_ENDING_BEHIND = re.compile(rf"{_WHAT}(?![人民医])")
_LONGEST = 6


def find_chinese_places(plain: str) -> Iterator[Found]:
    """Each with the word for what it is (塘栖镇)."""
    names, beginnings = _names()
    for run in _RUN.finditer(plain):
        text = run.group()
        if any(text[at : at + 2] in beginnings for at in range(len(text) - 1)):
            for start, end in _named(text, names):
                ending = _ENDING_BEHIND.match(text, end)
                yield Found(run.start() + start, run.start() + (ending.end() if ending else end), Kind.PLACE)


def _named(text: str, names: frozenset[str]) -> Iterator[tuple[int, int]]:
    """The longest name from each word on, none over another."""
    edges = [0]
    for word in rjieba.cut(text):
        edges.append(edges[-1] + len(word))
    free = 0
    for at, start in enumerate(edges[:-1]):
        if start < free:
            continue
        ends = [end for end in edges[at + 1 : at + 1 + _LONGEST] if _ENDING.sub("", text[start:end]) in names]
        if ends:
            free = ends[-1]
            yield start, free


@lru_cache(maxsize=1)
def _names() -> tuple[frozenset[str], frozenset[str]]:
    """The names, and the two characters that each begins with."""
    names = frozenset((RULES / "chinese_places.txt").read_text(encoding="utf-8").split())
    return names, frozenset(name[:2] for name in names)
