"""Clauses: stretches of a sentence between borders that no name explains and that say something.

Input : the sentences of a note with what names already explained
Output: clauses, with their language, how they are asserted, and as a concept linker is asked about them
Knows words of borders and of normality, English and Chinese.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Span as TokenSpan

from nlp_core.assertion import Assertion, assertion_of
from nlp_core.assessment import Language
from nlp_core.concept_linker import LinkedClause, linked_clause
from nlp_core.mentions import ReadSentence
from nlp_core.sections import Section
from nlp_core.sentence_readings import SentenceReading
from nlp_core.words import FILLERS, stem

_SHORTEST, _LONGEST = 2, 16
"""Words of an English clause that is worth reading; the fewest without fillers."""
_SHORTEST_CHINESE, _LONGEST_CHINESE = 4, 26
"""Characters of a Chinese one."""
_LONGEST_STRETCH = 30
"""Tokens between two borders that no clause reaches."""
_PART, _STEP = 6, 3
"""Tokens of the parts that such a stretch is read in, and from one part to the next."""
_BORDERS = frozenset(", ; : . ! ? ( ) • | 、 。 ， ； ：".split()) | {
    "and",
    "but",
    "or",
    "with",
    "which",
    "that",
    "then",
}
_NORMAL = frozenset(
    "clear normal unremarkable intact negative none stable benign nontender regular symmetric symmetrical supple soft equal"
    " reactive full wnl well healthy good fine ok okay appropriate alert oriented clean moist nondistended".split()
)
"""Words of a normal finding: to the encoder "lungs clear" is near to everything else said of lungs."""
_NORMAL_CHINESE = re.compile(
    r"正常|未见异常|无异常|清楚|良好|无殊|平软|对称|规则|整齐|通畅|稳定|健康|没事|都好|还好|挺好"
)
_CHINESE = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
SKIPPED_SECTIONS = frozenset((Section.FAMILY, Section.ALLERGIES, Section.PLAN, Section.MEDICATIONS))
"""Sections whose clauses are no concepts of the present illness."""


@dataclass(frozen=True, slots=True)
class Clause:
    """A stretch of a sentence between borders, that no name touches."""

    read: ReadSentence
    start: int
    """First token in the document."""
    end: int

    @property
    def first(self) -> int:
        """Its first character in the document."""
        return self.read.sentence.span.doc[self.start].idx

    @property
    def last(self) -> int:
        """The character behind its last one."""
        token = self.read.sentence.span.doc[self.end - 1]
        return token.idx + len(token)

    @property
    def text(self) -> str:
        return self.read.sentence.span.doc[self.start : self.end].text

    @property
    def language(self) -> Language:
        return "zh" if _CHINESE.search(self.text) else "en"

    @property
    def assertion(self) -> Assertion:
        """A ruling word inside the clause ("no", "if") rules the whole clause: the clause's last token stands for it."""
        sentence = self.read.sentence
        return assertion_of(self.end - 1, self.end, sentence.span, sentence.section, self.read.triggers)

    @property
    def denied_in_part(self) -> bool:
        """Is a word of it denied alone ("a non-radiating tightness")? Nobody knows then what its meaning is denied of."""
        triggers = (trigger for trigger in self.read.triggers if trigger.group.compound)
        return any(self.start <= trigger.end < self.end for trigger in triggers)

    def narrowed(self, first: int, last: int) -> Clause:
        """Only its tokens that touch the document's characters `[first, last)`; itself where none does."""
        doc = self.read.sentence.span.doc
        inside = [at for at in range(self.start, self.end) if doc[at].idx < last and doc[at].idx + len(doc[at]) > first]
        return replace(self, start=inside[0], end=inside[-1] + 1) if inside else self

    def linked(self, piece: SentenceReading, places: NDArray[np.int64], tokens: int) -> LinkedClause:
        """As a linker is asked about it. places: its tokens inside findings, of `tokens` that it had."""
        text, sentence = self.read.view.text, self.read.sentence
        return linked_clause(
            piece,
            places,
            tokens=tokens,
            text=text[self.first : self.last],
            before=text[sentence.start : self.first],
            after=text[self.last : sentence.end],
            language=self.language,
        )


def clauses_of(sentences: Iterable[ReadSentence]) -> Iterator[Clause]:
    """Those that are worth matching to findings, in order of their place; none of SKIPPED_SECTIONS."""
    for read in sentences:
        if read.sentence.section not in SKIPPED_SECTIONS:
            yield from _clauses(read)


def _clauses(read: ReadSentence) -> Iterator[Clause]:
    """Stretches between borders that no name touches and that carry at least two words of their own."""
    span: TokenSpan = read.sentence.span
    start = span.start
    for token in [*span, None]:
        if token is not None and token.lower_ not in _BORDERS and "\n" not in token.text:
            continue
        end = token.i if token is not None else span.end
        for first, last in _stretches(read, start, end):
            if _worth_reading(read, first, last):
                yield Clause(read, first, last)
        start = end + 1


def _stretches(read: ReadSentence, start: int, end: int) -> Iterator[tuple[int, int]]:
    """`[start, end)` itself; what is too long for a clause, as text without punctuation is, in parts between its names."""
    if end - start <= _LONGEST_STRETCH:
        yield start, end
        return
    first = start
    for index in range(start, end + 1):
        if index == end or index in read.covered:
            yield from ((part, min(part + _PART, index)) for part in range(first, max(first + 1, index - _STEP), _STEP))
            first = index + 1


def _worth_reading(read: ReadSentence, start: int, end: int) -> bool:
    if end <= start or read.covered & set(range(start, end)):
        return False
    tokens = read.sentence.span.doc[start:end]
    text = tokens.text
    if _NORMAL_CHINESE.search(text):
        return False
    chinese = len(_CHINESE.findall(text))
    if chinese:
        return _SHORTEST_CHINESE <= chinese <= _LONGEST_CHINESE
    words = [token for token in tokens if stem(token.text).isalpha() and token.text.isascii()]
    if any(token.lower_ in _NORMAL for token in words):
        return False
    return sum(t.lower_ not in FILLERS for t in words) >= _SHORTEST and len(words) <= _LONGEST
