"""What the record knows of a patient, found in a note: names, places, numbers, in any case and with any marks between.

Input : the patient's identifiers and a note     Output: where they stand
Knows no patterns: a name that the record lacks is for training.deidentify.names, a number for .patterns.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from training.deidentify.kinds import Found, Kind
from training.deidentify.searched_text import WORDS, SearchedText, places_of
from training.deidentify.text_folding import bare, folded
from training.deidentify.vocabulary import Vocabulary
from training.deidentify.written_dates import MONTH, Parts, parts_of

_NUMBERS = re.compile(
    r"(?<![a-z0-9])(?:\+|\()?(?=[a-z./#-]{0,8}\d)[a-z0-9](?:[a-z0-9]|[)](?=[ ])|[-./()_](?=[(a-z0-9])|[ ](?=[(\d])){3,40}"
)
_DAYS = re.compile(
    r"(?<!\d)(?:\d{4}[ ]?([-/.])[ ]?\d\d?[ ]?\1[ ]?\d\d?|\d\d?[ ]?([-/.])[ ]?\d\d?[ ]?\2[ ]?\d{4}|\d{8}"
    rf"|\d\d?(?:st|nd|rd|th)?[-/., ]{{0,2}}(?:of )?{MONTH}[-/., ]{{0,2}}\d{{4}}"
    rf"|(?<![A-Za-z]){MONTH}[-/., ]{{0,2}}\d\d?(?:st|nd|rd|th)?[-/., ]{{1,2}}\d{{4}})(?!\d)"
)
"""Days with a year of four digits, whatever letters and marks touch them."""
_PARTS = re.compile(r"[^\s,;/]+")
SHORTEST_NUMBER = 5
_CJK = re.compile(r"[\u3400-\u9fff]")


def is_number(number: str) -> bool:
    """Long enough, with a digit, to be nobody else's by chance: `number` in small letters and digits alone."""
    return len(number) >= SHORTEST_NUMBER and any(map(str.isdigit, number))


class Known(NamedTuple):
    """One identifier of the record. `value` as the record writes it."""

    kind: Kind
    value: str
    staff: bool = False


@dataclass(frozen=True, slots=True)
class _Entry:
    kind: Kind
    staff: bool


