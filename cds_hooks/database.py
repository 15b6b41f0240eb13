"""SQL databases by URL: SQLite for one machine, PostgreSQL for several. Used by all that keeps rows.

Knows drivers and how long they may wait; no table.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.pool import StaticPool

from cds_hooks.settings import in_memory

_CONNECT_SECONDS = 3


def open_engine(url: str) -> Engine:
    """An engine for `url`, which never shows values in errors or logs."""
    if in_memory(url):
        return create_engine(url, hide_parameters=True, poolclass=StaticPool, connect_args={"check_same_thread": False})
    if not url.startswith("sqlite"):
        waits = (
            {"connect_timeout": _CONNECT_SECONDS, "tcp_user_timeout": 1000 * _CONNECT_SECONDS}
            if url.startswith("postgresql")
            else {}
        )
        return create_engine(
            url, hide_parameters=True, pool_pre_ping=True, pool_timeout=_CONNECT_SECONDS, connect_args=waits
        )
    if url.startswith("sqlite:///"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, hide_parameters=True, pool_pre_ping=True)
    event.listen(engine, "connect", _wait_for_locks)
    return engine


def _wait_for_locks(connection: Any, _: Any) -> None:
    """Several web processes may share one SQLite file: wait for each other, but no longer than a write may take."""
    connection.execute("PRAGMA busy_timeout=1500")
    connection.execute("PRAGMA journal_mode=WAL")
