"""A whole invented chart: one to three notes about the same illness, older ones copied forward now and then.

Input : the knowledge, a seed
Output: charts with their notes newest first, gold included
Knows how many notes of what style a chart has; one note is write_note's business.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from nlp_core.assessment import Language
from nlp_core.knowledge import Knowledge
from training.simulated_patients import drawn_diagnoses
from training.synthetic_charts.distortions import distorted
from training.synthetic_charts.fuller_note import write_fuller_note
from training.synthetic_charts.gold import Piece, WrittenNote, WrittenSentence
from training.synthetic_charts.stories import Story, StoryTeller
from training.synthetic_charts.styles import Charts, styles
from training.synthetic_charts.wordings import Wordings
from training.synthetic_charts.write_note import write_note

if TYPE_CHECKING:
    from training.synthetic_charts.identities import Identity

_COPIED_FORWARD = 0.3
_MIXED = 0.08
"""Share of Chinese notes that end with a few English sentences, as letters from abroad do."""
_MOST_COPIED = 6
_NEWEST = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class WrittenChart:
    """One invented patient's notes, newest first, with the dates they bear."""

    number: int
    story: Story
    language: Language
    notes: tuple[WrittenNote, ...]
    dates: tuple[datetime, ...]
    identity: Identity | None = None

    @property
    def born(self) -> date:
        return (self.dates[0] - timedelta(days=round(self.story.age_years * 365.25))).date()


class ChartWriter:
    """Writes charts; equal seeds write equal charts."""

    def __init__(
        self,
        knowledge: Knowledge,
        *,
        seed: int,
        chinese: float = 0.35,
        most_notes: int = 3,
        wordings: Wordings | None = None,
        charts: Charts = "first",
    ) -> None:
        """chinese: share of charts in Chinese, 0 to 1. charts: how fully they are written."""
        self._knowledge = knowledge
        self._random = np.random.default_rng(seed)
        self._chinese, self._most_notes = chinese, most_notes
        self._teller = StoryTeller(knowledge)
        self._wordings = wordings or Wordings(knowledge)
        self._charts = charts
        self._write_note = write_fuller_note if charts == "fuller" else write_note

    def charts(self, count: int, *, styles_used: Sequence[str] = ()) -> Iterator[WrittenChart]:
        """`count` charts. styles_used: only notes of these kinds; all by default."""
        names = list(styles_used) or list(styles())
        for number, diagnosis in enumerate(drawn_diagnoses(self._knowledge, count, self._random)):
            random = self._random
            story = self._teller.story(diagnosis, random, known=float(random.uniform(0.35, 1.0)))
            if self._charts == "fuller":
                story = self._teller.with_doubts(story, random)
            language: Language = "zh" if random.random() < self._chinese else "en"
            yield self._chart(number, story, language, names)

    def _chart(self, number: int, story: Story, language: Language, names: Sequence[str]) -> WrittenChart:
        random = self._random
        count = int(random.integers(1, self._most_notes + 1))
        chosen = [names[int(place)] for place in random.integers(len(names), size=count)]
        notes: list[WrittenNote] = []  # oldest first while they are written
        for style in chosen:
            note = self._write_note(story, style, language, self._wordings, random)
            if notes and random.random() < _COPIED_FORWARD:
                note = _with_copy(note, notes[-1])
            if language == "zh" and random.random() < _MIXED:
                note = _with_copy(note, self._write_note(story, "telegraphic", "en", self._wordings, random))
            notes.append(distorted(note, random, self._charts))
        notes.reverse()
        dates = tuple(_NEWEST - timedelta(hours=int(random.integers(4, 30)) * place) for place in range(count))
        return WrittenChart(number, story, language, tuple(notes), dates)


def _with_copy(note: WrittenNote, older: WrittenNote) -> WrittenNote:
    """The first sentences of an older note stand at the end of a newer one."""
    copied = older.sentences[:_MOST_COPIED]
    border = WrittenSentence((Piece(""),), after="\n\n")
    return replace(note, sentences=(*note.sentences, border, *copied))
