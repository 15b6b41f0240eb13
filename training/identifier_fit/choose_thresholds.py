"""Thresholds of a reader of identifiers, on marked notes that it was not fitted on.

Input : a reader, marked notes apart     Output: the thresholds with which most identifiers are found while few other words are lost
A reader that is asked hundreds of times looks at each paragraph once. The record of no patient is known here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from training.deidentify.identifier_head.head import IdentifierHead, Looked, Thresholds
from training.deidentify.kinds import Found
from training.deidentify.notes import NoteCleaner, paragraphs_of
from training.deidentify.surrogates import Surrogates
from training.deidentify.text_folding import folded
from training.deidentify.vocabulary import vocabulary
from training.measures.planted_notes import Outcome, PlantedNote, counted

START = Thresholds(0.5, 0.5, 0.0, 0.0)
LANGUAGES = ("latin", "chinese")
_SURE = (0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98)
_DOUBTS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
_BESIDE = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
Ruled = list[tuple[int, str, list[Found]]]
"""Of each paragraph of a note: where it stands, itself folded, what the rules found."""


class RememberingHead(IdentifierHead):
    """Looks at the same paragraphs once."""

    _looked: dict[tuple[str, ...], list[Looked]]

    def looked_at(self, paragraphs: Sequence[tuple[str, list[Found]]]) -> list[Looked]:
        """As IdentifierHead."""
        self._looked = getattr(self, "_looked", {})
        key = tuple(plain for plain, _ in paragraphs)
        if key not in self._looked:
            self._looked[key] = super().looked_at(paragraphs)
        return self._looked[key]


def in_language(notes: Sequence[PlantedNote], language: str) -> list[PlantedNote]:
    """language: of `LANGUAGES`."""
    return [note for note in notes if note.chinese == (language == "chinese")]


def rules_alone() -> NoteCleaner:
    """What finds by rules, with no reader beside them; its surrogates are nobody's secret."""
    return NoteCleaner(Surrogates(b"measuring" * 8, vocabulary()))


def ruled_notes(notes: Sequence[PlantedNote]) -> list[Ruled]:
    """What the rules find in each."""
    rules = rules_alone()
    return [
        [(start, folded(paragraph), rules.ruled(paragraph)) for start, paragraph in paragraphs_of(note.text)]
        for note in notes
    ]


def outcome(reader: IdentifierHead, notes: Sequence[PlantedNote], ruled: Sequence[Ruled]) -> Outcome:
    """What is found with the reader as it stands."""
    return counted(zip(notes, (list(_spans(reader, paragraphs)) for paragraphs in ruled), strict=True))


def _spans(reader: IdentifierHead, paragraphs: Ruled) -> Iterator[tuple[int, int]]:
    judged = reader.judged([(plain, found) for _, plain, found in paragraphs])
    for (start, _, _), found in zip(paragraphs, judged, strict=True):
        yield from ((one.start + start, one.end + start) for one in found)


def best(
    reader: IdentifierHead, language: str, notes: Sequence[PlantedNote], ruled: Sequence[Ruled], most_lost: float
) -> tuple[Outcome, Thresholds]:
    """For the notes of one language; thresholds of the other stay. Raises ValueError where too many words are lost with any.

    Doubt of the rules' findings is chosen first, then from where words beside an identifier are part of it.
    """
    first = reader.thresholds._replace(**{f"{language}_beside": 1.0})
    some = [first._replace(**{language: sure, f"{language}_doubt": doubt}) for sure, doubt in product(_SURE, _DOUBTS)]
    found = _best_of(reader, some, notes, ruled, most_lost)
    if found is None:
        raise ValueError(f"no threshold keeps the words lost of {language} notes under {most_lost}")
    more = [
        found[1]._replace(**{language: sure, f"{language}_beside": beside})
        for sure, beside in product(_SURE, _BESIDE) if beside < sure
    ]  # fmt: skip
    further = _best_of(reader, more, notes, ruled, most_lost)
    return further if further and further[0].recall > found[0].recall else found


def _best_of(
    reader: IdentifierHead,
    some: Sequence[Thresholds],
    notes: Sequence[PlantedNote],
    ruled: Sequence[Ruled],
    most_lost: float,
) -> tuple[Outcome, Thresholds] | None:
    found: tuple[Outcome, Thresholds] | None = None
    for thresholds in some:
        reader.thresholds = thresholds
        given = outcome(reader, notes, ruled)
        if given.lost_share <= most_lost and (found is None or given.recall > found[0].recall):
            found = given, thresholds
    return found


def said(given: Outcome) -> dict[str, float]:
    """As a record keeps it."""
    return {"found": round(given.recall, 4), "lost": round(given.lost_share, 4)}
