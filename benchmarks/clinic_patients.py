"""Invented patients for a clinic day: their notes so far, and notes that come, most of each copied forward.

Input : a seed
Output: `patient-view` requests as an EHR sends them, the chart growing note by note
Knows how notes are copied forward: a new one repeats the words of the last but for one sentence in COPIED, and adds its own.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from cds_hooks.demo_requests import SampleChart
from nlp_core.knowledge import Knowledge
from training.synthetic_charts.charts import ChartWriter

COPIED = 4
"""Of so many sentences one is left out of the copy."""
MOST_SENTENCES = 12
OWN_SHARE = 6
"""One sentence in so many of a whole note is a new one."""


@dataclass
class ClinicPatient:
    """A chart that grows."""

    number: int
    sentences: Iterator[str]
    chance: random.Random
    notes: list[str] = field(default_factory=list)
    """Oldest first."""
    most_sentences: int = MOST_SENTENCES

    def write_note(self) -> None:
        last = self.notes[-1].split("\n") if self.notes else []
        copied = [sentence for sentence in last if self.chance.randrange(COPIED)]
        most = self.most_sentences
        own = [next(self.sentences) for _ in range(most // OWN_SHARE if last else most // 2)]
        self.notes.append("\n".join([*own, *copied][:most]))

    def request(self, hook: str = "patient-view") -> dict[str, Any]:
        """A complete request, by a reader of its own."""
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        notes = [
            {
                "id": f"note-{self.number}-{place}",
                "type": "Progress note",
                "date": (today - timedelta(days=len(self.notes) - place)).isoformat(),
                "text": text,
            }
            for place, text in enumerate(self.notes)
        ]
        patient = {"id": f"clinic-{self.number}", "gender": "female", "birthDate": "1960-05-02"}
        body = SampleChart("", "", "any", {"patient": patient, "problems": [], "notes": notes}).request()
        context = body["context"] | {"encounterId": f"visit-{self.number}"}
        return body | {"hook": hook, "hookInstance": str(uuid4()), "context": context}


def clinic_patients(
    knowledge: Knowledge, count: int, *, notes: int, seed: int, sentences: int = MOST_SENTENCES
) -> list[ClinicPatient]:
    """`count` patients with `notes` notes each, of at most so many `sentences`."""
    chance = random.Random(seed)
    writer = ChartWriter(knowledge, seed=seed, most_notes=3)
    patients = []
    for number in range(count):
        patient = ClinicPatient(number, sentences_of(writer), chance, most_sentences=sentences)
        for _ in range(notes):
            patient.write_note()
        patients.append(patient)
    return patients


def sentences_of(writer: ChartWriter) -> Iterator[str]:
    """Sentences of invented charts without end, each a line."""
    while True:
        for chart in writer.charts(1):
            for note in chart.notes:
                for sentence in note.sentences:
                    line = " ".join(sentence.text.split())
                    if line:
                        yield line
