"""A note's text as readers see it: invisible characters skipped, look-alikes folded, every offset still the note's.

Input  : "fe\\u200bver and ＣＯＰＤ"        (a zero-width space, full-width letters)
Output : text "fever and COPD", and for each of its characters the index it had in the note.
Knows characters only.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from nlp_core.note import Span

_INVISIBLE = {"Cf", "Cs", "Co", "Cn"}  # format (zero-width, bidi), surrogates, private use, unassigned
_KEPT_CONTROLS = "\n\t"


@dataclass(frozen=True, slots=True)
class TextView:
    """Readable text with the way back.

    text: what to read. offsets: for each character of `text` its index in the note; the same length as `text`.
    """

    text: str
    offsets: tuple[int, ...] | None
    """None where nothing was skipped and every index is its own."""

    def to_note(self, start: int, end: int) -> Span:
        """The note's span for the view's `[start, end)`, which must not be empty."""
        if self.offsets is None:
            return Span(start=start, end=end)
        return Span(start=self.offsets[start], end=self.offsets[end - 1] + 1)


def view(text: str) -> TextView:
    """The readable view of a note's text; runs of blanks become one. Plain ASCII is returned as it is, at no cost."""
    if "  " not in text and text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():
        return TextView(text, None)
    kept: list[str] = []
    offsets: list[int] = []
    for index, character in enumerate(text):
        if character == "\r" and text[index + 1 : index + 2] == "\n":
            continue  # one line break, not two
        seen = _seen(character)
        if seen and not (seen == " " and kept and kept[-1] == " "):
            kept.append(seen)
            offsets.append(index)
    return TextView("".join(kept), tuple(offsets))


def _seen(character: str) -> str:
    """One readable character for `character`, or nothing."""
    if character.isascii() and (character.isprintable() or character in _KEPT_CONTROLS):
        return character
    category = unicodedata.category(character)
    if category in _INVISIBLE:
        return ""
    if category in ("Cc", "Zl", "Zp"):
        return "\n" if character in "\r\x85\u2028\u2029" else " "
    if category == "Zs":
        return " "
    if "\u3000" <= character <= "\u303f" or "\u4e00" <= character <= "\u9fff":
        return character
    folded = unicodedata.normalize("NFKC", character)
    return folded if len(folded) == 1 and category not in ("No", "So") else character
