"""Names told by how they are written alone: "DELACRUZ, MARIBEL", 'Joseph "Buzz" Kowalczyk', "van der Westhuizen", "Cheung Ka-wai".

Input : a text, folded     Output: where such names stand
Knows forms and the vocabulary; no cue around a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from training.deidentify.kinds import Found, Kind
from training.deidentify.vocabulary import Vocabulary

_CAPITALS = re.compile(
    r"(?<![A-Za-z])([A-Z]{3,}(?:[-'][A-Z]+)*),[ ]([A-Z]{2,})(?:[-'][A-Z]+)?(?:[ ][A-Z]{1,})?(?![A-Za-z])"
)
_NICKNAME = re.compile(
    r"(?<![A-Za-z])[A-Z][a-z]{2,}[ ]([\"'(])([A-Z][a-z]+)[\"')][ ]([A-Z][A-Za-z]+)(?:[ -][A-Z][a-z]+)?"
)
_IN_QUOTES = re.compile(r"(?<![A-Za-z])(?i:named|called|nicknamed|aka|states|goes by|prefers)[ ]\"([A-Z][a-z]+)\"?")
_LINKED = re.compile(
    r"(?<![A-Za-z])(?:[Vv]an|[Vv]on|[Dd]e|[Dd]ella|bin|binti|[Mm]ac)(?: (?:der|den|la|los|el|las))? ([A-Z][a-z]{2,})"
)
_SYLLABLE = r"(?:[bpmfdtnlgkhjqxrzcsyw]|ch|sh|zh|ng|ts|tz|sz|kw|gw)?[aeiou]{1,3}(?:ng|n|m|k|p|t|h)?"
_HYPHENED = re.compile(
    rf"(?<![\w-])(?:[A-Z][a-z]{{1,6}} )?(?=[A-Z])(?P<first>(?i:{_SYLLABLE}))-(?P<second>{_SYLLABLE})(?![\w-])"
)
_THREE_CAPITALS = re.compile(r"(?<![A-Z-])([A-Z]{2,8}) [A-Z]{2,6} [A-Z]{2,6}(?![A-Za-z-])")
# Without these there is none of the forms; each starts with letters that the search skips to.
_TWO_CAPITALS = re.compile(r"[A-Z][A-Z'-]+,? [A-Z]{2}")
_QUOTE = re.compile(r"[\"'(][A-Z][a-z]+[\"')]")
_LINK = re.compile(r"[nNeaAcC] [A-Z][a-z]|n der |n den |e la |e los ")
_HYPHEN = re.compile(r"[A-Z][a-z]{1,6}-[a-z]")


class NameForms:
    """Finds them."""

    def __init__(self, words: Vocabulary) -> None:
        self._words = words
        self._forms = (
            (_TWO_CAPITALS, _CAPITALS, self._in_capitals),
            (_QUOTE, _NICKNAME, self._with_nickname),
            (_QUOTE, _IN_QUOTES, self._quoted),
            (_LINK, _LINKED, self._linked),
            (_HYPHEN, _HYPHENED, self._hyphened),
            (_TWO_CAPITALS, _THREE_CAPITALS, self._three),
        )

    def find(self, plain: str) -> Iterator[Found]:
        """Where they stand, in no order."""
        for gate, pattern, is_name in self._forms:
            if not gate.search(plain):
                continue
            for match in pattern.finditer(plain):
                if is_name(match):
                    yield Found(*match.span(1 if pattern is _IN_QUOTES else 0), Kind.NAME)

    def _in_capitals(self, match: re.Match[str]) -> bool:
        surname, first = match.group(1).lower(), match.group(2).lower()
        words = self._words
        return surname in words.names or (surname not in words.ordinary and first not in words.plain)

    def _with_nickname(self, match: re.Match[str]) -> bool:
        return self._words.may_name(match.group(3).lower()) and match.group(2).lower() not in self._words.plain

    def _quoted(self, match: re.Match[str]) -> bool:
        return match.group(1).lower() not in self._words.plain

    def _linked(self, match: re.Match[str]) -> bool:
        word = match.group(1).lower()
        return word not in self._words.eponyms and self._words.may_name(word)

    def _hyphened(self, match: re.Match[str]) -> bool:
        return not self._words.ordinary.issuperset((match.group("first").lower(), match.group("second")))

    def _three(self, match: re.Match[str]) -> bool:
        words = match.group().lower().split()
        return words[0] in self._words.names and self._words.ordinary.isdisjoint(words)
