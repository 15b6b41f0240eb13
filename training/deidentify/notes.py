"""One text without its identifiers: all finders together, their spans joined, each replaced; the way of every offset kept.

Input : text, the patient's identifiers     Output: new text, and for each replaced span where it was and where it is
Knows profiles only through the date shift it is given. Nothing in a text raises.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

from training.deidentify.ages import find_ages
from training.deidentify.chinese_identifiers import ChineseFinder
from training.deidentify.dates import find_dates, rewritten
from training.deidentify.facilities import FacilityFinder
from training.deidentify.identifier_head.head import IdentifierHead
from training.deidentify.kinds import Found, Kind, joined
from training.deidentify.known_identifiers import KnownIdentifiers
from training.deidentify.names import NameFinder
from training.deidentify.patterns import PatternFinder
from training.deidentify.recognizers import OtherFinder
from training.deidentify.searched_text import SearchedText
from training.deidentify.surrogates import Surrogates
from training.deidentify.text_folding import folded
from training.deidentify.vocabulary import vocabulary

_BLANK_LINE = re.compile(r"\n[ \t]*\r?\n\s*")
_LONGEST_KEPT, _MOST_KEPT = 4_000, 4_096
"""Characters of a paragraph, and paragraphs, whose identifiers are remembered: 16 MB of text at most, on one's own machine."""
_NAME_GAP = re.compile(r"[ ]?,?[ ]?(?:[A-Z]\.?[ ])?|-")
_INITIAL_BEFORE = re.compile(r"(?<![\w.])(?:[A-Z]\.[ -]?){1,2}$")
_INITIAL_BEHIND = re.compile(r",?[ ]([A-Z])(?:\.|(?=[ ]*(?:$|[\n,;)]|[ ]{2})))", re.M)


class Moved(NamedTuple):
    """A span of the old text and what became of it: characters `start` to `end` are now `new_start` to `new_end`."""

    start: int
    end: int
    new_start: int
    new_end: int
    kind: Kind


