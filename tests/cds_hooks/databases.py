"""A database of a test's own, SQLite or PostgreSQL, and what somebody with every right on it does and sees."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, NullPool, create_engine, inspect, text


@dataclass(frozen=True)
class Database:
    """By its URL, as the settings have it."""

    url: str

    @property
    def postgresql(self) -> bool:
        return self.url.startswith("postgresql")

    def sql(self, *statements: str) -> list[tuple[Any, ...]]:
        """The rows of the last statement."""
        rows: list[tuple[Any, ...]] = []
        with self._connected() as connection:
            for statement in statements:
                answer = connection.execute(text(statement))
                rows = [tuple(row) for row in answer] if answer.returns_rows else []
        return rows

    def count(self, table: str) -> int:
        """0 where there is no such table yet."""
        with self._connected() as connection:
            if table not in inspect(connection).get_table_names():
                return 0
            return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())

    def content(self) -> bytes:
        """All that is kept: the files of SQLite, the values of every row of PostgreSQL."""
        if not self.postgresql:
            file = Path(self.url.removeprefix("sqlite:///"))
            return b"".join(path.read_bytes() for path in file.parent.iterdir() if path.name.startswith(file.name))
        with self._connected() as connection:
            values = [
                value
                for table in inspect(connection).get_table_names()
                for row in connection.execute(text(f'SELECT * FROM "{table}"'))
                for value in row
            ]
        assert values
        return b"\n".join(bytes(one) if isinstance(one, bytes | memoryview) else repr(one).encode() for one in values)

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        engine = create_engine(self.url, poolclass=NullPool)
        with engine.begin() as connection:
            yield connection
