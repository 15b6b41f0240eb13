"""The second pass: patient by patient, every note that can be learned from, into train, development and test.

Knows what is a copy, how counts come about, and how a killed run goes on: the index notes after every few patients how
long the files are and what was counted, and what was written behind that is cut off again.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Protocol

from tqdm import tqdm

from training.prepare.chart_index import ChartIndex
from training.prepare.prepared_note import SPLITS, PreparedNote, Split
from training.prepare.quality import Quality
from training.prepare.read_notes import ReadNote
from training.prepare.read_patients import PatientNotes, ReadPatients

KEPT_EVERY_SECONDS = 5.0
_PROGRESS = "written"


class Sink(Protocol):
    """Where prepared notes go."""

    def write(self, note: PreparedNote) -> None: ...

    def sizes(self) -> dict[str, int]:
        """Bytes of each file, safe on the disk."""


class Files:
    """train.jsonl, development.jsonl and test.jsonl of one folder, cut to the sizes that a run before them noted."""

    def __init__(self, folder: Path, sizes: dict[str, int]) -> None:
        self._open = ExitStack()
        self._files: dict[Split, BinaryIO] = {}
        for split in SPLITS:
            file = open(os.open(folder / f"{split}.jsonl", os.O_RDWR | os.O_CREAT, 0o600), "r+b")  # noqa: SIM115  # closed by close
            self._files[split] = self._open.enter_context(file)
            file.truncate(sizes.get(split, 0))
            file.seek(0, os.SEEK_END)

    def write(self, note: PreparedNote) -> None:
        self._files[note.split].write(note.model_dump_json().encode() + b"\n")

    def sizes(self) -> dict[str, int]:
        for file in self._files.values():
            file.flush()
            os.fsync(file.fileno())
        return {split: file.tell() for split, file in self._files.items()}

    def close(self) -> None:
        self._open.close()


class Nowhere:
    """The sink of a dry run."""

    def write(self, note: PreparedNote) -> None:
        """Nothing is kept."""

    def sizes(self) -> dict[str, int]:
        return {}


class ExampleWriter:
    """Goes through the index once. `depends_on`: what else makes the examples what they are; a change begins anew."""

    def __init__(self, index: ChartIndex, depends_on: str) -> None:
        self._index, self._depends_on = index, depends_on
        self.quality = Quality()
        self._after, self._sizes = "", dict[str, int]()
        self._kept = time.monotonic()
        progress = json.loads(index.state(_PROGRESS) or "{}")
        if progress.get("depends_on") == depends_on:
            self._after, self._sizes = progress["after"], progress["sizes"]
            self.quality = Quality(Counter(progress["counts"]))
        else:
            index.database.execute("delete from texts")

    @property
    def sizes(self) -> dict[str, int]:
        """What an earlier run has written."""
        return self._sizes

    def run(self, sink: Sink, read: ReadPatients, *, only_labelled: bool = False) -> Quality:
        total = self._index.count("document")
        done = self.quality.counts["notes"]
        with tqdm(total=total, initial=done, desc="notes", unit="note", disable=None) as bar:
            for patient in read(self._index.patients(self._after)):
                for found, note in self._notes_of(patient):
                    if note is not None and (note.diagnoses or not only_labelled):
                        sink.write(note)
                    self.quality.take(found, note)
                    bar.update()
                self._after = patient.patient
                if time.monotonic() - self._kept >= KEPT_EVERY_SECONDS:
                    self._keep(sink)
        self._keep(sink)
        return self.quality

    def _notes_of(self, patient: PatientNotes) -> Iterable[tuple[ReadNote, PreparedNote | None]]:
        paragraphs: set[int] = set()
        self.quality.begin_patient()
        for found in patient.notes:
            if found.digest:
                self.quality.take_paragraphs(found, paragraphs)
                paragraphs.update(digest for digest, _ in found.paragraphs)
                first = self._index.is_new_text(found.digest, patient.patient)
                if first is not None:
                    reason = "duplicate" if first == patient.patient else "duplicate-of-another-patient"
                    yield ReadNote(None, reason, found.joined, found.digest), None
                    continue
            yield found, found.prepared
        self.quality.end_patient(patient.conditions)

    def _keep(self, sink: Sink) -> None:
        progress = {
            "depends_on": self._depends_on,
            "after": self._after,
            "sizes": sink.sizes(),
            "counts": dict(self.quality.counts),
        }
        self._index.set_state(_PROGRESS, json.dumps(progress))
        self._index.database.commit()
        self._kept = time.monotonic()
