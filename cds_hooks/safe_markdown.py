"""Chart text made harmless for any Markdown renderer, still readable.

The rule, measured on nine renderers (docs/decisions/0003-escaping.md, docs/security/renderers.md): every ASCII
punctuation mark becomes a numeric entity, a word joiner goes inside what would become a link, characters nobody can see
are dropped. What is too long is shortened before it is escaped, so no entity is ever cut.
"""

from __future__ import annotations

import re
import string
import unicodedata

from cds_hooks.shortened import shortened

WORD_JOINER = "\u2060"

_ENTITIES = {ord(mark): f"&#{ord(mark)};" for mark in string.punctuation}
_LINK_STARTS = re.compile(r":(?=//)|w(?=ww)|@", re.IGNORECASE)
_BLANKS = re.compile(r"\s+")
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_FILLERS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0\ufe00-\ufe0d\U000e0100-\U000e01ef]"
)
"""Letters and marks by category, yet nothing is seen of them. The two selectors that choose between an emoji and a
letter (U+FE0E, U+FE0F) stay."""


def plain(text: str) -> str:
    """One line of visible characters: blanks folded, control, bidi and zero-width characters dropped."""
    if text.isascii() and text.isprintable():
        return _BLANKS.sub(" ", text).strip()  # nothing that is not seen, which is so of nearly all English text
    spaced = _BLANKS.sub(" ", _FILLERS.sub("", text))
    return "".join(c for c in spaced if (c.isascii() and c.isprintable()) or _is_visible(c)).strip()


def visible_lines(text: str) -> str:
    """`text` with its lines and blanks, without the characters that `plain` drops: for pages, where HTML is escaped."""
    lines = _FILLERS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return "".join(c for c in lines if c in "\n\t" or (c.isascii() and c.isprintable()) or _is_visible(c))


def inert(text: str, *, shown: int | None = None, source: int | None = None) -> str:
    """`text` as Markdown that renders as itself and as nothing else.

    Shortened with an ellipsis, between whole characters, where it would show more than `shown` characters or take more than `source` characters
    of Markdown; None: no limit.
    """
    seen = plain(text)
    if shown is not None:
        seen = shortened(seen, shown)
    return _escaped(seen) if source is None else shortened(seen, source, source=_escaped)


def _escaped(seen: str) -> str:
    unlinked = _LINK_STARTS.sub(_with_joiner, seen)
    return unlinked.translate(_ENTITIES)


def _with_joiner(match: re.Match[str]) -> str:
    found = match.group()
    return f"{WORD_JOINER}@{WORD_JOINER}" if found == "@" else f"{found}{WORD_JOINER}"


def _is_visible(character: str) -> bool:
    return not character.isascii() and unicodedata.category(character) not in _INVISIBLE
