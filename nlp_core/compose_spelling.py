"""The words that serving may correct to, and those it must leave alone, gathered by set-up.

Used words are those of the names of the knowledge, of attributes and of the ruling words of assertion. Right besides are
the whole words of the encoder's vocabulary and an English dictionary's (rules/english_words.txt), as far as they look so
much like a used word that they could be taken for a slip of it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from nlp_core.attributes import attribute_names
from nlp_core.knowledge import Knowledge
from nlp_core.spelling import LONGEST, SHORTEST, Spelling
from nlp_core.triggers import RULES

ENGLISH_WORDS = Path(__file__).parent / "rules" / "english_words.txt"
"""Made by `dxspan-train reading-tables`."""
_WORD = re.compile(rf"(?<![A-Za-z])[a-z]{{{SHORTEST},{LONGEST}}}(?![A-Za-z])", re.IGNORECASE)
_INTRODUCING = "years month months woman female pregnant history patient pressure temperature right upper lower"
"""Words of age, sex, side and measurement that no finding is named by."""


def spelling_of(knowledge: Knowledge, vocabulary: Iterable[str]) -> Spelling:
    """The words of one knowledge. vocabulary: word pieces of an encoder, those inside a word marked `##`."""
    used = Counter(word.lower() for text in _texts(knowledge) for word in _WORD.findall(text))
    shortened = {short for word in used for short in _shortened(word)}
    words = {piece for piece in vocabulary if piece.isascii() and piece.isalpha()}
    words |= set(ENGLISH_WORDS.read_text(encoding="utf-8").split())
    return Spelling(used, (word for word in words if not shortened.isdisjoint(_shortened(word))))


def _shortened(word: str) -> Iterator[str]:
    """The word, and the word without one of its letters: two words one slip apart share one of these."""
    yield word
    yield from (word[:at] + word[at + 1 :] for at in range(len(word)))


def _texts(knowledge: Knowledge) -> Iterator[str]:
    for finding in knowledge.findings.values():
        yield from finding.names.en
    for diagnosis in knowledge.diagnoses.values():
        yield from diagnosis.names.en
    for names in attribute_names().values():
        yield from names.en
    yield _INTRODUCING
    yield re.sub(r"^ *#.*$", "", RULES.read_text(encoding="utf-8"), flags=re.MULTILINE)
