"""Searches what was written for every identifier of the record: the last thing before an output may exist.

Input : a part's output and whose its resources are     Output: where something leaked, by line and kind, never what
Reads the output as anyone would, by its keys and words; shares no finder with the cleaning. What it does not search, because
it would be somebody's by chance or no coded field holds it, is listed in docs/hospital_data.md.
"""

from __future__ import annotations

import base64
import re
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from training.deidentify.birth_dates import BirthDates, Stated
from training.deidentify.clean_part import Settings
from training.deidentify.export_parts import Part
from training.deidentify.identifier_store import SHORTEST_UNIQUE, IdentifierStore
from training.deidentify.kinds import Kind
from training.deidentify.known_identifiers import Known, is_number
from training.deidentify.text_folding import bare, folded
from training.deidentify.vocabulary import Vocabulary, vocabulary

_FREE = frozenset(
    "text title description conclusion valueString div patientInstruction comment summary basis name family given "
    "contentString scheduledString onsetString abatementString performedString occurrenceString ageString deceasedString state country".split()
)
_PUBLIC = (
    "http://hl7.org/",
    "http://terminology.hl7.org/",
    "http://loinc.org",
    "http://snomed.info/",
    "http://www.nlm.nih.gov/",
)
_NOT_SEARCHED = frozenset({"system", "profile", "contentType", "resourceType"})
_CAPITALS = re.compile(r"(?=\b([A-Z][A-Za-z]*),? ([A-Z][A-Za-z]*)\b)")
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9@._+/-]{3,80}")
_DIGITS = re.compile(r"\+?\(?\d(?:[ ().-]{0,2}\d){6,17}")
_WORDS = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")
_DATE = re.compile(r"\d{4}(?:-\d\d(?:-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d)?)?)?)?")
_CJK = re.compile(r"[\u3400-\u9fff]")
_REMEMBERED = 200_000
_PEOPLE_REMEMBERED = 500


@dataclass(slots=True)
class Searched:
    """One person's identifiers as they are looked for."""

    words: frozenset[str]
    """Names that are no ordinary words."""
    pairs: frozenset[str]
    """Names that are: only two of them side by side tell."""
    phrases: tuple[str, ...]
    exact: tuple[str, ...]
    numbers: frozenset[str]


@dataclass(slots=True)
class Words:
    """What of a resource is searched for what."""

    free: list[str] = field(default_factory=list)
    coded: list[str] = field(default_factory=list)
    dates: list[str] = field(default_factory=list)


