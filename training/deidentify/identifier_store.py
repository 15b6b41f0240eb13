"""What the first pass found, on disk: who has which identifiers, so that memory stays flat however large the export.

Knows SQL and paths. The file holds identifiers in clear: it is readable to its owner alone and removed when a run is done.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from training.deidentify.kinds import Kind
from training.deidentify.known_identifiers import Known, is_number
from training.deidentify.record_identifiers import Alias, Identifier, Link, Row
from training.deidentify.text_folding import bare

_TABLES = """
    CREATE TABLE identifiers (owner TEXT, kind TEXT, value TEXT, staff INTEGER, bare TEXT,
        PRIMARY KEY (owner, kind, value, staff)) WITHOUT ROWID;
    CREATE TABLE links (patient TEXT, target TEXT, PRIMARY KEY (patient, target)) WITHOUT ROWID;
    CREATE TABLE aliases (alias TEXT PRIMARY KEY, target TEXT) WITHOUT ROWID;
"""
_OF_ALL = "CREATE INDEX bare ON identifiers (bare) WHERE bare != ''"
_RESOLVE = """
    INSERT OR IGNORE INTO identifiers SELECT target, kind, value, staff, bare FROM identifiers JOIN aliases ON owner = alias;
    INSERT OR IGNORE INTO links SELECT aliases.target, links.target FROM links JOIN aliases ON patient = alias;
"""
_LONGEST_CHAIN = 4
SHORTEST_UNIQUE = 7
"""Letters and digits of a number that is searched for in everybody's output, not in its owner's alone."""


class StoreWriter:
    """Collects rows under another name; `finish` puts the store in place."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = path.with_name(path.name + ".part")
        self._part.unlink(missing_ok=True)
        os.close(os.open(self._part, os.O_CREAT | os.O_WRONLY, 0o600))
        self._connection = sqlite3.connect(self._part)
        self._connection.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;" + _TABLES)

    def add(self, rows: Iterable[Row]) -> None:
        """Rows known already are passed over."""
        identifiers, links, aliases = [], [], []
        for row in rows:
            if isinstance(row, Identifier):
                identifiers.append((*row, _searched(row)))
            elif isinstance(row, Link):
                links.append(row)
            elif isinstance(row, Alias):
                aliases.append(row)
        with self._connection:
            self._connection.executemany("INSERT OR IGNORE INTO identifiers VALUES (?, ?, ?, ?, ?)", identifiers)
            self._connection.executemany("INSERT OR IGNORE INTO links VALUES (?, ?)", links)
            # The smallest target wins, whichever part comes first: two runs find the same.
            self._connection.executemany(
                "INSERT INTO aliases VALUES (?, ?) ON CONFLICT (alias) DO UPDATE SET target = min(target, excluded.target)",
                aliases,
            )

    def finish(self) -> None:
        """Rows of an alias become its target's too; the store is in place when this returns."""
        self._connection.executescript(_RESOLVE)
        self._connection.execute(_OF_ALL)
        self._connection.commit()
        self._connection.close()
        self._part.replace(self._path)


class IdentifierStore:
    """Reads the store; one per process."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)

    def resolved(self, handle: str) -> str:
        """Where an alias leads; the handle itself where it is none."""
        for _ in range(_LONGEST_CHAIN):
            row = self._connection.execute("SELECT target FROM aliases WHERE alias = ?", (handle,)).fetchone()
            if row is None or row[0] == handle:
                break
            handle = row[0]
        return handle

    def known_of(self, owner: str) -> list[Known]:
        """A patient's identifiers with those of the staff and facilities in the chart, sorted."""
        found = set(self._of(owner, staff=False))
        for (target,) in self._connection.execute("SELECT target FROM links WHERE patient = ?", (owner,)).fetchall():
            resolved = self.resolved(target)
            found.update(self._of(resolved, staff=True))
            for (further,) in self._connection.execute(
                "SELECT target FROM links WHERE patient = ?", (resolved,)
            ).fetchall():
                found.update(self._of(self.resolved(further), staff=True))
        return sorted(found)

    def births_of(self, owner: str) -> list[str]:
        """The full birth dates that the record has of a patient, as FHIR writes them."""
        return [one.value for one in self._of(owner, staff=False) if one.kind is Kind.DATE]

    def is_somebodys(self, number: str) -> str:
        """The kind of a number that belongs to anyone in the export, "" where it is nobody's. `number`: bare."""
        row = self._connection.execute("SELECT kind FROM identifiers WHERE bare = ? LIMIT 1", (number,)).fetchone()
        return row[0] if row else ""

    def _of(self, owner: str, *, staff: bool) -> Iterator[Known]:
        rows = self._connection.execute(
            "SELECT kind, value, staff FROM identifiers WHERE owner = ?", (owner,)
        ).fetchall()
        for kind, value, of_staff in rows:
            yield Known(Kind(kind), value, bool(of_staff) or staff)


def _searched(row: Identifier) -> str:
    """What the leak test looks for in everybody's output."""
    if row.kind in (Kind.NAME, Kind.PLACE, Kind.DATE):
        return ""
    number = bare(row.value)
    return number if len(number) >= SHORTEST_UNIQUE and is_number(number) else ""
