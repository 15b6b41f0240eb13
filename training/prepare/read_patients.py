"""Patient by patient, all notes read: in this process as they are asked for, or in shards on an engine.

Input : an index of places, patients in order     Output: PatientNotes in the same order, whoever read them
Knows how a shard travels: it names patients, a worker reads them by a copy of the index that nobody writes to, and puts
what it read into the work folder, readable to its owner alone. No text of a note passes through an engine.
"""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from nlp_core.durable_files import write_whole
from nlp_core.knowledge import Knowledge
from nlp_core.knowledge_files import read_knowledge
from nlp_core.mentions import MentionReader
from training.engines.choice import Engine
from training.prepare.chart_index import ChartIndex
from training.prepare.read_notes import NoteReader, ReadNote
from training.prepare.splits import Splitter, key_of

PATIENTS_PER_SHARD = 20


@dataclass(frozen=True, slots=True)
class PatientNotes:
    """conditions: how many of the patient's Conditions mean a diagnosis of the knowledge."""

    patient: str
    conditions: int
    notes: Iterable[ReadNote]


@dataclass(frozen=True, slots=True)
class ReadingOrder:
    """What a worker needs to read as this process would. All paths are absolute."""

    source: Path
    key: Path
    shares: tuple[float, float, float]
    within_days: int
    most_bytes: int
    allow_restricted: bool
    work: Path

    @property
    def index(self) -> Path:
        return self.work / "index.sqlite"

    def read(self, number: int) -> Path:
        return self.work / f"{number:06d}.read"

    def reader(self, knowledge: Knowledge, mentions: MentionReader, splitter: Splitter) -> NoteReader:
        return NoteReader(
            knowledge, mentions, self.source, splitter, within_days=self.within_days,
            most_bytes=self.most_bytes, allow_restricted=self.allow_restricted,
        )  # fmt: skip


ReadPatients = Callable[[Iterable[str]], Iterator[PatientNotes]]


def notes_of(patient: str, index: ChartIndex, reader: NoteReader) -> PatientNotes:
    """Each note is read when its turn comes."""
    conditions = index.conditions(patient)
    notes = (reader.read(document, conditions, index) for document in index.documents(patient))
    return PatientNotes(patient, len(conditions), notes)


@contextmanager
def shared_out(engine: Engine, order: ReadingOrder, index: ChartIndex) -> Iterator[ReadPatients]:
    """Reads on `engine`; the work folder goes when it is done."""
    shutil.rmtree(order.work, ignore_errors=True)
    order.work.mkdir(mode=0o700)
    index.copy_to(order.index)
    try:
        with engine.ready(_prepare, order) as run:

            def read(patients: Iterable[str]) -> Iterator[PatientNotes]:
                for number in run(_read_shard, enumerate(_shards(patients))):
                    path = order.read(number)
                    yield from pickle.loads(path.read_bytes())  # noqa: S301  # our own worker's, in a folder of ours alone
                    path.unlink()

            yield read
    finally:
        shutil.rmtree(order.work, ignore_errors=True)


def _shards(patients: Iterable[str]) -> Iterator[tuple[str, ...]]:
    rest = iter(patients)
    while shard := tuple(islice(rest, PATIENTS_PER_SHARD)):
        yield shard


_tools: dict[str, Any] = {}
"""Of one process."""


def _prepare(order: ReadingOrder) -> None:
    _tools.clear()
    knowledge = read_knowledge()
    splitter = Splitter(key_of(order.key), order.shares)
    _tools["reader"] = order.reader(knowledge, MentionReader(knowledge), splitter)
    _tools["index"] = ChartIndex(order.index, read_only=True)
    _tools["order"] = order


def _read_shard(shard: tuple[int, tuple[str, ...]]) -> int:
    number, patients = shard
    found = (notes_of(patient, _tools["index"], _tools["reader"]) for patient in patients)
    read = [PatientNotes(one.patient, one.conditions, list(one.notes)) for one in found]
    write_whole(_tools["order"].read(number), pickle.dumps(read), safe=False)
    return number
