"""The SQL database of feedback: rows in, and what is remembered of a patient out.

SQLite by default, PostgreSQL by URL. Append-only, but for
compared answers, and idempotent: the same row twice is one. Blocking work runs in a few
threads of its own, so that a database that hangs takes no thread from anything else. Knows tables and queries; what
the rows mean is suppression's and acceptance's business.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, TypeVar

from sqlalchemy import DateTime, Engine, LargeBinary, Table, delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from cds_hooks.database import make_tables, open_engine
from cds_hooks.memory.acceptance import Acceptance
from cds_hooks.memory.counted_queries import populations
from cds_hooks.memory.counted_readings import Populations
from cds_hooks.memory.feedback import FEEDBACK_AWAY
from cds_hooks.memory.feedback_rows import Row
from cds_hooks.memory.feedback_tables import AGES, Base, ComparedAnswer, MarkingKey
from cds_hooks.memory.patient_marks import OccasionMarks
from cds_hooks.memory.recall_queries import (
    LISTED,
    SHOWINGS,
    acceptance_query,
    remembered,
    unknown_cards_query,
)
from cds_hooks.memory.suggestion_memory import Showing
from cds_hooks.operation_outcome import CannotKeep, Unavailable
from cds_hooks.settings import Settings
from cds_hooks.watch import UNKNOWN_CARDS
from worker.payloads import KEY_BYTES

ResultT = TypeVar("ResultT")

_THREADS = 4
MOST_COMPARED = 1_000_000
"""Compared answers kept, of all tenants: some hundred megabytes."""


class SqlFeedbackStore:
    """Rows on SQLAlchemy."""

    def __init__(self, engine: Engine) -> None:
        """Creates the tables that are missing. Raises SQLAlchemyError when the database does not answer."""
        self._engine = engine
        adding = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
        self._adding = {name: adding(table).on_conflict_do_nothing() for name, table in Base.metadata.tables.items()}
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="feedback")
        make_tables(engine, Base.metadata)

    async def write(self, rows: Sequence[Row]) -> None:
        """Adds `rows`, each once. Raises Unavailable, or CannotKeep."""
        await self._in_thread(lambda: self._insert(rows))

    async def recall(self, tenant: str, marks: OccasionMarks) -> tuple[Showing, ...]:
        """What was shown of a patient and reported, or shown to this user. Raises Unavailable."""
        return await self._in_thread(lambda: self._remembered(tenant, marks))

    async def acceptance(self, since: datetime) -> list[Acceptance]:
        """How often each diagnosis was shown and accepted since then, by tenant. Raises Unavailable."""
        return await self._in_thread(lambda: self._counted(since))

    async def populations(self, model_version: str, now: datetime) -> Populations:
        """The readings of all processes that are to be compared now. Raises Unavailable."""
        return await self._in_thread(lambda: self._populations(model_version, now))

    async def forget(self, before: datetime) -> None:
        """Removes what was shown, reported or seen on a problem list before then. Raises Unavailable."""
        await self._in_thread(lambda: self._remove(before))

    async def forget_compared(self, before: datetime) -> None:
        """Deletes the compared answers given before then, and the oldest beyond MOST_COMPARED. Raises Unavailable."""
        await self._in_thread(lambda: self._forget_compared(before))

    async def marking_key(self) -> bytes:
        """The random key that this database has for marks; made when there is none. Raises Unavailable."""
        return await self._in_thread(self._key)

    async def ready(self) -> bool:
        try:
            await self._in_thread(self._ask)
        except Unavailable:
            return False
        return True

    async def close(self) -> None:
        await asyncio.to_thread(self._engine.dispose)
        self._threads.shutdown(wait=False)

    async def _in_thread(self, work: Callable[[], ResultT]) -> ResultT:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except DataError:
            raise CannotKeep("the database refuses a value") from None
        except SQLAlchemyError:
            # Without its cause: a database error quotes the values it could not write.
            raise Unavailable(FEEDBACK_AWAY) from None

    def _insert(self, rows: Sequence[Row]) -> None:
        """What is there already is left as it is: the same report, or the same card."""
        with self._engine.begin() as connection:
            for name, of_one_table in groupby(sorted(rows, key=lambda row: row.table), key=lambda row: row.table):
                table = Base.metadata.tables[name]
                connection.execute(self._adding[name], [_typed(table, row.values) for row in of_one_table])

    def _remembered(self, tenant: str, marks: OccasionMarks) -> tuple[Showing, ...]:
        with self._engine.connect() as connection:
            patient = {"tenant": tenant, "patient": marks.patient}
            found = connection.execute(SHOWINGS, {**patient, "user": marks.user}).all()
            listed = connection.execute(LISTED, patient).all() if found else ()
        return remembered(found, {row.diagnosis: row.seen for row in listed}, marks)

    def _counted(self, since: datetime) -> list[Acceptance]:
        with self._engine.connect() as connection:
            counts = [Acceptance(*row) for row in connection.execute(acceptance_query(since))]
            UNKNOWN_CARDS.set(connection.execute(unknown_cards_query(since)).scalar_one())
        return counts

    def _populations(self, model_version: str, now: datetime) -> Populations:
        with self._engine.connect() as connection:
            return populations(connection, model_version, now)

    def _remove(self, before: datetime) -> None:
        for moment in AGES:
            with self._engine.begin() as connection:
                connection.execute(delete(moment.class_).where(moment < before))

    def _forget_compared(self, before: datetime) -> None:
        beyond = select(ComparedAnswer.answered).order_by(ComparedAnswer.answered.desc()).offset(MOST_COMPARED).limit(1)
        with self._engine.begin() as connection:
            newest_beyond = connection.execute(beyond).scalar()
            connection.execute(delete(ComparedAnswer).where(ComparedAnswer.answered < before))
            if newest_beyond is not None:
                connection.execute(delete(ComparedAnswer).where(ComparedAnswer.answered <= newest_beyond))

    def _key(self) -> bytes:
        with suppress(IntegrityError), self._engine.begin() as connection:
            if connection.execute(select(MarkingKey.key)).first() is None:
                connection.execute(insert(MarkingKey).values(number=1, key=secrets.token_bytes(KEY_BYTES)))
        with self._engine.connect() as connection:
            return connection.execute(select(MarkingKey.key)).scalar_one()

    def _ask(self) -> None:
        with self._engine.connect() as connection:
            connection.execute(select(1))


def _typed(table: Table, values: dict[str, Any]) -> dict[str, Any]:
    return dict(_typed_values(table, values))


def _typed_values(table: Table, values: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        kind = table.columns[name].type
        if isinstance(kind, DateTime):
            yield name, datetime.fromisoformat(value).astimezone(UTC)
        elif isinstance(kind, LargeBinary) and value is not None:
            yield name, base64.b64decode(value)
        else:
            yield name, value


def open_store(settings: Settings) -> SqlFeedbackStore:
    """The database of a web process. Raises SQLAlchemyError or OSError when it cannot be opened."""
    return SqlFeedbackStore(open_engine(settings.feedback_database_url.get_secret_value()))
