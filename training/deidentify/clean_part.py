"""One part of an export through both passes: collected, then cleaned and put on the disk with what the leak test needs.

Input : a Part     Output: files in the work folder, whole or not there; the last one written says that the part is done
Runs in a process of its own; `Bench` is what such a process needs, made once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import orjson

from nlp_core.durable_files import write_whole
from training.deidentify.coded_fields import CodedFields
from training.deidentify.export_parts import Part, Rejection, resources_of
from training.deidentify.identifier_store import IdentifierStore
from training.deidentify.known_identifiers import KnownIdentifiers
from training.deidentify.notes import NoteCleaner, Person, nobody
from training.deidentify.readers import Reader, shipped_reader
from training.deidentify.recognizers import presidio
from training.deidentify.record_identifiers import Alias, Identifier, Link, Row, owner_handle, rows_of
from training.deidentify.surrogates import Surrogates
from training.deidentify.visit import Tally, Visit, Workshop
from training.deidentify.vocabulary import vocabulary

_PEOPLE_REMEMBERED = 500
_HANDLES_REMEMBERED = 50_000
_ROWS: dict[str, type[Row]] = {"Identifier": Identifier, "Link": Link, "Alias": Alias}


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run is, for its processes."""

    work: str
    key: bytes
    shifting: bool
    as_of: date
    with_presidio: bool = False
    reader: Reader = "head"

    @property
    def store(self) -> Path:
        return Path(self.work) / "identifiers.db"

    def rows(self, part: Part) -> Path:
        """What the first pass found in the part; gone when its store is there."""
        return Path(self.work) / "parts" / f"{part.number:06d}.rows"

    def output(self, part: Part) -> Path:
        return Path(self.work) / "parts" / f"{part.number:06d}.ndjson"

    def owners(self, part: Part) -> Path:
        """Line for line with the output: the line of the input, and whose the resources in it are."""
        return Path(self.work) / "parts" / f"{part.number:06d}.owners"

    def offsets(self, part: Part) -> Path:
        return Path(self.work) / "offsets" / f"{part.number:06d}.ndjson"

    def done(self, part: Part) -> Path:
        return Path(self.work) / "parts" / f"{part.number:06d}.done"


class Bench:
    """The tools of one process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._store = IdentifierStore(settings.store)
        self._surrogates = Surrogates(settings.key, vocabulary())
        self._fields = CodedFields()
        self._people: OrderedDict[str, Person] = OrderedDict()
        self._handles: dict[str, str] = {}
        other = presidio() if settings.with_presidio else None
        cleaner = NoteCleaner(self._surrogates, other, shipped_reader(settings.reader, vocabulary()))
        self._workshop = Workshop(
            self._surrogates, cleaner, self.person_of, self.owner_of, settings.shifting, settings.as_of
        )

    def person_of(self, owner: str) -> Person:
        """What the record knows of an owner; the last few hundred are remembered."""
        known = self._people.get(owner)
        if known is None:
            known = self._person(owner)
            self._people[owner] = known
            if len(self._people) > _PEOPLE_REMEMBERED:
                self._people.popitem(last=False)
        else:
            self._people.move_to_end(owner)
        return known

    def owner_of(self, resource: dict[str, Any]) -> str:
        """`Patient/<id>` where it is a patient's, by whatever name it calls the patient."""
        handle = owner_handle(resource)
        if handle.startswith("Patient/"):
            return handle
        own = f"{resource.get('resourceType')}/{resource.get('id')}"
        if handle == own and resource.get("resourceType") != "Binary":
            return own
        known = self._handles.get(handle)
        if known is None:
            if len(self._handles) > _HANDLES_REMEMBERED:
                self._handles.clear()
            known = self._handles[handle] = self._store.resolved(handle)
            if known.startswith("?") or "urn:" in known:
                known = self._handles[handle] = own
        return self._store.resolved(known) if known.startswith("urn:") else known

    def clean(self, part: Part) -> None:
        """Writes the part's files, unless they are there already."""
        if self.settings.done(part).exists():
            return
        tally, rejected = Tally(), []
        output, owners, offsets = bytearray(), bytearray(), bytearray()
        for line in resources_of(part):
            cleaned, visit, rejection = self._cleaned(line.resource, line.rejection, tally)
            if cleaned is None or visit is None:
                rejected.append([line.number, rejection])
                continue
            output += orjson.dumps(cleaned) + b"\n"
            owners += orjson.dumps([line.number, *sorted({visit.owner, *(one.owner for one in visit.inner)})]) + b"\n"
            offsets += b"".join(_offset_lines(visit))
        write_whole(self.settings.output(part), bytes(output), safe=False)
        write_whole(self.settings.owners(part), bytes(owners), safe=False)
        write_whole(self.settings.offsets(part), bytes(offsets), safe=False)
        write_whole(self.settings.done(part), orjson.dumps({**tally.plain(), "rejected": rejected}), safe=False)

    def _cleaned(
        self, resource: dict[str, Any] | None, rejection: Rejection | None, tally: Tally
    ) -> tuple[bytes | dict[str, Any] | None, Visit | None, Rejection | None]:
        if resource is None:
            return None, None, rejection
        if not self._fields.knows(resource["resourceType"]):
            return None, None, "a type that no rule knows"
        visit = Visit(self._workshop, tally, self.owner_of(resource), resource)
        try:
            return self._fields.clean(resource, visit), visit, None
        except RecursionError:
            return None, None, "nested too deeply"

    def _person(self, owner: str) -> Person:
        shift = self._surrogates.shift(owner) if self.settings.shifting else None
        known = self._store.known_of(owner)
        if not known and not owner.startswith("Patient/"):
            return nobody(shift)
        return Person(owner, KnownIdentifiers(known, vocabulary()), shift)


def collected(part: Part) -> tuple[list[Row], int]:
    """First pass: the rows of a part, each once, sorted by kind; and its resources."""
    found: set[Row] = set()
    count = 0
    for line in resources_of(part):
        if line.resource is not None:
            count += 1
            try:
                found.update(rows_of(line.resource))
            except RecursionError:
                continue  # the second pass rejects it by name
    return list(found), count


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """One a line: the name of its kind, then its fields."""
    lines = (orjson.dumps([type(row).__name__, *row]) for row in rows)
    write_whole(path, b"\n".join(lines), safe=False)


def read_rows(path: Path) -> Iterator[Row]:
    """What `write_rows` wrote."""
    with path.open("rb") as file:
        for line in file:
            name, *fields = orjson.loads(line)
            yield _ROWS[name](*fields)


def _offset_lines(visit: Visit) -> list[bytes]:
    """The way of the offsets, under the reference before and the one after."""
    lines: list[bytes] = []
    for one in (visit, *visit.inner):
        kind, own = one.resource.get("resourceType"), one.resource.get("id")
        after = f"{kind}/{one.workshop.surrogates.id(own)}" if isinstance(own, str) else f"{kind}/"
        lines.extend(orjson.dumps({"before": f"{kind}/{own}", "after": after, **spans}) + b"\n" for spans in one.spans)
    return lines
