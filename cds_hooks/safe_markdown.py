"""Chart text made harmless for any Markdown renderer, still readable.

The rule, measured on six renderers (docs/decisions/0003-escaping.md): every ASCII punctuation mark becomes a numeric
entity, a word joiner goes inside what would become a link, characters nobody can see are dropped.
"""

from __future__ import annotations

import re
import unicodedata

WORD_JOINER = "\u2060"

_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")
_LINK_STARTS = re.compile(r"://|www|@", re.IGNORECASE)
_BLANKS = re.compile(r"\s+")
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def plain(text: str) -> str:
    """One line of visible characters: blanks folded, control, bidi and zero-width characters dropped."""
    spaced = _BLANKS.sub(" ", text)
    return "".join(c for c in spaced if (c.isascii() and c.isprintable()) or _is_visible(c)).strip()


def inert(text: str) -> str:
    """`text` as Markdown that renders as itself and as nothing else."""
    unlinked = _LINK_STARTS.sub(_with_joiner, plain(text))
    return _PUNCTUATION.sub(lambda mark: f"&#{ord(mark.group())};", unlinked)


def _with_joiner(match: re.Match[str]) -> str:
    found = match.group()
    if found == "@":
        return f"{WORD_JOINER}@{WORD_JOINER}"
    return f"{found[0]}{WORD_JOINER}{found[1:]}"


def _is_visible(character: str) -> bool:
    return not character.isascii() and unicodedata.category(character) not in _INVISIBLE
