"""A text as the head reads it: words, numbers with their marks inside, single Chinese characters; what stands before each.

Input : a text, folded     Output: Tokens: where each stands, its form as a key for the marks of that form, the gap before it
Knows how Chinese is cut into words (rjieba, a Rust build of jieba with its MIT dictionary); no identifiers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import rjieba

from training.deidentify.text_folding import simplified

_TOKEN = re.compile(
    r"[\u3400-\u9fff]"
    r"|(?=[A-Za-z./_-]{0,12}\d)[A-Za-z0-9]+(?:(?:[-/._]|(?<=\d):(?=\d))[A-Za-z0-9]+)*"
    r"|[A-Za-z]+(?:'(?![sS]\b)[A-Za-z]+)?"
    r"|[^\W\d_A-Za-z]+"
)
_HAN_RUN = re.compile(r"[\u3400-\u9fff]+")
_GAPS = {
    " ": "space",
    "": "none",
    "\n": "line",
    "-": "hyphen",
    ", ": "comma",
    "; ": "semi",
    ". ": "stop",
    ": ": "colon",
}
_IN_GAP = (
    ("\n", "line"), (":", "colon"), ("(", "open"), ("[", "open"), ('"', "quote"), ("<", "open"), ("#", "hash"), (";", "semi"),
    ("。", "semi"), (".", "stop"), ("!", "stop"), ("?", "stop"), (",", "comma"), ("/", "slash"), ("·", "dot"), ("@", "at"),
    (")", "close"), ("-", "hyphen"), ("&", "and"), ("'", "apostrophe"), ("|", "bar"), ("\t", "tab"),
)  # fmt: skip
GAPS = tuple(sorted({*_GAPS.values(), *(name for _, name in _IN_GAP), "start", "wide", "other"}))
"""Every gap."""
_WIDE = "   "


@dataclass(frozen=True, slots=True)
class Tokens:
    """Of one text, in its order; all as long as each other."""

    starts: list[int]
    ends: list[int]
    forms: list[str]
    """The word as it is written; of a Chinese character also the word it is in: `1|nr|张建国` is the second character of that."""
    gaps: list[str]
    """What stands between the token and the one before: a name of `_GAPS` and `_IN_GAP`, "start" at the text's start."""


def tokens_of(plain: str) -> Tokens:
    """Every token of the text."""
    plain = simplified(plain)
    found = Tokens([], [], [], [])
    chinese = _chinese_forms(plain) if not plain.isascii() else {}
    at = 0
    for match in _TOKEN.finditer(plain):
        start, end = match.span()
        found.starts.append(start)
        found.ends.append(end)
        found.forms.append(chinese[start] if start in chinese else match.group())
        found.gaps.append(_gap(plain[at:start]) if at else "start")
        at = end
    return found


def _gap(between: str) -> str:
    known = _GAPS.get(between)
    if known:
        return known
    for mark, name in _IN_GAP:
        if mark in between:
            return name
    return "wide" if _WIDE in between else "other"


def _chinese_forms(plain: str) -> dict[int, str]:
    """Place of each Chinese character -> its form."""
    forms = {}
    for run in _HAN_RUN.finditer(plain):
        at = run.start()
        for word, tag in rjieba.tag(run.group()):
            for index in range(len(word)):
                forms[at + index] = f"{index}|{tag}|{word}"
            at += len(word)
    return forms
