"""A note's text as its readers see it: people's names blanked, characters folded, lost marks put in, abbreviations spelt out, slips mended.

Joins the steps in their order. Every step only rewrites the view, so each reader after it sees plain words and every span
still is the note's own.
"""

from __future__ import annotations

from nlp_core.abbreviations import spelt_out
from nlp_core.missing_marks import lost_marks
from nlp_core.person_names import without_names
from nlp_core.spelling import Spelling
from nlp_core.text_view import TextView, view


class Rewording:
    """The steps with their words; built once per process. spelling None: words are read as they are written."""

    def __init__(self, spelling: Spelling | None) -> None:
        self._spelling = spelling

    def seen(self, text: str) -> TextView:
        seen = view(without_names(text))
        seen = seen.rewritten(lost_marks(seen.text))
        seen = seen.rewritten(spelt_out(seen.text))
        return seen if self._spelling is None else seen.rewritten(self._spelling.corrections(seen.text))
