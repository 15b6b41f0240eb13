"""An audit trail of a test's own, and what an operator does with it."""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from cds_hooks.audit import command as audit_command

KEY = base64.b64encode(b"k" * 32).decode()
OTHER_KEY = base64.b64encode(b"o" * 32).decode()


@dataclass
class Audited:
    """Where a trail is kept and under which key."""

    path: Path
    key: str | None = KEY
    url: str | None = None
    """Of the database; None = the file `database`."""

    @property
    def database(self) -> Path:
        return self.path / "audit.db"

    @property
    def folder(self) -> Path:
        return self.path / "audit"

    @property
    def settings(self) -> dict[str, Any]:
        """For `serve`."""
        known = {"audit_database_url": self.url or f"sqlite:///{self.database}", "audit_folder": self.folder}
        return known | ({"audit_key": self.key} if self.key else {})

    @property
    def environment(self) -> dict[str, str]:
        return {f"DXSPAN_{name.upper()}": str(value) for name, value in self.settings.items()}

    def run(self, *arguments: str) -> int:
        """`dxspan-audit` with these settings; its exit status."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in {"DXSPAN_AUDIT_KEY": "", **self.environment}.items():
                patch.setenv(name, value) if value else patch.delenv(name, raising=False)
            return audit_command.main(arguments)

    def events(self, *options: str, whole: bool = True) -> list[dict[str, Any]]:
        """What `dxspan-audit export` writes."""
        out = self.path / "events.ndjson"
        assert self.run("export", "--out", str(out), *options) == (0 if whole else 1)
        return [orjson.loads(line) for line in out.read_bytes().splitlines()]

    def delivered(self) -> int:
        """Entries in the database."""
        if not self.database.exists():
            return 0
        with self.sql() as sql:
            tables = sql.execute("SELECT count(*) FROM sqlite_master WHERE name = 'audit_entry'").fetchone()[0]
            return sql.execute("SELECT count(*) FROM audit_entry").fetchone()[0] if tables else 0

    @contextmanager
    def sql(self) -> Iterator[sqlite3.Connection]:
        """The database as someone with every right on it has it."""
        connection = sqlite3.connect(self.database, timeout=10)
        try:
            yield connection
            connection.commit()
        finally:
            connection.close()


def details(event: dict[str, Any]) -> dict[str, list[str]]:
    """Everything an event says by name."""
    said: dict[str, list[str]] = {}
    for entity in event["entity"]:
        for detail in entity.get("detail", ()):
            said.setdefault(detail["type"], []).append(detail["valueString"])
    return said
