"""The audit trail in a SQL database: entries of all chains, how far each was taken over, and what stands for removed ones.

SQLite or PostgreSQL by URL. Entries are inserted and never changed: the database itself refuses the attempt, except to
remove what an anchor stands for (on PostgreSQL the operator revokes UPDATE and DELETE as well). Taking the same entries
over twice is once. Knows no key: bodies and seals are text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Engine, Integer, String, Text, delete, func, insert, inspect, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import BigInteger

from cds_hooks.audit.append_only import guard
from cds_hooks.audit.chain import Anchor, Entry, Head
from cds_hooks.database import make_tables

_ROWS_AT_ONCE = 500
_Number = BigInteger().with_variant(Integer(), "sqlite")


class Base(DeclarativeBase):
    """The tables of the audit trail."""


class EntryRow(Base):
    """One entry of one chain."""

    __tablename__ = "audit_entry"

    chain: Mapped[str] = mapped_column(String(64), primary_key=True)
    sequence: Mapped[int] = mapped_column(_Number, primary_key=True, autoincrement=False)
    previous: Mapped[str] = mapped_column(String(64))
    body: Mapped[str] = mapped_column(Text)
    hash: Mapped[str] = mapped_column(String(64))


class HeadRow(Base):
    """The last entry of one chain that was taken over: without it a cut end would look like the end."""

    __tablename__ = "audit_head"

    chain: Mapped[str] = mapped_column(String(64), primary_key=True)
    sequence: Mapped[int] = mapped_column(_Number)
    hash: Mapped[str] = mapped_column(String(64))


class AnchorRow(Base):
    """A beginning of one chain that was exported and removed; the last one of a chain counts."""

    __tablename__ = "audit_anchor"

    chain: Mapped[str] = mapped_column(String(64), primary_key=True)
    sequence: Mapped[int] = mapped_column(_Number, primary_key=True, autoincrement=False)
    hash: Mapped[str] = mapped_column(String(64))
    body: Mapped[str] = mapped_column(Text)
    seal: Mapped[str] = mapped_column(String(64))


guard(entries=EntryRow.__table__, anchors=AnchorRow.__table__)


class AuditStore:
    """Entries in SQL. Blocking: the web process calls it from a thread."""

    def __init__(self, engine: Engine) -> None:
        """See `made` and `existing`."""
        self._engine = engine

    @classmethod
    def made(cls, engine: Engine) -> AuditStore:
        """The trail in a database, to be added to; makes the tables where they are missing. Raises SQLAlchemyError."""
        make_tables(engine, Base.metadata)
        return cls(engine)

    @classmethod
    def existing(cls, engine: Engine) -> AuditStore | None:
        """The trail in a database, to be read; None where there is none. Raises SQLAlchemyError."""
        there = inspect(engine).get_table_names()
        return cls(engine) if {EntryRow.__tablename__, HeadRow.__tablename__} <= set(there) else None

    def add(self, entries: Sequence[Entry]) -> None:
        """Takes over `entries`, of one chain and in order, in one transaction. Raises SQLAlchemyError."""
        chain, head = entries[0].chain, entries[-1].head
        columns = ("chain", "sequence", "previous", "body", "hash")
        with self._engine.begin() as connection:
            newest = select(func.max(EntryRow.sequence)).where(EntryRow.chain == chain)
            removed = select(func.max(AnchorRow.sequence)).where(AnchorRow.chain == chain)
            there = connection.scalar(newest) or connection.scalar(removed) or 0
            rows = [{name: getattr(entry, name) for name in columns} for entry in entries if entry.sequence > there]
            if not rows:
                return
            connection.execute(insert(EntryRow), rows)
            changed = connection.execute(
                update(HeadRow).where(HeadRow.chain == chain).values(sequence=head.sequence, hash=head.hash)
            )
            if not changed.rowcount:
                connection.execute(insert(HeadRow), {"chain": chain, "sequence": head.sequence, "hash": head.hash})

    def chains(self) -> list[str]:
        """The names of all chains that have entries."""
        with self._engine.connect() as connection:
            return list(connection.scalars(select(EntryRow.chain).distinct().order_by(EntryRow.chain)))

    def holds(self, chain: str) -> bool:
        """True when there is an entry of `chain`."""
        with self._engine.connect() as connection:
            return connection.scalar(select(EntryRow.sequence).where(EntryRow.chain == chain).limit(1)) is not None

    def count(self) -> int:
        """Entries of all chains."""
        with self._engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(EntryRow)) or 0

    def heads(self) -> dict[str, Head]:
        """How far each chain was taken over."""
        with self._engine.connect() as connection:
            return {row.chain: Head(row.sequence, row.hash) for row in connection.execute(select(HeadRow.__table__))}

    def anchors(self) -> dict[str, Anchor]:
        """What stands for the removed beginning of each chain that has lost one."""
        if AnchorRow.__tablename__ not in inspect(self._engine).get_table_names():  # made before there were any
            return {}
        ordered = select(AnchorRow.__table__).order_by(AnchorRow.sequence)
        with self._engine.connect() as connection:
            return {
                row.chain: Anchor(row.chain, row.sequence, row.hash, row.body, row.seal)
                for row in connection.execute(ordered)
            }

    def remove(self, anchor: Anchor) -> int:
        """Puts `anchor` in the place of the entries it stands for, in one transaction; how many went."""
        columns = ("chain", "sequence", "hash", "body", "seal")
        make_tables(self._engine, Base.metadata)  # this one is younger than the others
        with self._engine.begin() as connection:
            connection.execute(insert(AnchorRow), {name: getattr(anchor, name) for name in columns})
            gone = delete(EntryRow).where(EntryRow.chain == anchor.chain, EntryRow.sequence <= anchor.sequence)
            return connection.execute(gone).rowcount

    def entries(self, chain: str) -> Iterator[Entry]:
        """The entries of one chain in the order of their numbers, few in memory at a time."""
        table = EntryRow.__table__
        ordered = select(table).where(table.c.chain == chain).order_by(table.c.sequence)
        with self._engine.connect() as connection:
            for row in connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(ordered):
                yield Entry(row.chain, row.sequence, row.previous, row.body, row.hash)

    def close(self) -> None:
        self._engine.dispose()