class LeakTest:
    """One per process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._store = IdentifierStore(settings.store)
        self._births = BirthDates(settings, self._store)
        self._vocabulary = vocabulary()
        self._kinds: dict[str, str] = {}
        self._people: OrderedDict[str, Searched] = OrderedDict()
        medicine = "|".join(sorted(map(re.escape, self._vocabulary.cues["medicine"]), key=len, reverse=True))
        self._eponyms = re.compile(
            rf"\b(?:{'|'.join(sorted(self._vocabulary.eponyms, key=len, reverse=True))})(?:'s|s')?[ -](?=(?:{medicine})\b)"
        )

    def leaks(self, part: Part) -> list[tuple[int, str]]:
        """(line of the input within the part, kind) of everything that got through."""
        found: list[tuple[int, str]] = []
        born: dict[int, Stated] = {}
        output = self._settings.output(part).read_bytes().splitlines()
        owners = self._settings.owners(part).read_bytes().splitlines()
        for text, owner_line in zip(output, owners, strict=True):
            line, *people = orjson.loads(owner_line)
            words = Words()
            _walk(orjson.loads(text), "", words)
            found.extend((line, kind) for kind in sorted(self._in(words, people)))
            if stated := self._births.stated((*words.free, *words.coded, *words.dates), people):
                born[line] = stated
        return [*found, *((line, Kind.DATE) for line in self._births.leaked(part, born))]

    def _in(self, words: Words, people: list[str]) -> set[str]:
        kinds = {kind for text in words.coded for kind in self._numbers_of_anyone(text)}
        plain = folded("\n".join(words.free))
        free = plain.lower()
        if not free:
            return kinds
        kinds.update(self._numbers_of_anyone(free))
        present = set(_WORDS.findall(free))
        for person in people:
            kinds.update(self._of_person(self._searched(person), plain, free, present))
        return kinds

    def _numbers_of_anyone(self, text: str) -> Iterator[str]:
        for pattern in (_TOKEN, _DIGITS):
            for match in pattern.finditer(text):
                number = bare(match.group())
                if len(number) < SHORTEST_UNIQUE or not is_number(number):
                    continue
                kind = self._kinds.get(number)
                if kind is None:
                    if len(self._kinds) > _REMEMBERED:
                        self._kinds.clear()
                    kind = self._kinds[number] = self._store.is_somebodys(number)
                if kind:
                    yield kind

    def _of_person(self, searched: Searched, plain: str, free: str, present: set[str]) -> Iterator[str]:
        named = searched.words & present
        if named and self._still_named(named, free):
            yield Kind.NAME
        if len(searched.pairs & present) > 1 and _pair(searched.pairs, plain):
            yield Kind.NAME
        if searched.phrases:
            joined = " ".join(re.findall(r"[a-z0-9']+", free))
            if any(f" {phrase} " in f" {joined} " for phrase in searched.phrases):
                yield Kind.PLACE
        if any(value in free for value in searched.exact):
            yield Kind.OTHER
        if searched.numbers and any(bare(token) in searched.numbers for token in _TOKEN.findall(free)):
            yield Kind.MEDICAL_RECORD

    def _still_named(self, named: frozenset[str] | set[str], free: str) -> bool:
        """Beyond diseases and signs that are called so."""
        without = self._eponyms.sub(" ", free) if named & self._vocabulary.eponyms else free
        return bool(named & set(_WORDS.findall(without)))

    def _searched(self, owner: str) -> Searched:
        known = self._people.get(owner)
        if known is None:
            known = self._people[owner] = _searched(self._store.known_of(owner), self._vocabulary)
            if len(self._people) > _PEOPLE_REMEMBERED:
                self._people.popitem(last=False)
        return known


def _searched(known: list[Known], vocabulary: Vocabulary) -> Searched:
    plain_words, generic, titles = vocabulary.plain, vocabulary.cues["generic_places"], vocabulary.cues["titles"]
    words: set[str] = set()
    phrases: set[str] = set()
    exact: set[str] = set()
    numbers: set[str] = set()
    for one in known:
        plain = folded(one.value).strip().lower()
        if one.kind is Kind.DATE:
            continue  # training.deidentify.birth_dates looks for it
        if _CJK.search(plain):
            exact.update([plain] if len(plain) > 1 else [])
        elif one.kind is Kind.NAME:
            words.update(
                word
                for word in re.findall(r"[a-z][a-z0-9]*(?:'[a-z][a-z0-9]+)?", plain)
                if len(word) > 1 and word not in titles
            )
        elif one.kind is Kind.PLACE:
            parts = re.findall(r"[a-z0-9']+", plain)
            if not generic.issuperset(parts) and (
                len(parts) > 1 or (parts[0] not in plain_words and len(parts[0]) > 4)
            ):
                phrases.add(" ".join(parts))
        elif one.kind in (Kind.EMAIL, Kind.URL):
            exact.add(plain)
        elif is_number(bare(plain)):
            numbers.add(bare(plain))
    sure = frozenset(word for word in words if word not in plain_words and len(word) > 2)
    return Searched(sure, frozenset(words - sure), tuple(sorted(phrases)), tuple(sorted(exact)), frozenset(numbers))


def _pair(pairs: frozenset[str], plain: str) -> bool:
    """Do two of the names stand side by side, both with a capital?"""
    sides = ((match.group(1).lower(), match.group(2).lower()) for match in _CAPITALS.finditer(plain))
    return any(first in pairs and second in pairs and first != second for first, second in sides)


def _walk(value: Any, key: str, words: Words) -> None:
    if isinstance(value, dict):
        public = isinstance(value.get("system"), str) and value["system"].startswith(_PUBLIC)
        shown = (
            {coding.get("display") for coding in value.get("coding", ()) if isinstance(coding, dict)}
            if "coding" in value
            else ()
        )
        for name, inner in value.items():
            if (public and name in ("display", "code")) or (
                name == "text" and inner.__class__ is str and inner in shown
            ):
                continue
            _walk(inner, name, words)
    elif isinstance(value, list):
        for inner in value:
            _walk(inner, key, words)
    elif isinstance(value, str):
        _sort(value, key, words)


def _sort(value: str, key: str, words: Words) -> None:
    if key == "data":
        words.free.append(base64.b64decode(value).decode("utf-8", "replace"))
    elif key in _FREE or key == "display":
        words.free.append(value)
    elif key not in _NOT_SEARCHED and len(value) >= SHORTEST_UNIQUE:
        (words.dates if _DATE.fullmatch(value) else words.coded).append(value)
