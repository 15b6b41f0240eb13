"""Overlapping token windows over a text, each token knowing its characters.

Input : "Chest pain on stairs. No fever." and a tokenizer
Output: windows of at most 512 tokens with the encoder's own first and last tokens around them; every token carries the
        half-open stretch of code points it stands for, and every token of the text is `own` to exactly one window.
Knows tokenizers and offsets. Does not know notes, nor what an encoder makes of a window.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

LONGEST = 512
"""Positions the base encoder knows; no window is longer, its framing tokens included."""
USUAL_LENGTH = 256
"""The length the base encoder was tuned for, and where a CPU reads a token faster than at 512."""
USUAL_OVERLAP = 32

_LONE_SURROGATES = re.compile("[\ud800-\udfff]")

Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Frame:
    """The tokens an encoder expects before and after every text, e.g. `[CLS]` and `[SEP]`."""

    before: tuple[int, ...]
    after: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.before) + len(self.after)

    def around(self, ids: Ids) -> Ids:
        """`ids` [n] framed: int64 [n + len(frame)]."""
        return np.concatenate([np.array(self.before, np.int64), ids, np.array(self.after, np.int64)])


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """One stretch of a text, ready for the encoder.

    `ids`, `starts` and `ends` are int64 [length]. Token i stands for `text[starts[i]:ends[i]]`; framing tokens
    stand for the empty stretch 0:0.
    """

    ids: Ids
    starts: Ids
    ends: Ids
    own: slice
    """The tokens this window answers for: where windows overlap, the one that sees more on both sides."""


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """A whole text as tokens without frame: int64 [tokens] each, offsets in code points.

    No token's stretch begins or ends with a blank: byte-level vocabularies put the blank before a word into its token, and a
    token of blanks alone stands for an empty stretch among them.
    """

    ids: Ids
    starts: Ids
    ends: Ids


def frame_of(tokenizer: Tokenizer) -> Frame:
    """Reads the frame off the tokenizer by framing one word."""
    encoded = tokenizer.encode("a")
    special = encoded.special_tokens_mask
    if 0 not in special:
        raise ValueError("the tokenizer gives no token for a plain letter")
    first = special.index(0)
    last = len(special) - special[::-1].index(0)
    return Frame(tuple(encoded.ids[:first]), tuple(encoded.ids[last:]))


def tokens_of(text: str, tokenizer: Tokenizer) -> Tokens:
    """Every token of `text`, however long. The tokenizer must neither truncate nor pad (see model_bundle)."""
    # A lone surrogate is no character; U+FFFD in its place moves no offset, and the tokenizer drops it.
    encoded = tokenizer.encode(_LONE_SURROGATES.sub("\ufffd", text), add_special_tokens=False)
    seen = [
        (start, end)
        if start < end and not text[start].isspace() and not text[end - 1].isspace()
        else _without_blanks(text, start, end)
        for start, end in encoded.offsets
    ]
    if all(start == end for start, end in seen):
        seen = []  # blanks alone are no text, whatever the vocabulary
    offsets = np.array(seen, np.int64).reshape(-1, 2)
    return Tokens(np.array(encoded.ids[: len(seen)], np.int64), offsets[:, 0], offsets[:, 1])


def windows_over(
    text: str, tokenizer: Tokenizer, *, length: int = USUAL_LENGTH, overlap: int = USUAL_OVERLAP
) -> list[Window]:
    """Windows over the whole of `text` in order, all of one length, none for a text without tokens.

    length: most tokens of a window, frame included. overlap: least tokens that neighbours share.
    Raises ValueError where length is over 512 or leaves no room beside frame and overlap.
    """
    frame = frame_of(tokenizer)
    room = length - len(frame)
    if length > LONGEST or not 0 <= overlap < room:
        raise ValueError(
            f"no windows of {length} tokens with overlap {overlap} (frame {len(frame)}, longest {LONGEST})"
        )
    tokens = tokens_of(text, tokenizer)
    spans = _spread(len(tokens.ids), room, overlap)
    borders = [0, *((spans[i][1] + spans[i + 1][0]) // 2 for i in range(len(spans) - 1)), len(tokens.ids)]
    return [_window(tokens, frame, span, borders[i], borders[i + 1]) for i, span in enumerate(spans)]


def _without_blanks(text: str, start: int, end: int) -> tuple[int, int]:
    """`[start, end)` without the blanks at its edges."""
    stretch = text[start:end]
    visible = stretch.strip()
    if len(visible) == len(stretch):
        return start, end
    first = start + stretch.find(visible)
    return first, first + len(visible)


def _spread(count: int, room: int, overlap: int) -> list[tuple[int, int]]:
    """Fewest equally long stretches that cover `count` tokens: equal lengths batch without padding."""
    if count == 0:
        return []
    if count <= room:
        return [(0, count)]
    pieces = -(-(count - overlap) // (room - overlap))
    size = -(-(count + (pieces - 1) * overlap) // pieces)
    starts = [i * (count - size) // (pieces - 1) for i in range(pieces)]
    return [(start, start + size) for start in starts]


def _window(tokens: Tokens, frame: Frame, span: tuple[int, int], own_start: int, own_end: int) -> Window:
    start, end = span
    edges = (len(frame.before), len(frame.after))
    shift = edges[0] - start
    return Window(
        ids=frame.around(tokens.ids[start:end]),
        starts=np.pad(tokens.starts[start:end], edges),
        ends=np.pad(tokens.ends[start:end], edges),
        own=slice(own_start + shift, own_end + shift),
    )
