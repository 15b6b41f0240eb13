"""A text made ready once for all finders: folded, in small letters, its different words, its lines that may hold numbers.

Knows no identifiers. What it offers beside the text only saves time: most finders need not look at most of a note.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from training.deidentify.text_folding import folded, simplified

_SIGNS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
WORDS = re.compile(r"[a-z][a-z0-9]*(?:'[a-z][a-z0-9]+)?")
_NUMBER = re.compile(
    r"\d(?:[A-Za-z0-9-]{3}|(?<=[A-Za-z-]\d)[A-Za-z0-9-]{2}|(?<=[A-Za-z-]{2}\d)\d|[-./ )]{1,2}\(?\d{1,4}[-./ ]?\d|(?<=[xX*]-\d)|:[0-9a-fA-F]{1,4}:)"
    r"|:[0-9A-Fa-f]{1,4}:"
)
"""Begins at a digit, and looks back from there: more than twice as fast as where letters may begin it."""
_DATE = re.compile(r"\d[-/.]\d|[12]\d{7}")
_MARKS = {code: None for code in range(128) if not chr(code).isalnum()}
_NUMERIC = re.compile(r"\d|:[a-fA-F]{1,4}:")
"""In every match of these two, and much quicker to look for: most lines have none."""


def places_of(word: str, lower: str) -> Iterator[tuple[int, int]]:
    """Where a word stands with no letter and no digit of English beside it. Without a pattern: each chart has other names, and
    compiling theirs took longer than searching."""
    at = lower.find(word)
    while at >= 0:
        end = at + len(word)
        if lower[end : end + 1] not in _SIGNS and (not at or lower[at - 1] not in _SIGNS):
            yield at, end
            at = lower.find(word, end)
        else:
            at = lower.find(word, at + 1)


class SearchedText:
    """`plain` and `lower` are as long as `text`."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.plain = folded(text)
        lower = self.plain.lower()
        self.lower = lower if len(lower) == len(text) else "".join(map(_small, self.plain))

    @cached_property
    def words(self) -> frozenset[str]:
        """Each word once, in small letters."""
        return frozenset(WORDS.findall(self.lower))

    @cached_property
    def simplified(self) -> str:
        """`plain` with traditional characters read as simplified ones, one for one."""
        return simplified(self.plain)

    @cached_property
    def signs(self) -> str:
        """Its letters and digits, small, with nothing between them: what is in no note can be told from it at once."""
        if self.lower.isascii():
            return self.lower.translate(_MARKS)
        return "".join(filter(str.isalnum, self.lower))

    @cached_property
    def number_lines(self) -> list[tuple[int, int]]:
        """Where lines stand that may hold an identifying number: four signs or more with a digit."""
        return self._lines_with(_NUMBER)

    @cached_property
    def date_lines(self) -> list[tuple[int, int]]:
        """Where lines stand that may hold a date in digits."""
        return self._lines_with(_DATE)

    def _lines_with(self, pattern: re.Pattern[str]) -> list[tuple[int, int]]:
        lines = []
        at = 0
        while hint := _NUMERIC.search(self.plain, at):
            start = self.plain.rfind("\n", at, hint.start()) + 1 or at
            end = self.plain.find("\n", hint.start())
            at = len(self.plain) if end < 0 else end
            if pattern.search(self.plain, start, at):
                lines.append((start, at))
        return lines


def _small(letter: str) -> str:
    lower = letter.lower()
    return lower if len(lower) == 1 else letter
