"""Text cut to a number of code points without breaking what a reader sees as one character.

Knows extended grapheme clusters (Unicode UAX #29, by wcwidth): an accent stays on its letter, a flag stays a flag.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate

from wcwidth import iter_graphemes

ELLIPSIS = "…"


def shortened(text: str, limit: int, *, source: Callable[[str], str] = str) -> str:
    """`source(text)`, or that of as many whole characters as leave room for an ellipsis within `limit` code points.

    source: how a text is written where it is put, longer text never shorter; a limit counts what it gives.
    """
    whole = source(text)
    if len(whole) <= limit:
        return whole
    # What is written is never shorter than what it says, so no more than `limit` characters need be looked at; what that cut
    # itself breaks is longer than the room there is.
    ends = [0, *accumulate(map(len, iter_graphemes(text[:limit])))]
    fitting = bisect_right(ends, limit, key=lambda end: len(source(_begun(text, end))))
    return source(_begun(text, ends[fitting - 1] if fitting else 0))


def _begun(text: str, end: int) -> str:
    return text[:end].rstrip(f"{ELLIPSIS} ") + ELLIPSIS
