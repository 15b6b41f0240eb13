"""Slips of the keyboard mended: an unknown word one edit away from a word that the knowledge uses is read as that word.

Input : "severe abdomnal pian"     Output: "severe abdominal pian" ("pian" has four letters and is left alone)
British spellings are read as the American ones of the knowledge.
Knows words and edits (a letter lost, doubled, wrong, or two turned). English words, the knowledge's own and short ones
are never touched: a wrong correction invents a finding, a missing one only misses it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import orjson

from nlp_core.text_view import Rewriting
from nlp_core.words import stem

SHORTEST, LONGEST = 5, 24
"""Letters of a word that may be corrected."""
MOST_UNKNOWN = 500
"""Different unknown words of a note that are looked up; more are no slips but another language or noise."""
_WORD = re.compile(rf"(?<![A-Za-z\d\-'’])[A-Za-z]{{{SHORTEST},{LONGEST}}}(?![A-Za-z\d'’])")
_AMERICAN = {"ae": "e", "oe": "e", "our": "or", "is": "iz", "tre": "ter"}
_BRITISH = re.compile(r"ae|oe|our|is(?=e|ing|ation)|tre$")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Spelling:
    """Corrects words; built once per process.

    used: words that a correction may give, with how often the knowledge uses them. known: further words that are right.
    """

    def __init__(self, used: Mapping[str, int], known: Iterable[str]) -> None:
        self._used = dict(used)
        self._known = {*self._used, *known}
        self._stems: set[str] | None = None
        self._corrections: dict[str, str] = {}

    @staticmethod
    def load(path: Path) -> Spelling:
        """Reads what `save` wrote; some milliseconds. Raises OSError or ValueError (no JSON)."""
        stored = orjson.loads(path.read_bytes())
        return Spelling(stored["used"], stored["known"])

    def save(self, path: Path) -> None:
        path.write_bytes(orjson.dumps({"used": self._used, "known": sorted(self._known - self._used.keys())}))

    def corrections(self, text: str) -> list[Rewriting]:
        """What to read otherwise, in order of place."""
        unknown: set[str] = set()
        found = []
        for match in _WORD.finditer(text):
            word = match.group().lower()
            if word in self._used:
                continue
            right = _american(word)
            if right not in self._used:
                if word in self._known:
                    continue
                unknown.add(word)
                if len(unknown) > MOST_UNKNOWN:
                    break
                right = self._correction(word)
            if right != word:
                found.append(Rewriting(match.start(), match.end(), _in_case(right, match.group())))
        return found

    def _correction(self, word: str) -> str:
        """The commonest used word one edit away, `word` itself where there is none or it may be a form of a known one."""
        kept = self._corrections.get(word)
        if kept is not None:
            return kept
        if self._is_a_form(word):
            return word
        near = {other for other in _one_edit_away(word) if other in self._used}
        if not near:
            return word  # and nothing is kept: it may be the patient's name
        right = max(near, key=lambda other: (self._used[other], other))
        self._corrections[word] = right
        return right

    def _is_a_form(self, word: str) -> bool:
        """Is it an inflection of a word that is known ("gnaws", "tenting")?"""
        if self._stems is None:
            self._stems = {stem(used) for used in self._used}
        root = stem(word)
        return root in self._stems or root in self._known


def _american(word: str) -> str:
    """ "haemoglobin" as the knowledge spells it."""
    return _BRITISH.sub(lambda match: _AMERICAN[match.group()], word)


def _in_case(right: str, written: str) -> str:
    if written.isupper():
        return right.upper()
    return right.capitalize() if written[0].isupper() else right


def _one_edit_away(word: str) -> Iterator[str]:
    """Words that a single slip turns into `word`; the first letter is what writers get right."""
    for at in range(1, len(word)):
        before, after = word[:at], word[at + 1 :]
        yield before + after
        if at + 1 < len(word):
            yield before + word[at + 1] + word[at] + word[at + 2 :]
        for letter in _LETTERS:
            yield before + letter + after
            yield before + letter + word[at:]
    yield from (word + letter for letter in _LETTERS)
