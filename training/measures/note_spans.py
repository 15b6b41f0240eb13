"""Stretches of a note taken out, kept alone, or drawn at random: what faithfulness of evidence is measured with.

Knows text and offsets. Does not know which stretches are evidence (measure_evidence) nor what they mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np

from nlp_core.note import Span

_WORD = re.compile(r"[\u4e00-\u9fff]|[^\W\u4e00-\u9fff]+")
"""A word in Latin letters or digits, or one Chinese character."""
_TRIES = 50


def merged(spans: Iterable[Span]) -> list[Span]:
    """In order of the text; spans that overlap or touch become one."""
    joined: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, span.end)):
        if joined and span.start <= joined[-1].end:
            joined[-1] = Span(start=joined[-1].start, end=max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return joined


def without(text: str, spans: Iterable[Span]) -> str:
    """The text with each span replaced by a blank, so that its neighbours do not become one word."""
    for span in reversed(merged(spans)):
        text = f"{text[: span.start]} {text[span.end :]}"
    return text


def only(text: str, spans: Iterable[Span]) -> str:
    """The spans alone, each a paragraph: neither grammar nor headings of the rest are kept."""
    return "\n\n".join(text[span.start : span.end] for span in merged(spans))


def random_spans(text: str, lengths: Sequence[int], random: np.random.Generator) -> list[Span]:
    """One span per length (characters), at random places, whole words, apart from one another where the text has room.

    Each is at least as long as asked for, up to the end of its last word, so chance is given rather too much than too little.
    """
    words = [(match.start(), match.end()) for match in _WORD.finditer(text)]
    found: list[Span] = []
    for length in sorted(lengths, reverse=True):
        for _ in range(_TRIES):
            span = _random_span(words, length, random)
            if not any(span.start < other.end and other.start < span.end for other in found):
                break
        found.append(span)
    return found


def _random_span(words: Sequence[tuple[int, int]], length: int, random: np.random.Generator) -> Span:
    last = words[-1][1]
    starts = [start for start, _ in words if start + length <= last] or [words[0][0]]
    start = starts[int(random.integers(len(starts)))]
    return Span(start=start, end=next((end for _, end in words if end >= start + length), last))
