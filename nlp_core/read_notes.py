"""One note after reading, sentence by sentence: what is named where, and how much each sentence tells.

Input : the sentences as readers see them, and the second reader's answer to each
Output: places in the note itself; headings and bullets stand outside a sentence
Knows offsets. What the sentences are used for is summary's and questions' business.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from nlp_core.mentions import Mention, ReadSentence
from nlp_core.note import Note, Span
from nlp_core.sections import Section

_LEAD = re.compile(r"[\s#*•·–-]*(?:\(?\d{1,2}[.)、]\s)?\s*")
"""Blanks, a bullet, a number of a list: no words of the sentence."""


@dataclass(frozen=True, slots=True)
class SaidSentence:
    """A sentence by its place in the note."""

    span: Span
    section: Section
    telling: float | None
    """Probability that it tells anything of the illness; None where the model was not asked."""


@dataclass(frozen=True, slots=True)
class ReadNote:
    """A note with its mentions and sentences, both in order of their place."""

    note: Note
    mentions: tuple[Mention, ...]
    sentences: tuple[SaidSentence, ...]

    def mentions_in(self, span: Span) -> list[Mention]:
        """Those that lie in `span` wholly."""
        return [one for one in self.mentions if span.start <= one.span.start and one.span.end <= span.end]


def said_sentences(sentences: Sequence[ReadSentence], telling: Sequence[float | None]) -> tuple[SaidSentence, ...]:
    """`telling`: by sentence, or empty. Sentences of a heading alone are left out."""
    return tuple(_said(sentences, telling))


def _said(sentences: Sequence[ReadSentence], telling: Sequence[float | None]) -> Iterator[SaidSentence]:
    for read, told in zip_longest(sentences, telling):
        text = read.view.text
        start = max(read.sentence.start, min(read.sentence.heading_end, read.sentence.end))
        lead = _LEAD.match(text, start, read.sentence.end)
        start = lead.end() if lead else start
        end = start + len(text[start : read.sentence.end].rstrip())
        if any(character.isalnum() for character in text[start:end]):
            yield SaidSentence(read.view.to_note(start, end), read.sentence.section, told)
