"""A note and the places cited in it -> stretches of text, in order, each knowing which evidence its words are.

Offsets are the note's, in code points; places may lie across one another. Invisible characters are dropped only after
cutting, so they never move a place. Knows no HTML.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from cds_hooks.safe_markdown import visible_lines

LONG_NOTE = 30_000
"""Characters; of a longer note only what stands around its places is shown, and its beginning."""
AROUND, BEGINNING = 800, 4_000
SIGNS = {"for": "+", "against": "\u2212", "both": "\u00b1", "quoted": ""}


@dataclass(frozen=True, slots=True)
class Use:
    """What a place is used for: one line of evidence of one diagnosis."""

    diagnosis: int
    """Its position on the page."""
    name: str
    speaks: Literal["for", "against", "quoted"]
    anchor: str
    """Id of the line."""


@dataclass(frozen=True, slots=True)
class Place:
    """Words of a note that are evidence."""

    number: int
    start: int
    end: int
    uses: tuple[Use, ...]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A run of text under the same places."""

    text: str
    places: tuple[Place, ...] = ()
    begins: tuple[int, ...] = ()
    """Numbers of the places that begin here."""
    skipped: int = 0
    """Characters left out here; `text` is then empty."""

    @property
    def uses(self) -> tuple[Use, ...]:
        return tuple(use for place in self.places for use in place.uses)

    @property
    def speaks(self) -> Literal["for", "against", "both", "quoted"]:
        """What the words say, by the diagnosis that stands highest; `both` where that one has them on both sides."""
        sides = {use.speaks for use in self.uses if use.diagnosis == self.highest}
        return "both" if len(sides) > 1 else next(iter(sides))

    @property
    def highest(self) -> int:
        """Position of the diagnosis that stands highest of those the words speak of."""
        return min(use.diagnosis for use in self.uses)

    @property
    def sign(self) -> str:
        """`+1`: what the words say, of which diagnosis."""
        return f"{SIGNS[self.speaks]}{self.highest}"

    def of(self, speaks: str) -> str:
        """Positions of the diagnoses that the words speak for or against, as `1 3`."""
        return " ".join(str(number) for number in sorted({use.diagnosis for use in self.uses if use.speaks == speaks}))


def stretches(text: str, places: Sequence[Place]) -> Iterator[Stretch]:
    """The whole of `text`, but for what `LONG_NOTE` leaves out."""
    shown = _shown(len(text), places)
    cuts = sorted({edge for span in shown for edge in span} | {edge for p in places for edge in (p.start, p.end)} | {0})
    cuts.append(len(text))
    for start, end in pairwise(cuts):
        if start == end:
            continue
        if not any(begin <= start and end <= until for begin, until in shown):
            yield Stretch("", skipped=end - start)
            continue
        here = tuple(place for place in places if place.start <= start and end <= place.end)
        yield Stretch(
            visible_lines(text[start:end]), here, tuple(place.number for place in here if place.start == start)
        )


def _shown(length: int, places: Sequence[Place]) -> list[tuple[int, int]]:
    """The spans of a note that are shown, apart from one another."""
    if length <= LONG_NOTE:
        return [(0, length)]
    wanted = [(0, BEGINNING), *((max(0, p.start - AROUND), min(length, p.end + AROUND)) for p in places)]
    shown: list[tuple[int, int]] = []
    for start, end in sorted(wanted):
        if shown and start <= shown[-1][1]:
            shown[-1] = (shown[-1][0], max(shown[-1][1], end))
        else:
            shown.append((start, end))
    return shown
