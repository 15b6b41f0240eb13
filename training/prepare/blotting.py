"""The words that name a note's own diagnoses, found and blotted out.

Input : a note, the diagnoses coded of it, the words of the chart's own entries
Output: spans, and the text in which each letter of them is an underscore; every offset stays
Knows names: those of the knowledge as its reader finds them and as they are written, and the chart's. Does not know
paraphrases: "the stone in her ureter" stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence, Set
from functools import lru_cache

from nlp_core.assertion import Assertion
from nlp_core.knowledge import Knowledge
from nlp_core.mentions import Mention
from training.prepare.prepared_note import BLOT, BlottedSpan

_LETTER = re.compile(r"[^\W_]")
_WORD = re.compile(r"[\u3400-\u9fff]|[^\W_\u3400-\u9fff]+")
FEWEST_WORDS = 10
"""Words, or Chinese characters, that a note must keep to be more than its diagnosis."""
_WHOLE_WORD_UP_TO = 3
"""Characters of a name up to which its capitals count: MI is one, mi is none."""


class Blotter:
    """Finds names by one knowledge."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._pattern = lru_cache(maxsize=4096)(self._written)

    def spans(
        self, text: str, diagnoses: Set[str], said: Iterable[str], mentions: Sequence[Mention]
    ) -> tuple[BlottedSpan, ...]:
        """Where the note names one of `diagnoses` or repeats one of `said`; joined, in order. A relative's is no answer."""
        places = [
            (mention.span.start, mention.span.end)
            for mention in mentions
            if mention.about == "diagnosis" and mention.entry in diagnoses and mention.assertion is not Assertion.FAMILY
        ]
        for diagnosis in diagnoses:
            places += [match.span() for match in self._pattern(diagnosis).finditer(text)]
        lowered = text.lower()
        if len(lowered) == len(text):  # a few letters grow when lowered: then the names alone are looked for
            places += [place for words in said for place in _literal(lowered, words)]
        return _joined(places)

    def _written(self, diagnosis: str) -> re.Pattern[str]:
        names = self._knowledge.diagnoses[diagnosis].names
        return re.compile("|".join(map(_as_written, sorted((*names.en, *names.zh), key=len, reverse=True))))


def blotted(text: str, spans: Iterable[BlottedSpan]) -> str:
    """The text with each letter and digit of the spans as BLOT."""
    for span in spans:
        hidden = _LETTER.sub(BLOT, text[span.start : span.end])
        text = f"{text[: span.start]}{hidden}{text[span.end :]}"
    return text


def is_only_the_answer(text: str) -> bool:
    """Is too little left of a blotted text to learn from?"""
    left = _WORD.finditer(text)
    return sum(1 for _, _ in zip(range(FEWEST_WORDS), left, strict=False)) < FEWEST_WORDS


def _as_written(name: str) -> str:
    words = r"[\s-]+".join(re.escape(word) for word in re.split(r"[\s-]+", name) if word)
    if name.isascii():
        words = rf"\b{words}(?:s|es)?\b"
    return words if len(name) <= _WHOLE_WORD_UP_TO else f"(?i:{words})"


def _literal(text: str, words: str) -> Iterator[tuple[int, int]]:
    start = text.find(words)
    while start >= 0:
        yield start, start + len(words)
        start = text.find(words, start + len(words))


def _joined(places: Iterable[tuple[int, int]]) -> tuple[BlottedSpan, ...]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(places):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(BlottedSpan(start=start, end=end) for start, end in joined)
