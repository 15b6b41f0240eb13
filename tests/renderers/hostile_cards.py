"""Hostile strings -> the card's detail with one of them in each place where text of a chart or of the knowledge stands.

Goes through the real card builder. Knows the places; renders nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from nlp_core.assessment import Assessment, Candidate, Language, Words
from tests.cds_hooks.assessments import BUILDER, assessment, candidate, chart, occasion

HARMLESS = "Wordwithoutmarks"
"""Stands in each place of the card that a hostile one is compared with; it occurs nowhere else."""


@cache
def hostile_strings() -> dict[str, list[str]]:
    """Category -> its strings."""
    path = Path(__file__).with_name("hostile_strings.yaml")
    strings: dict[str, list[str]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return strings


@dataclass(frozen=True, slots=True)
class HostileCard:
    """A card with one string in one place, or in all."""

    category: str
    text: str
    place: str
    detail: str
    """Markdown, as it goes on the wire."""
    harmless: str
    """The same with HARMLESS instead."""

    @property
    def as_is(self) -> str:
        """Markdown that holds the string as it stands in the chart: what dxspan never sends."""
        return self.harmless.replace(HARMLESS, self.text)


def _changed(given: Assessment, **changes: Any) -> Assessment:
    (only,) = given.candidates
    return given.model_copy(update={"candidates": (only.model_copy(update=changes),)})


def _in_evidence(given: Assessment, **changes: str) -> Assessment:
    (only,) = given.candidates
    return _changed(given, evidence_for=tuple(e.model_copy(update=changes) for e in only.evidence_for))


def _denied(given: Assessment, text: str) -> Assessment:
    (only,) = given.candidates
    against = tuple(e.model_copy(update={"quote": text}) for e in only.evidence_against)
    return _changed(given, evidence_against=against)


def _named(given: Assessment, text: str) -> Assessment:
    return _changed(given, names=_said(text))


def _banded(given: Assessment, text: str) -> Assessment:
    (only,) = given.candidates
    assert only.band
    return _changed(given, band=only.band.model_copy(update={"word": _said(text)}))


def _next(given: Assessment, text: str) -> Assessment:
    steps = tuple(step.model_copy(update={"words": _said(text)}) for step in given.next_steps)
    return given.model_copy(update={"next_steps": steps})


def _said(text: str) -> Words:
    return Words(en=text, zh=text)


PLACES: dict[str, Callable[[Assessment, str], Assessment]] = {
    "quote for": lambda given, text: _in_evidence(given, quote=text),
    "quote against": _denied,
    "title of the note": lambda given, text: _in_evidence(given, kind=text),
    "role of the author": lambda given, text: _in_evidence(given, author_role=text),
    "name of the diagnosis": _named,
    "word of the band": _banded,
    "next step": _next,
    "name of the model": lambda given, text: given.model_copy(update={"model_version": text}),
}
"""Where text that is not our own words stands in the detail, and how it gets there."""
EVERYWHERE = "everywhere"
LANGUAGES: tuple[Language, ...] = ("en", "zh")


def hostile_cards(categories: Collection[str] = ()) -> Iterator[HostileCard]:
    """Each string everywhere at once, in one of the languages; place by place where it is too long for that.

    categories: these alone; none named, all of them.
    """
    for number, (category, text) in enumerate(_strings(categories)):
        language: Language = "en" if number % 2 else "zh"
        card = _card(category, text, EVERYWHERE, language)
        if _is_shortened(card):
            yield from (_card(category, text, place, language) for place in PLACES)
        else:
            yield card


def cards_place_by_place() -> Iterator[HostileCard]:
    """Each string in each place alone, in both languages."""
    for category, text in _strings():
        yield from (_card(category, text, place, language) for place in PLACES for language in LANGUAGES)


def _strings(categories: Collection[str] = ()) -> Iterator[tuple[str, str]]:
    for category, texts in hostile_strings().items():
        if not categories or category in categories:
            yield from ((category, text) for text in texts)


def _is_shortened(card: HostileCard) -> bool:
    """Whether evidence was left out: then the card has another structure for an honest reason."""
    return [card.detail.count(mark) for mark in ("\n- ", "\n\n")] != [
        card.harmless.count(mark) for mark in ("\n- ", "\n\n")
    ]


def _card(category: str, text: str, place: str, language: Language) -> HostileCard:
    return HostileCard(category, text, place, _detail(text, place, language), _harmless(place, language))


@cache
def _harmless(place: str, language: Language) -> str:
    return _detail(HARMLESS, place, language)


def _detail(text: str, place: str, language: Language) -> str:
    return str(card_with(text, place, language)["detail"])


def card_with(text: str, place: str, language: Language) -> dict[str, Any]:
    """The whole card as JSON on the wire."""
    given = assessment(_one(), language=language)
    for put in PLACES.values() if place == EVERYWHERE else (PLACES[place],):
        given = put(given, text)
    (card,) = asyncio.run(BUILDER(given, chart(), occasion())).cards
    return card.model_dump(mode="json", by_alias=True, exclude_none=True)


def _one() -> Candidate:
    """A candidate with one quote for and one against."""
    whole = candidate()
    return whole.model_copy(update={"evidence_for": whole.evidence_for[:1]})
