"""Identifiers told by their form: numbers with a label, contacts, addresses. The rules are data: rules/patterns.yaml.

Input : "call 413-555-0199"     Output: where "413-555-0199" stands, a telephone number
Knows forms only. A form that is a measurement as well is left to what the record knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from training.deidentify.kinds import Found, Kind
from training.deidentify.searched_text import SearchedText
from training.deidentify.vocabulary import RULES, Vocabulary


@dataclass(frozen=True, slots=True)
class Pattern:
    """One rule. `gate`: words in small letters of which one must be in the text, empty = always looked for."""

    kind: Kind
    pattern: re.Pattern[str]
    gate: tuple[str, ...]
    number: bool
    """Is it looked for in lines with longer numbers alone?"""
    finds: tuple[str, ...]
    leaves: tuple[str, ...]


def read_patterns() -> tuple[Pattern, ...]:
    """The rules as they are written. Raises ValueError naming a rule that is none."""
    entries: list[dict[str, Any]] = yaml.safe_load((RULES / "patterns.yaml").read_text(encoding="utf-8"))
    return tuple(
        Pattern(
            Kind(entry["kind"]),
            re.compile(entry["pattern"], re.ASCII),
            tuple(entry.get("gate", ())),
            bool(entry.get("number", True)),
            tuple(entry["finds"]),
            tuple(entry["leaves"]),
        )
        for entry in entries
    )


class PatternFinder:
    """Finds everything the rules tell."""

    def __init__(self, words: Vocabulary) -> None:
        self._words = words
        patterns = read_patterns()
        self._of_numbers = tuple(rule for rule in patterns if rule.number)
        self._of_words = tuple(rule for rule in patterns if not rule.number)

    def find(self, text: SearchedText) -> Iterator[Found]:
        """Where they stand, in no order."""
        if text.number_lines:
            yield from self._by(self._of_numbers, text, text.number_lines)
        yield from self._by(self._of_words, text, [(0, len(text.plain))])

    def _by(self, rules: tuple[Pattern, ...], text: SearchedText, lines: list[tuple[int, int]]) -> Iterator[Found]:
        plain, lower = text.plain, text.lower
        for rule in rules:
            if rule.gate and not _any_in(rule.gate, lower):
                continue
            for line, line_end in lines:
                for match in rule.pattern.finditer(plain, line, line_end):
                    yield from self._found(rule, match)

    def _found(self, rule: Pattern, match: re.Match[str]) -> Iterator[Found]:
        start, end = _identifier(match)
        if rule.kind is Kind.PLACE:
            start = self._place_start(match.string, start, end)
        if start < end:
            yield Found(start, end, rule.kind)

    def _place_start(self, plain: str, start: int, end: int) -> int:
        """Where the name of a place starts: words that only lead to it are no part ("The Marlowe Hospital")."""
        words = list(re.finditer(r"\S+", plain[start:end]))
        telling = [word for word in words if not self._is_generic(word.group())]
        if not telling:
            return end
        first = next((word for word in words if word.group().lower() not in _LEADING), words[0])
        return start + first.start()

    def _is_generic(self, word: str) -> bool:
        bare = word.lower().strip(".,'")
        return bare in self._words.cues["generic_places"] or (bare.isdigit() and len(bare) < 2)


def _any_in(words: tuple[str, ...], lower: str) -> bool:
    """A plain loop: a generator costs twice the time, and this runs for every rule and paragraph."""
    for word in words:  # noqa: SIM110 - see above
        if word in lower:
            return True
    return False


_LEADING = frozenset("the at in from of to near by and with a an his her their our seen lives".split())


def _identifier(match: re.Match[str]) -> tuple[int, int]:
    groups = match.re.groupindex
    for name in ("it", "it2"):
        if name in groups and match.span(name) != (-1, -1):
            return match.span(name)
    return match.span()
