r"""RTF as it comes -> RTF that striprtf reads, whole and in linear time.

Knows three weak places of striprtf (0.0.35), found by fuzzing, and RTF's control words. Changes no word of the text:

* `\uc` may stand without its number, which then is 1; striprtf raises TypeError;
* its pattern for links takes minutes for 20 kB of blanks after a `\fldinst{`: a blank behind that control word, which RTF
  counts as its end, keeps the pattern away (the address of a link then stays out of the text, as all instructions do);
* its pattern for fonts takes minutes for 90 kB of font table without `;`: it gets a table of our own, put first, with
  what it reads from one: the number of each font and its character set.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_REPAIRS = re.compile(r"\\\\|\\uc(?![A-Za-z]|-?\d)|(?i:\\fldinst)(?=\{)")
"""An escaped backslash is met first, so that it stays one."""
_FONT_PARTS = re.compile(r"\\f([0-9]{1,10})|\\fcharset([0-9]{1,10})|;")


def for_striprtf(markup: str) -> str:
    """`markup` with the repairs above."""
    opening, brace, rest = _REPAIRS.sub(_repair, markup).partition("{")
    fonts = "".join(rf"{{\f{number}\fcharset{charset} x;}}" for number, charset in _fonts(rest))
    return rf"{opening}{{{{\fonttbl{fonts}}}{rest}" if brace else opening


def _repair(found: re.Match[str]) -> str:
    if found.group() == r"\\":
        return found.group()
    return r"\uc1" if found.group() == r"\uc" else f"{found.group()} "


def _fonts(markup: str) -> Iterator[tuple[str, str]]:
    """Number and character set of each font that names one."""
    number = None
    for part in _FONT_PARTS.finditer(markup):
        if part[2] and number:
            yield number, part[2]
        number = part[1]