class KnownIdentifiers:
    """The identifiers of one patient, made ready for finding; some tens of microseconds for each."""

    def __init__(self, known: Iterable[Known], words: Vocabulary) -> None:
        self._vocabulary = words
        self.name_words: dict[str, _Entry] = {}
        self.phrases: dict[tuple[str, ...], _Entry] = {}
        self.numbers: dict[str, _Entry] = {}
        self.exact: dict[str, _Entry] = {}
        self.days: dict[Parts, _Entry] = {}
        for one in sorted(known):
            self._add(one)

    def find(self, text: SearchedText) -> Iterator[Found]:
        """Where they stand, in no order; a name's words one by one."""
        plain, lower = text.plain, text.lower
        for word in self.name_words:
            yield from self._name(word, plain, lower)
        for phrase in self.phrases:
            # a hundredth of what the pattern takes; few places are in a note
            if all(word in lower for word in phrase):
                yield from self._phrase(phrase, plain, lower)
        if any(number in text.signs for number in self.numbers):
            for start, end in text.number_lines:
                yield from self._number(lower, start, end)
        if any(f"{year:04d}" in plain for year, _, _ in self.days):
            yield from self._day(lower)
        for value, entry in self.exact.items():
            yield from _occurrences(value, entry, lower)

    def is_ordinary(self, word: str) -> bool:
        """Is a name's word found only where its place says so?"""
        return word in self._vocabulary.plain or len(word) < 3

    def _add(self, one: Known) -> None:
        entry = _Entry(one.kind, one.staff)
        plain = folded(one.value).strip().lower()
        if _CJK.search(plain):
            if len(plain) > 1:
                self.exact.setdefault(plain, entry)
        elif one.kind is Kind.NAME:
            for word in WORDS.findall(plain):
                if len(word) > 1 and word not in self._vocabulary.cues["titles"]:
                    self.name_words.setdefault(word, entry)
        elif one.kind is Kind.PLACE:
            phrase = tuple(re.findall(r"[a-z0-9']+", plain))
            if self._tells_a_place(phrase):
                self.phrases.setdefault(phrase, entry)
        elif one.kind in (Kind.EMAIL, Kind.URL):
            self.exact.setdefault(plain, entry)
        else:
            self._add_number(plain, entry)

    def _add_number(self, plain: str, entry: _Entry) -> None:
        if entry.kind is Kind.DATE:
            if parts := parts_of(plain):
                self.days.setdefault(parts, entry)
        elif is_number(number := bare(plain)):
            self.numbers.setdefault(number, entry)
            self.numbers.setdefault(number[-10:] if entry.kind in (Kind.PHONE, Kind.FAX) else number, entry)

    def _tells_a_place(self, phrase: tuple[str, ...]) -> bool:
        number = "".join(phrase)
        return not self._vocabulary.cues["generic_places"].issuperset(phrase) and not (
            number.isdigit() and len(number) < 5
        )

    def _name(self, word: str, plain: str, lower: str) -> Iterator[Found]:
        entry = self.name_words[word]
        for start, end in places_of(word, lower):
            if not self._is_eponym(word, lower, end) and self._is_name(word, plain, lower, start, end):
                yield Found(start, end, entry.kind, entry.staff)

    def _is_eponym(self, word: str, lower: str, end: int) -> bool:
        """ "Parkinson's disease" in the chart of a Mr Parkinson."""
        if word not in self._vocabulary.eponyms:
            return False
        behind = re.compile(r"(?:'s|s')?[ -]([a-z]+)").match(lower, end)
        return behind is not None and behind.group(1) in self._vocabulary.cues["medicine"]

    def _is_name(self, word: str, plain: str, lower: str, start: int, end: int) -> bool:
        if not self.is_ordinary(word):
            return True
        before = re.search(r"([a-z]+)([.,:]*)[ \t]{0,2}$", lower[max(0, start - 30) : start])
        behind = re.compile(r"(?:'s)?,?[ \t]{1,2}(?:[a-z]\.?[ \t])?([a-z']+)").match(lower, end)
        beside = (before.group(1) if before else "", behind.group(1) if behind else "")
        named = [other for other in beside if other in self.name_words]
        if not plain[start].isupper():
            return any(not self.is_ordinary(other) for other in named)
        if named or beside[0] in self._vocabulary.cues["titles"]:
            return True
        if before is None or "." in before.group(2) or ":" in before.group(2):  # a sentence or an entry starts here
            return beside[1] in self._vocabulary.cues["verbs"]
        capital_before = plain[max(0, start - 30) + before.start()].isupper()
        capital_behind = behind is not None and plain[behind.start(1)].isupper()
        return not (capital_before or capital_behind)  # in a heading every word has a capital

    def _phrase(self, phrase: tuple[str, ...], plain: str, lower: str) -> Iterator[Found]:
        entry = self.phrases[phrase]
        pattern = r"[^a-z0-9]{1,3}".join(map(re.escape, phrase))
        for match in re.finditer(rf"(?<![a-z0-9]){pattern}(?![a-z0-9])", lower):
            start, end = match.span()
            if len(phrase) > 1 or not self.is_ordinary(phrase[0]) or self._is_name(phrase[0], plain, lower, start, end):
                yield Found(start, end, entry.kind, entry.staff)

    def _number(self, lower: str, line: int, line_end: int) -> Iterator[Found]:
        for match in _NUMBERS.finditer(lower, line, line_end):
            piece = match.group()
            entry = self.numbers.get(bare(piece))
            if entry:
                yield Found(match.start(), match.end(), entry.kind, entry.staff)
                continue
            for start, end in _windows(piece):
                entry = self.numbers.get(bare(piece[start:end]))
                if entry:
                    yield Found(match.start() + start, match.start() + end, entry.kind, entry.staff)

    def _day(self, lower: str) -> Iterator[Found]:
        """The birth date, its day and month in either order."""
        for match in _DAYS.finditer(lower):
            year, month, day = parts_of(match.group().replace(" ", "")) or (0, 0, 0)
            entry = self.days.get((year, month, day)) or self.days.get((year, day, month))
            if entry:
                yield Found(*match.span(), entry.kind, entry.staff)


def _windows(piece: str) -> Iterator[tuple[int, int]]:
    """Every run of neighbouring parts: "12345 555 810 7203" holds a record number and a telephone number."""
    parts = [part.span() for part in _PARTS.finditer(piece)]
    for first, (start, _) in enumerate(parts):
        for _, end in parts[first : first + 4]:
            yield start, end


def _occurrences(value: str, entry: _Entry, lower: str) -> Iterator[Found]:
    at = lower.find(value)
    while at >= 0:
        yield Found(at, at + len(value), entry.kind, entry.staff)
        at = lower.find(value, at + len(value))
