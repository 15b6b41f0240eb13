"""Which words are names of persons and which are words of a language; read once per process.

Knows lists: English words, the words of the knowledge, first names, surnames, persons after whom diseases are named.
A word may be both ("May", "Brown", "Graves"): `ordinary` words are names only where their place says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml

RULES = Path(__file__).parent / "rules"
_CORE = Path(__file__).parents[2] / "nlp_core"
_WORD = re.compile(r"[a-z]{2,}")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All words in small letters without accents."""

    ordinary: frozenset[str]
    """Words that stand in notes without naming anyone."""
    plain: frozenset[str]
    """Fewer of them: words of the knowledge and those of rules/name_cues.yaml; the rest may name someone behind a cue."""
    given: frozenset[str]
    """First names, those that are words as well among them."""
    names: frozenset[str]
    """First names and surnames that are no ordinary words."""
    proper: frozenset[str]
    """Brands, makers and scales: words of medicine that are written with a capital."""
    eponyms: frozenset[str]
    also_words: frozenset[str]
    no_names: frozenset[str]
    cues: dict[str, frozenset[str]]
    """By the headings of rules/name_cues.yaml."""
    drug_endings: tuple[str, ...]

    def may_name(self, word: str) -> bool:
        """Could `word`, written with a capital, be a name of a person? Listed, or known as nothing else."""
        return word in self.names or (word not in self.ordinary and not word.endswith(self.drug_endings))


def word_list(path: Path) -> frozenset[str]:
    """The words of a file; `#` starts a comment."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


def rules(name: str) -> dict[str, list[str]]:
    """A file of lists of words, each word as it is written there ("no" is a word, not a truth value)."""
    return dict(yaml.load((RULES / name).read_text(encoding="utf-8"), Loader=yaml.BaseLoader))  # noqa: S506 - strings only


def any_of(words: Iterable[str]) -> str:
    """A pattern of one of the words, the longest first."""
    return "|".join(sorted(map(re.escape, words), key=lambda word: (-len(word), word)))


@lru_cache(maxsize=1)
def vocabulary() -> Vocabulary:
    """A fifth of a second at the first call."""
    cues = {heading: frozenset(words) for heading, words in rules("name_cues.yaml").items()}
    also_words = cues["also_words"]
    listed = word_list(RULES / "given_names.txt") | word_list(RULES / "surnames.txt")
    names = listed - also_words - cues["no_names"]
    english = frozenset((_CORE / "rules" / "english_words.txt").read_text(encoding="utf-8").split())
    said = (words for heading, words in cues.items() if heading not in ("drug_endings", "towns"))
    spoken = frozenset(word for words in said for phrase in words for word in phrase.split())
    proper = word_list(RULES / "medical_proper_names.txt")
    plain = ((_words_of_knowledge() | proper) - names) | spoken
    return Vocabulary(
        ordinary=(english - names) | plain,
        plain=plain,
        given=word_list(RULES / "given_names.txt"),
        names=names,
        proper=proper,
        eponyms=word_list(RULES / "eponyms.txt"),
        also_words=also_words,
        no_names=cues["no_names"],
        cues=cues,
        drug_endings=tuple(sorted(cues["drug_endings"])),
    )


def _words_of_knowledge() -> frozenset[str]:
    """Words of the knowledge's files: names of diseases, findings, tests and drugs."""
    files = sorted((_CORE / "knowledge_base").rglob("*.yaml"))
    return frozenset(word for file in files for word in _WORD.findall(file.read_text(encoding="utf-8").lower()))
