"""A text as the finders see it: accents, full-width forms and typographic marks as plain ASCII, each character in its place.

Input : "Zoë  ｔｅｌ：１３８…"     Output: "Zoe  tel:138…", exactly as long, so that every offset is the text's own.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from nlp_core.text_view import TRADITIONAL

HAN = r"[\u3400-\u9fff]"
"""A pattern of one Chinese character."""
_PLAIN = {
    **{code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)},
    **dict.fromkeys(map(ord, "\u00a0\u2002\u2003\u2007\u2009\u202f\u3000"), " "),
    **dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212"), "-"),
    **dict.fromkeys(map(ord, "\u2018\u2019\u02bc\u00b4"), "'"),
    **dict.fromkeys(map(ord, "\u201c\u201d"), '"'),
    0x3002: ";",  # a full stop in ASCII could belong to the number behind it
    0x3001: ",",
    **dict(zip(map(ord, "ØøŁłĐđıİ"), "OoLlDdiI", strict=True)),
}


def _base_letters() -> dict[int, str]:
    """Latin letters with marks -> the letter without."""
    found = {}
    for code in (*range(0xC0, 0x250), *range(0x1E00, 0x1F00)):
        base = unicodedata.normalize("NFD", chr(code))[0]
        if base.isascii() and base.isalpha():
            found[code] = base
    return found


_TABLE: dict[int, str | int] = {**_base_letters(), **_PLAIN}


def folded(text: str) -> str:
    """As long as `text`."""
    return text if text.isascii() else text.translate(_TABLE)


def bare(text: str) -> str:
    """A number or word as it is compared: folded, small letters, nothing but letters and digits."""
    return "".join(filter(str.isalnum, folded(text).lower()))


def simplified(text: str) -> str:
    """Traditional characters as simplified ones, one for one."""
    return text if text.isascii() else text.translate(_simplified())


@lru_cache(maxsize=1)
def _simplified() -> dict[int, str]:
    traditional, simple = TRADITIONAL.read_text(encoding="utf-8").split()
    return {ord(old): new for old, new in zip(traditional, simple, strict=True)}
