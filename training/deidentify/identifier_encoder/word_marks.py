"""What the encoder is told of a word beside its pieces: case, shape, lists, the word's kind in Chinese; never its letters.

Input : a form of training.deidentify.identifier_head.tokens, the gap before it, the class that the rules give it
Output: rows of the encoder's table of marks
The marks are those of the small head without the ones that name the word or parts of it: pieces of words do that better.
"""

from __future__ import annotations

from zlib import crc32

from training.deidentify.identifier_head.marks import Marks
from training.deidentify.vocabulary import Vocabulary

ROWS = 1 << 13
"""Rows of the table; marks share them by a checksum. Row 0 is nobody's."""
_NAMING = ("w=", "p=", "s=", "c=", "zw=", "nw=")
LISTED = ("on=", "zl=", "zc=", "Capital&", "small&", "capitals&", "short capitals&", "Mixed&", "one&")
"""Marks that come from lists; hidden now and then while training."""


def row(mark: str) -> int:
    """Its row of the table."""
    return 1 + crc32(f"encoder {mark}".encode()) % (ROWS - 1)


class WordMarks:
    """Rows of forms; made once per process."""

    def __init__(self, words: Vocabulary) -> None:
        self._marks = Marks(words)
        self._known: dict[str, tuple[int, ...]] = {}
        self.listed: set[int] = set()
        """Rows of lists that were seen."""

    def rows(self, form: str) -> tuple[int, ...]:
        """Sorted, each once."""
        known = self._known.get(form)
        if known is None:
            if len(self._known) > 200_000:
                self._known.clear()
            said = [mark for mark in self._marks.said(form) if not mark.startswith(_NAMING) and not _names_both(mark)]
            self.listed.update(row(mark) for mark in said if mark.startswith(LISTED))
            known = self._known[form] = tuple(sorted({row(mark) for mark in said}))
        return known


def _names_both(mark: str) -> bool:
    """A Chinese character together with the word's kind."""
    return mark.startswith("z=") and "&" in mark
