"""Where in the files each patient's notes, diagnoses and facts are: an index on disk, whatever the export's size.

Knows SQLite and FHIR references. Holds places (file, offset, size), dates and diagnoses; no text of a note ever comes in.
A killed run goes on behind the last rows that were kept. Of two rows of one resource the later one counts.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from nlp_core.chart import Problem
from nlp_core.fhir_fields import Json, item, items, reference_to, resource_id, resource_type
from nlp_core.fhir_references import References
from nlp_core.fhir_selection import DOCUMENTS
from training.ndjson_rows import Row
from training.prepare.chart_dates import (
    ChartDate,
    chart_date,
    date_of_document,
    date_of_encounter,
    date_of_end,
    date_of_recording,
)
from training.prepare.coded_labels import CodedLabels, Label, giveaways, problem_in

_FACTS = frozenset(
    {
        "Observation",
        "MedicationRequest",
        "MedicationStatement",
        "AllergyIntolerance",
        "Procedure",
        "FamilyMemberHistory",
    }
)
MOST_FACTS = 500
"""Coded facts of one encounter that findings are read from."""
_SCHEMA = """
create table if not exists files (name text primary key, mark text, offset integer, line integer, done integer);
create table if not exists bad_rows (file text, line integer, reason text);
create table if not exists places (
    reference text primary key, kind text, patient text, encounter text, moment real,
    file text, offset integer, size integer, date text
) without rowid;
create index if not exists by_patient on places (kind, patient, moment);
create index if not exists by_encounter on places (encounter, kind);
create table if not exists conditions (reference text primary key, labels text, said text, ended text) without rowid;
create table if not exists texts (digest blob primary key, patient text) without rowid;
create table if not exists state (name text primary key, value text) without rowid;
"""


@dataclass(frozen=True, slots=True)
class Place:
    """One resource of the export."""

    reference: str
    patient: str
    encounter: str
    file: str
    offset: int
    size: int
    date: ChartDate | None


@dataclass(frozen=True, slots=True)
class CodedCondition:
    """A Condition with the diagnoses it means."""

    reference: str
    encounter: str
    recorded: ChartDate | None
    labels: tuple[Label, ...]
    said: tuple[str, ...]
    ended: ChartDate | None = None


class ChartIndex:
    """One index; blocking, one writer."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """read_only: of a copy that nobody writes to, on any file system. Raises ValueError for a file that is no index."""
        try:
            if read_only:
                self.database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
            else:
                self.database = sqlite3.connect(path)
                self.database.execute("pragma journal_mode = wal")
                self.database.execute("pragma synchronous = normal")
                self.database.executescript(_SCHEMA)
        except sqlite3.DatabaseError:
            raise ValueError(f"{path} is no index of ours; delete it") from None
        self._references = References()

    def add(self, row: Row, file: str, labels: CodedLabels) -> str | None:
        """Takes one row; returns a fixed word for one that is left out though its type is of use."""
        kind = resource_type(row.resource)
        if kind not in DOCUMENTS | _FACTS | {"Patient", "Encounter", "Condition", "Binary"}:
            return None
        if not resource_id(row.resource):
            return "no-id"
        patient = "" if kind == "Binary" else self._patient(row.resource, kind)
        if not patient and kind != "Binary":
            return "no-patient"
        if kind == "Condition":
            problem = problem_in(row.resource)
            if problem is None:
                return "no-code"
            self._add_condition(row.resource, problem, labels)
        date = _date_of(row.resource, kind)
        self._place(row, kind, patient, self._encounter(row.resource, kind), file, date)
        return None

    def delete(self, reference: str) -> None:
        """Forgets a resource that the server says is deleted."""
        self.database.execute("delete from places where reference = ?", (reference,))

    def begun(self, file: str, mark: str) -> tuple[int, int] | None:
        """(offset, lines) up to which a file is taken; None when all of it is. Another `mark`: from the start."""
        found = self.database.execute("select mark, offset, line, done from files where name = ?", (file,)).fetchone()
        if found is None or found[0] != mark:
            self.database.execute("delete from bad_rows where file = ?", (file,))
            return 0, 0
        return None if found[3] else (found[1], found[2])

    def keep(self, file: str, mark: str, offset: int, line: int, *, done: bool) -> None:
        """Notes how far a file is taken, and puts everything since the last call on the disk."""
        self.database.execute("insert or replace into files values (?, ?, ?, ?, ?)", (file, mark, offset, line, done))
        self.database.commit()

    def note_bad(self, file: str, line: int, reason: str) -> None:
        self.database.execute("insert into bad_rows values (?, ?, ?)", (file, line, reason))

    def bad_rows(self) -> Iterator[tuple[str, int, str]]:
        yield from self.database.execute("select file, line, reason from bad_rows order by file, line")

    def count(self, *kinds: str) -> int:
        marks = ", ".join("?" * len(kinds))
        found = self.database.execute(f"select count(*) from places where kind in ({marks})", kinds)  # noqa: S608  # marks alone
        return int(found.fetchone()[0])

    def patients(self, after: str) -> Iterator[str]:
        """Those with documents, by id, behind `after`; one query each, so that writing may go on between."""
        query = "select min(patient) from places where kind = 'document' and patient > ?"
        while (found := self.database.execute(query, (after,)).fetchone()[0]) is not None:
            after = found
            yield after

    def documents(self, patient: str) -> Iterator[Place]:
        """Oldest first, undated ones last."""
        yield from self._found("kind = 'document' and patient = ? order by moment is null, moment, reference", patient)

    def conditions(self, patient: str) -> list[CodedCondition]:
        """All that mean a diagnosis of the knowledge; what has no date of its own was recorded in its encounter."""
        query = (
            "select c.reference, c.encounter, coalesce(nullif(c.date, ''), e.date, ''), labels, said, ended"
            " from places c join conditions k on k.reference = c.reference left join places e on e.reference = c.encounter"
            " where c.kind = 'Condition' and c.patient = ? and labels <> '[]'"
        )
        return [
            CodedCondition(
                reference, encounter, _date(date), tuple(Label(**one) for one in json.loads(labels)),
                tuple(json.loads(said)), _date(ended),
            )
            for reference, encounter, date, labels, said, ended in self.database.execute(query, (patient,))
        ]  # fmt: skip

    def around(self, document: Place) -> list[Place]:
        """Patient, encounter, and the coded facts and Conditions of the encounter."""
        found = [*self._found("reference = ?", f"Patient/{document.patient}")]
        if document.encounter:
            found += self._found("reference = ?", document.encounter)
            where = "encounter = ? and kind in ('fact', 'Condition') and patient = ? order by reference limit ?"
            found += self._found(where, document.encounter, document.patient, MOST_FACTS)
        return found

    def place(self, reference: str) -> Place | None:
        return next(self._found("reference = ?", reference), None)

    def is_new_text(self, digest: bytes, patient: str) -> str | None:
        """None for a text never seen, else the patient who had it first."""
        found = self.database.execute("select patient from texts where digest = ?", (digest,)).fetchone()
        if found is None:
            self.database.execute("insert into texts values (?, ?)", (digest, patient))
        return str(found[0]) if found else None

    def state(self, name: str) -> str:
        found = self.database.execute("select value from state where name = ?", (name,)).fetchone()
        return str(found[0]) if found else ""

    def set_state(self, name: str, value: str) -> None:
        self.database.execute("insert or replace into state values (?, ?)", (name, value))

    def copy_to(self, path: Path) -> None:
        """The whole index as one file for those who only read; takes seconds for a million rows."""
        self.database.commit()
        self.database.execute("vacuum into ?", (str(path),))
        path.chmod(0o600)

    def close(self) -> None:
        self.database.close()

    def _found(self, where: str, *values: object) -> Iterator[Place]:
        query = f"select reference, patient, encounter, file, offset, size, date from places where {where}"  # noqa: S608  # ours
        for reference, patient, encounter, file, offset, size, date in self.database.execute(query, values).fetchall():
            yield Place(reference, patient, encounter, file, offset, size, _date(date))

    def _patient(self, resource: Json, kind: str) -> str:
        if kind == "Patient":
            return resource_id(resource)
        handle = self._references.handle(resource.get("subject") or resource.get("patient"))
        return handle.removeprefix("urn:uuid:").removeprefix("Patient/") if _names_patient(handle) else ""

    def _encounter(self, resource: Json, kind: str) -> str:
        if kind in ("Encounter", "Patient", "Binary"):
            return ""
        context = item(resource.get("context"))  # R5 lists encounters there, STU3 names the one
        named = [resource.get("encounter"), *items(context.get("encounter")), context, *items(resource.get("context"))]
        handles = (self._references.handle(one) for one in named if one)
        return next((one for one in map(_as_encounter, handles) if one), "")

    def _place(self, row: Row, kind: str, patient: str, encounter: str, file: str, date: ChartDate | None) -> None:
        group = "document" if kind in DOCUMENTS else "fact" if kind in _FACTS else kind
        self.database.execute(
            "insert or replace into places values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                reference_to(row.resource), group, patient, encounter, date.moment.timestamp() if date else None,
                file, row.offset, row.size, date.text if date else "",
            ),
        )  # fmt: skip

    def _add_condition(self, resource: Json, problem: Problem, labels: CodedLabels) -> None:
        found = labels.labels(problem)
        ended = date_of_end(resource)
        written = json.dumps([asdict(label) for label in found]), json.dumps(giveaways(problem) if found else [])
        self.database.execute(
            "insert or replace into conditions values (?, ?, ?, ?)",
            (reference_to(resource), *written, ended.text if ended else ""),
        )


def _date_of(resource: Json, kind: str) -> ChartDate | None:
    if kind in DOCUMENTS:
        return date_of_document(resource)
    if kind == "Condition":
        return date_of_recording(resource)
    return date_of_encounter(resource) if kind == "Encounter" else None


def _date(text: str) -> ChartDate | None:
    return chart_date(text) if text else None


def _names_patient(handle: str) -> bool:
    return handle.startswith(("Patient/", "urn:uuid:"))


def _as_encounter(handle: str) -> str:
    if handle.startswith("urn:uuid:"):
        return f"Encounter/{handle[9:]}"
    return handle if handle.startswith("Encounter/") else ""


def binaries_of(resource: Json) -> Sequence[str]:
    """`Binary/<id>` for each attachment that lies in one."""
    attachments = [item(content.get("attachment")) for content in items(resource.get("content"))]
    handles = (References().handle(str(entry.get("url"))) for entry in attachments if entry.get("url"))
    return [handle for handle in handles if handle.startswith("Binary/")]
