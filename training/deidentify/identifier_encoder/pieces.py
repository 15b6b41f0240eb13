"""A text as the encoder reads it: windows of pieces of words, each with the marks of the word that it is part of.

Input : a text, folded, its tokens (training.deidentify.identifier_head.tokens), what the rules say of each
Output: Window: numbers of pieces, which token each is part of
Knows the tokenizer of the base encoder. Windows are cut where a line or a sentence ends, the same for the same text.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

from training.deidentify.identifier_head.tokens import Tokens
from training.deidentify.text_folding import simplified
from training.model.chinese_vocabulary import extended_tokenizer

LONGEST = 126
"""Pieces of a window, the marks of its start and end not counted."""
_LEAST = 64
"""Pieces after which a window may end at a line's end; at a sentence's end only when half of the rest is full too."""
_LINE_ENDS, _SENTENCE_ENDS = frozenset("\n"), frozenset("\n.;。；!?")
NO_TOKEN = -1


@dataclass(frozen=True, slots=True)
class Window:
    """Some of a text's pieces side by side."""

    ids: list[int]
    """With the marks of start and end."""
    tokens: list[int]
    """For each of `ids` the token it is part of, `NO_TOKEN` for marks and what stands between tokens."""


def tokenizer_with(base: Path, characters: Sequence[str]) -> Tokenizer:
    """The base's (its tokenizer.json) with Chinese characters in its free slots and then behind its last row, in their order,
    neither cutting nor filling up."""
    plain = base.read_text(encoding="utf-8")
    last = Tokenizer.from_str(plain).get_vocab_size()
    written, _ = extended_tokenizer(plain, characters, range(last, last + len(characters)))
    tokenizer = Tokenizer.from_str(written)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def windows_of(plain: str, tokens: Tokens, tokenizer: Tokenizer) -> Iterator[Window]:
    """plain: the folded text that `tokens` were cut from."""
    encoded = tokenizer.encode(simplified(plain), add_special_tokens=False)
    starts = [start for start, _ in encoded.offsets]
    of = [_token_at(tokens, start) for start in starts]
    start_mark, end_mark = (tokenizer.token_to_id(mark) or 0 for mark in ("[CLS]", "[SEP]"))
    for first, last in _cuts(plain, starts, of):
        yield Window([start_mark, *encoded.ids[first:last], end_mark], [NO_TOKEN, *of[first:last], NO_TOKEN])


def _token_at(tokens: Tokens, place: int) -> int:
    at = bisect_right(tokens.starts, place) - 1
    return at if at >= 0 and place < tokens.ends[at] else NO_TOKEN


def _cuts(plain: str, starts: list[int], of: list[int]) -> Iterator[tuple[int, int]]:
    """From which piece to which; no token is cut but one longer than a window."""
    first = 0
    while len(starts) - first > LONGEST:
        last = _cut(plain, starts, of, first)
        yield first, last
        first = last
    if first < len(starts):
        yield first, len(starts)


def _cut(plain: str, starts: list[int], of: list[int], first: int) -> int:
    """The last line's end that leaves a window of fair size, else the last sentence's, else the last token's."""
    places = range(first + LONGEST, first + _LEAST, -1)
    for ends in (_LINE_ENDS, _SENTENCE_ENDS):
        for at in places:
            if not ends.isdisjoint(plain[starts[at - 1] : starts[at]]):
                return at
    return next((at for at in places if of[at] == NO_TOKEN or of[at] != of[at - 1]), first + LONGEST)
