"""A note's text as readers see it: invisible characters skipped, look-alikes folded, every offset still the note's.

Input  : "fe\\u200bver and ＣＯＰＤ"        (a zero-width space, full-width letters)
Output : text "fever and COPD", and for each of its characters the index it had in the note.
Traditional Chinese characters are seen as simplified ones, Cyrillic and Greek letters as the Latin ones they look like.
Knows characters only; `rewritten` lets readers of words (spelling, abbreviations, missing_marks) see other words.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from nlp_core.note import Span

TRADITIONAL = Path(__file__).parent / "rules" / "traditional_characters.txt"
"""Traditional characters and their simplified ones, made by `dxspan-train reading-tables`."""
_INVISIBLE = {"Cf", "Cs", "Co", "Cn"}  # format (zero-width, bidi), surrogates, private use, unassigned
_KEPT_CONTROLS = "\n\t"
_LOOK_ALIKES = dict(
    zip(
        "асеорхуіјѕһԁԛԝɡɑАВСЕНІЈКМОРЅТХУοΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
        "aceopxyijshdqwgaABCEHIJKMOPSTXYoABEZHIKMNOPTYX",
        strict=True,
    )
)
"""Of Unicode's confusable letters (UTS 39) those that pass for a Latin letter unnoticed. No μ, α, β, ν, ρ: units and names."""


@dataclass(frozen=True, slots=True)
class Rewriting:
    """Other words for the characters `[start, end)` of a view, which must not be empty."""

    start: int
    end: int
    words: str


@dataclass(frozen=True, slots=True)
class TextView:
    """Readable text with the way back.

    text: what to read. offsets: for each character of `text` its index in the note, never falling; the same length as
    `text`.
    """

    text: str
    offsets: tuple[int, ...] | None
    """None where nothing was skipped and every index is its own."""

    def to_note(self, start: int, end: int) -> Span:
        """The note's span for the view's `[start, end)`, which must not be empty."""
        if self.offsets is None:
            return Span(start=start, end=end)
        return Span(start=self.offsets[start], end=self.offsets[end - 1] + 1)

    def from_note(self, span: Span) -> tuple[int, int]:
        """The view's characters `[start, end)` that stand for some of the note's `span`."""
        if self.offsets is None:
            return span.start, span.end
        return bisect_left(self.offsets, span.start), bisect_left(self.offsets, span.end)

    def rewritten(self, rewritings: Sequence[Rewriting]) -> TextView:
        """The same view with other words at some places; rewritings in order, none over another."""
        if not rewritings:
            return self
        own = range(len(self.text)) if self.offsets is None else self.offsets
        pieces: list[str] = []
        offsets: list[int] = []
        done = 0
        for change in rewritings:
            pieces += [self.text[done : change.start], change.words]
            offsets += own[done : change.start]
            last = change.end - 1
            inside = [own[min(change.start + index, last)] for index in range(len(change.words) - 1)]
            offsets += [*inside, own[last]]  # the new words end where the old ones did
            done = change.end
        return TextView("".join([*pieces, self.text[done:]]), (*offsets, *own[done:]))


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


@lru_cache(maxsize=20_000)
def _seen(character: str) -> str:
    """One readable character for `character`, or nothing."""
    if character.isascii() and (character.isprintable() or character in _KEPT_CONTROLS):
        return character
    category = unicodedata.category(character)
    if category in _INVISIBLE or "\u0300" <= character <= "\u036f":  # struck through or decorated letters stay letters
        return ""
    if category in ("Cc", "Zl", "Zp"):
        return "\n" if character in "\r\x85\u2028\u2029" else " "
    if category == "Zs":
        return " "
    if "\u3000" <= character <= "\u303f":
        return character
    if "\u3400" <= character <= "\u9fff":
        return _simplified().get(character, character)
    if character in _LOOK_ALIKES:
        return _LOOK_ALIKES[character]
    folded = unicodedata.normalize("NFKC", character)
    return folded if len(folded) == 1 and category not in ("No", "So") else character


@lru_cache(maxsize=1)
def _simplified() -> dict[str, str]:
    traditional, simplified = TRADITIONAL.read_text(encoding="utf-8").split()
    return dict(zip(traditional, simplified, strict=True))