@dataclass(frozen=True, slots=True)
class Person:
    """Whose text it is: the scope of surrogates, what the record knows, and the date shift (None: years only)."""

    scope: str
    known: KnownIdentifiers
    shift: int | None


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A text without identifiers."""

    text: str
    moved: tuple[Moved, ...]


class NoteCleaner:
    """Finds and replaces; made once per process."""

    def __init__(
        self, surrogates: Surrogates, other: OtherFinder | None = None, head: IdentifierHead | None = None
    ) -> None:
        self._words = vocabulary()
        self._names = NameFinder(self._words)
        self._patterns = PatternFinder(self._words)
        self._facilities = FacilityFinder(self._words)
        self._chinese = ChineseFinder()
        self._surrogates = surrogates
        self._other = other
        self._head = head
        self._found: OrderedDict[tuple[str, bool], Sequence[Found]] = OrderedDict()

    def find(self, text: str, person: Person) -> list[Found]:
        """Every identifier, sorted, none over another."""
        searched = SearchedText(text)
        found = list(person.known.find(searched))
        paragraphs = list(paragraphs_of(text))
        for (start, _), own in zip(paragraphs, self._of_any_record(paragraphs, person.shift is None), strict=True):
            found.extend(replace(one, start=one.start + start, end=one.end + start) for one in own)
        found.extend(self._names.again(searched, found))
        if self._other:
            found.extend(self._other.find(text))
        return joined(_with_initials(joined(found), searched.plain))

    def _of_any_record(self, paragraphs: list[tuple[int, str]], weekdays: bool) -> list[Sequence[Found]]:
        """What stands in each paragraph whoever the patient is, looked for once: most of a chart is copied forward."""
        new = list(dict.fromkeys(one for _, one in paragraphs if (one, weekdays) not in self._found))
        ruled = [self.ruled(paragraph, weekdays) for paragraph in new]
        if self._head and new:
            ruled = self._head.judged([(folded(paragraph), found) for paragraph, found in zip(new, ruled, strict=True)])
        fresh: dict[str, Sequence[Found]] = dict(zip(new, ruled, strict=True))
        given = []
        for _, paragraph in paragraphs:
            if paragraph not in fresh:
                self._found.move_to_end((paragraph, weekdays))
            given.append(fresh[paragraph] if paragraph in fresh else self._found[paragraph, weekdays])
        for paragraph, found in fresh.items():
            if len(paragraph) <= _LONGEST_KEPT:
                self._found[paragraph, weekdays] = found
        while len(self._found) > _MOST_KEPT:
            self._found.popitem(last=False)
        return given

    def ruled(self, paragraph: str, weekdays: bool = True) -> list[Found]:
        """What the rules alone find in a paragraph, in no order."""
        searched = SearchedText(paragraph)
        found = [*find_dates(searched, weekdays=weekdays), *find_ages(searched)]
        found.extend(self._patterns.find(searched))
        found.extend(self._facilities.find(searched))
        found.extend(self._names.find(searched))
        if not searched.plain.isascii():
            found.extend(self._chinese.find(searched.simplified))
        return found

    def clean(self, text: str, person: Person) -> Cleaned:
        """`text` with surrogates."""
        found = self.find(text, person)
        if not found:
            return Cleaned(text, ())
        plain = folded(text)
        pieces: list[str] = []
        moved: list[Moved] = []
        at = new_at = 0
        for one in found:
            kept = text[at : one.start]
            new = self._new(text[one.start : one.end], plain[one.start : one.end], one, person)
            new_start = new_at + len(kept)
            new_at = new_start + len(new)
            pieces += (kept, new)
            moved.append(Moved(one.start, one.end, new_start, new_at, one.kind))
            at = one.end
        pieces.append(text[at:])
        return Cleaned("".join(pieces), tuple(moved))

    def _new(self, piece: str, plain: str, found: Found, person: Person) -> str:
        if found.kind is Kind.DATE:
            return rewritten(piece, plain, person.shift)
        return self._surrogates.replacement(piece, found, person.scope, self._words.cues["generic_places"])


def paragraphs_of(text: str) -> Iterator[tuple[int, str]]:
    """Between blank lines, each with its place; no finder looks across one."""
    at = 0
    for blank in _BLANK_LINE.finditer(text):
        if blank.start() > at:
            yield at, text[at : blank.start()]
        at = blank.end()
    if at < len(text):
        yield at, text[at:]


def _with_initials(found: list[Found], plain: str) -> list[Found]:
    """Names side by side are one, and an initial beside a name is part of it."""
    whole: list[Found] = []
    for one in found:
        last = whole[-1] if whole else None
        if one.kind is Kind.NAME:
            initial = _INITIAL_BEHIND.match(plain, one.end)
            one = replace(one, end=initial.end(1)) if initial else one
            initial = _INITIAL_BEFORE.search(plain, max(last.end if last else 0, one.start - 6), one.start)
            one = replace(one, start=initial.start()) if initial else one
            if (
                last
                and last.kind is Kind.NAME
                and last.staff == one.staff
                and _NAME_GAP.fullmatch(plain, last.end, one.start)
            ):
                whole[-1] = replace(last, end=max(last.end, one.end))
                continue
        whole.append(one)
    return whole


def new_offset(moved: Sequence[Moved], offset: int) -> int:
    """Where a character of the old text is in the new one; within a replaced span, the start of what replaces it."""
    change = 0
    for span in moved:
        if offset < span.start:
            break
        if offset < span.end:
            return span.new_start
        change = span.new_end - span.end
    return offset + change


@lru_cache(maxsize=1)
def _nobody() -> KnownIdentifiers:
    return KnownIdentifiers((), vocabulary())


def nobody(shift: int | None) -> Person:
    """A text of which the record knows no one."""
    return Person("", _nobody(), shift)
