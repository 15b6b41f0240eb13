"""Facilities, employers, schools and parks: a proper name in front of a word that says what it is.

Input : "Works at Dunlap Poultry, seen at Tidewater Surgery."     Output: where "Dunlap Poultry" and "Tidewater Surgery" stand
Knows English words of facilities (rules/facilities.yaml). Looks from such a word backwards, so a text without one costs a set's
comparison alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from training.deidentify.kinds import Found, Kind
from training.deidentify.searched_text import SearchedText
from training.deidentify.vocabulary import Vocabulary, rules

_BEFORE = re.compile(
    r"(?<![\w])(?:(?:St|Mt|Ft)\.? )?(?:[A-Z][A-Za-z'-]+|[A-Z]\.)(?:[ ](?:of|the|de|la|and|&|(?:St|Mt|Ft)\.|[A-Z][A-Za-z'-]+)){0,4}[ ]$"
)
_WORD = re.compile(r"\S+")
_GOES_ON = re.compile(r"[\w'-]")
_BEHIND = re.compile(r"(?:[ ](?:Ltd|Limited|Inc|LLC|LLP|PLC|Associates|Group|Center|Centre|Clinic|Trust)\b)?")
_LONGEST = 70
"""Characters in front of the telling word that are looked at."""


class FacilityFinder:
    """Finds them; its pattern is compiled once from the lists."""

    def __init__(self, words: Vocabulary) -> None:
        lists = rules("facilities.yaml")
        self._words = words
        self._medical = frozenset(lists["medical"])
        self._telling = frozenset((*lists["sure"], *lists["medical"]))
        self._leading = frozenset(lists["leading"])
        self._written = {
            **{word: word.capitalize() for word in self._telling},
            **{word.lower(): word for word in lists["capitals"]},
        }

    def find(self, text: SearchedText) -> Iterator[Found]:
        """Where they stand, in no order."""
        for word in sorted(text.words & self._written.keys()):
            written = self._written[word]
            at = text.plain.find(written)
            while at >= 0:
                end = at + len(written)
                if text.plain[at - 2 : at].endswith(" ") and not _GOES_ON.match(text.plain, end):
                    yield from self._named(text.plain, at, end, medical=word in self._medical)
                at = text.plain.find(written, end)

    def _named(self, plain: str, at: int, end: int, *, medical: bool) -> Iterator[Found]:
        """The facility whose telling word stands from `at` to `end`."""
        before = _BEFORE.search(plain, max(0, at - _LONGEST), at)
        start = self._start(before, medical=medical) if before else -1
        if start >= 0:
            behind = _BEHIND.match(plain, end)
            yield Found(start, behind.end() if behind else end, Kind.PLACE)

    def _start(self, before: re.Match[str], *, medical: bool) -> int:
        """Where the name starts; -1 where its words are words of medicine or lead to it and name nothing."""
        words = list(_WORD.finditer(before.string, before.start(), before.end()))
        while words and words[0].group().lower() in self._leading:
            words = words[1:]
        telling = [word for word in words if self._names(word.group().lower().strip(".,"), medical=medical)]
        return words[0].start() if telling else -1

    def _names(self, word: str, *, medical: bool) -> bool:
        words = self._words
        if word in words.cues["generic_places"] or word in words.cues["credentials"] or word in ("and", "of", "&"):
            return False
        bare = word.removesuffix("'s")
        if bare in words.plain and bare not in words.also_words and bare not in words.cues["towns"]:
            return False
        return not medical or bare not in words.ordinary or bare in words.also_words or bare in words.cues["towns"]
