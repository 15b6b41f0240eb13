"""How a finding or diagnosis is said: by a name inside a sentence, or in a phrase that stands on its own.

Names come from the knowledge, phrases from training/phrases, by default without the held-apart ones. Knows texts, no grammar.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np

from nlp_core.assessment import Language
from nlp_core.knowledge import Knowledge
from training.phrases import Phrase, Split, clauses_of_nothing, names_of, written_phrases

Register = Literal["formal", "short", "plain"]
"""Who writes: a doctor with time, one without, or somebody who is no doctor."""
_LONGEST_NAME = 48
"""Characters of a name that still reads well inside a sentence."""


class Wordings:
    """All wordings by entry and language; an entry without one in a language is not told in it."""

    def __init__(
        self, knowledge: Knowledge, phrases: Iterable[Phrase] | None = None, *, split: Split = "train"
    ) -> None:
        """phrases: those of training/phrases by default. split: only those of this half are written."""
        self._names: dict[tuple[str, Language], list[str]] = defaultdict(list)
        self._phrases: dict[tuple[str, Language], list[str]] = defaultdict(list)
        for name in names_of(knowledge):
            if len(name.text) <= _LONGEST_NAME:
                self._names[name.entry, name.language].append(name.text)
        for phrase in written_phrases(knowledge) if phrases is None else phrases:
            if phrase.split == split:
                self._phrases[phrase.entry, phrase.language].append(phrase.text)
        self._nothing: dict[Language, list[str]] = defaultdict(list)
        for clause in clauses_of_nothing():
            if clause.split == split:
                self._nothing[clause.language].append(clause.text)

    def has_name(self, entry: str, language: Language) -> bool:
        return bool(self._names.get((entry, language)))

    def has_phrase(self, entry: str, language: Language) -> bool:
        return bool(self._phrases.get((entry, language)))

    def name(self, entry: str, language: Language, random: np.random.Generator, register: Register = "formal") -> str:
        """One of its names, as it stands inside a sentence. Raises KeyError where it has none."""
        return inside_a_sentence(_any(_of_register(self._names[entry, language], register), random))

    def phrase(self, entry: str, language: Language, random: np.random.Generator) -> str:
        """Any of its phrases; raises KeyError where it has none."""
        return _any(self._phrases[entry, language], random).rstrip(".。!！")

    def nothing(self, language: Language, random: np.random.Generator) -> str:
        """Words that mean no finding."""
        return _any(self._nothing[language], random).rstrip(".。")


def inside_a_sentence(name: str) -> str:
    """A name with its first letter small, unless it is an abbreviation or a person's name stands in it."""
    first, _, rest = name.partition(" ")
    ordinary = first[:1].isupper() and first[1:].islower() and not any(word[:1].isupper() for word in rest.split())
    return first[0].lower() + name[1:] if ordinary and len(first) > 2 else name


def _of_register(names: Sequence[str], register: Register) -> Sequence[str]:
    """The half of the names that such a writer would choose; the knowledge lists textbook words before patients'."""
    half = -(-len(names) // 2)
    if register == "short":
        return sorted(names, key=len)[:half]
    return names[:half] if register == "formal" else names[-half:]


def _any(texts: Sequence[str], random: np.random.Generator) -> str:
    if not texts:
        raise KeyError("no wording")
    return texts[int(random.integers(len(texts)))]
