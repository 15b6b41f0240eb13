"""The notes of a kept view and the places cited in them -> what a page of the viewer shows of them.

Knows how much of the notes fits on a page, and which come first. Every word stays text; the template escapes it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cds_hooks.safe_markdown import plain
from cds_hooks.viewer.highlights import LONG_NOTE, Place, Stretch, stretches
from cds_hooks.viewer.kept_views import KeptView
from cds_hooks.viewer.page_words import said
from nlp_core.assessment import Language

NOTES_BYTES = 80_000
"""UTF-8 bytes of notes on one page; others are one click away."""


@dataclass(slots=True)
class NoteShown:
    """One note."""

    number: int
    kind: str
    role: str
    date: str
    cited: Counter[str]
    left_out: bool
    stretches: list[Stretch] | None = None
    """None where it is not on this page."""


def notes_shown(
    view: KeptView, language: Language, places: Mapping[int, Sequence[Place]], wanted: int | None
) -> list[NoteShown]:
    """Every note; the wanted one with its text, then the cited ones, then the newest, as far as they fit.

    `places`: by number of the note.
    """
    shown = [_header(view, language, number, places.get(number, ())) for number in range(1, len(view.notes) + 1)]
    left = NOTES_BYTES
    for note in sorted(shown, key=lambda one: (one.number != wanted, not one.cited)):
        text = view.notes[note.number - 1].note.text
        size = min(len(text.encode(errors="replace")), LONG_NOTE)
        if note.left_out or (size > left and note.number != wanted):
            continue
        left -= size
        note.stretches = list(stretches(text, places.get(note.number, ())))
    return shown


def _header(view: KeptView, language: Language, number: int, places: Sequence[Place]) -> NoteShown:
    kept, words = view.notes[number - 1], said(language)
    sides: Counter[str] = Counter()
    for place in places:
        sides.update({use.speaks for use in place.uses})
    return NoteShown(
        number=number,
        kind=plain(kept.note.kind) or words["note"],
        role=plain(kept.note.author_role),
        date=kept.note.date.date().isoformat() if kept.note.date else words["undated"],
        cited=sides,
        left_out=kept.left_out,
    )
