"""SQL databases by URL: SQLite for one machine, PostgreSQL for several. Used by all that keeps rows.

Knows drivers and how long they may wait; no table.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, MetaData, create_engine, event, text
from sqlalchemy.pool import QueuePool

from cds_hooks.settings import in_memory

_CONNECT_SECONDS = 3
_LOCK_MILLISECONDS = 1500
_LOCK_TRY_SECONDS = 0.01
_MAKING_TABLES = 0x6478_7370
"""PostgreSQL's advisory lock that a process holds while it makes tables; any number that is always the same."""


def open_engine(url: str) -> Engine:
    """An engine for `url`, which never shows values in errors or logs."""
    if in_memory(url):
        return _one_connection(url)
    if not url.startswith("sqlite"):
        waits = (
            {"connect_timeout": _CONNECT_SECONDS, "tcp_user_timeout": 1000 * _CONNECT_SECONDS}
            if url.startswith("postgresql")
            else {}
        )
        engine = create_engine(
            url, hide_parameters=True, pool_pre_ping=True, pool_timeout=_CONNECT_SECONDS, connect_args=waits
        )
        if engine.dialect.name == "postgresql":
            event.listen(engine, "connect", _bound_waits_for_locks)
        return engine
    if url.startswith("sqlite:///"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, hide_parameters=True, pool_pre_ping=True)
    event.listen(engine, "connect", _wait_for_locks)
    return engine


def _one_connection(url: str) -> Engine:
    """A database in memory ends with its connection, so all threads take turns at one.

    Two at once in one SQLite connection would end each other's transactions, and the connection itself on an error.
    """
    return create_engine(
        url,
        hide_parameters=True,
        poolclass=QueuePool,
        pool_size=1,
        max_overflow=0,
        pool_timeout=_CONNECT_SECONDS,
        connect_args={"check_same_thread": False},
    )


def make_tables(engine: Engine, tables: MetaData) -> None:
    """Makes those of `tables` that are missing, though several processes start at once. Raises SQLAlchemyError."""
    with engine.begin() as connection:
        # One at a time: of two that find a table missing the second one would fail.
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _MAKING_TABLES})
        elif engine.dialect.name == "sqlite":
            connection.execute(text("BEGIN IMMEDIATE"))
        tables.create_all(connection)


def _wait_for_locks(connection: Any, _: Any) -> None:
    """Several web processes may share one SQLite file: wait for each other, but no longer than a write may take."""
    connection.execute(f"PRAGMA busy_timeout={_LOCK_MILLISECONDS}")
    _keep_a_log_of_writes(connection)


def _keep_a_log_of_writes(connection: Any) -> None:
    """Turns on SQLite's write-ahead log, so that readers and a writer do not stop each other; the file remembers it.

    Of several processes that turn it on in an empty file at once, SQLite fails all but one at once without waiting:
    its busy timeout does not hold here.
    """
    last = time.monotonic() + _LOCK_MILLISECONDS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > last:
                raise
            time.sleep(_LOCK_TRY_SECONDS)


def _bound_waits_for_locks(connection: Any, _: Any) -> None:
    """PostgreSQL waits for a lock for ever unless it is told; said by a statement, as a pooler in between refuses options."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = {_LOCK_MILLISECONDS}")
    connection.commit()
