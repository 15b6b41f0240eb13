"""Charts nobody has read: as many notes of as many bytes as asked for, all about one invented patient.

Knows only how to fill notes: each is what writers of several styles make of the same story, one after another, until it is
long enough. Words are varied, yet the chart stays that of one patient, so that there is something to find in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import numpy as np

from cds_hooks.demo_requests import SampleChart
from nlp_core.chart import Chart
from nlp_core.model_bundle import Bundle, composed_bundle_path
from nlp_core.note import Note
from training.simulated_patients import drawn_diagnoses
from training.synthetic_charts.stories import Story, StoryTeller
from training.synthetic_charts.styles import styles
from training.synthetic_charts.wordings import Wordings
from training.synthetic_charts.write_note import write_note

NOTE_BYTES = 3_000


@dataclass(frozen=True, slots=True)
class NewChart:
    """Notes, newest first, of a patient who has never been seen."""

    age_years: float
    sex: str
    texts: tuple[str, ...]

    def marked(self) -> NewChart:
        """The same with other words at the top of each note: to every memory it is a new chart."""
        return replace(self, texts=tuple(f"Reference {uuid4()}\n{text}" for text in self.texts))

    def request(self) -> dict[str, Any]:
        """A `patient-view` call, each time for another patient and by another reader."""
        notes = [
            {"id": f"note-{place}", "type": "Progress note", "date": date.isoformat(), "text": text}
            for place, (text, date) in enumerate(zip(self.texts, self._dates, strict=True))
        ]
        born = _today() - timedelta(days=round(self.age_years * 365.25))
        patient = {"id": f"new-{uuid4()}", "gender": self.sex, "birthDate": born.date().isoformat()}
        return SampleChart("", "", "any", {"patient": patient, "problems": [], "notes": notes}).request()

    def chart(self) -> Chart:
        """As a worker gets it."""
        notes = [
            Note(reference=f"DocumentReference/note-{place}", text=text, date=date)
            for place, (text, date) in enumerate(zip(self.texts, self._dates, strict=True))
        ]
        return Chart(as_of=datetime.now(UTC), age_years=self.age_years, sex=self.sex, notes=tuple(notes))

    @property
    def _dates(self) -> list[datetime]:
        return [_today() - timedelta(days=place) for place in range(len(self.texts))]


class ChartSource:
    """Writes them; equal seeds give the same words."""

    def __init__(self, seed: int = 0) -> None:
        self._knowledge = Bundle.open(composed_bundle_path()).knowledge()
        self._random = np.random.default_rng(seed)
        self._teller, self._wordings = StoryTeller(self._knowledge), Wordings(self._knowledge)
        self._styles = list(styles())

    def new(self, notes: int, note_bytes: int = NOTE_BYTES) -> NewChart:
        """One more patient."""
        diagnosis = drawn_diagnoses(self._knowledge, 1, self._random)[0]
        story = self._teller.story(diagnosis, self._random, known=1.0)
        texts = [self._note(story, note_bytes) for _ in range(notes)]
        return NewChart(story.age_years, story.sex, tuple(texts))

    def _note(self, story: Story, size: int) -> str:
        written: list[str] = []
        while sum(map(len, written)) < size:
            written.append(write_note(story, self._style(), "en", self._wordings, self._random).text)
        return "\n".join(written)[:size]

    def _style(self) -> str:
        return _one_of(self._styles, self._random)


def _one_of(names: Sequence[str], random: np.random.Generator) -> str:
    return names[int(random.integers(len(names)))]


def _today() -> datetime:
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
