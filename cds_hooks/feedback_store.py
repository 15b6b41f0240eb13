"""Keeps what clients report about cards, and which diagnoses each card showed, in a SQL database.

SQLite by default, PostgreSQL by URL. Append-only and idempotent: the same report twice is one row. Holds card and
suggestion uuids, codes and times; no patient, no user, no note. A comment is free text: it is kept only encrypted,
under the key of `feedback_key`; without a key it is left out and the row says so.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import JSON, DateTime, Engine, LargeBinary, String, create_engine, event, insert, inspect, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import StaticPool

from cds_hooks.build_cards import EXTENSION
from cds_hooks.card import Card
from cds_hooks.feedback import FeedbackItem
from cds_hooks.group_commit import GroupCommit
from cds_hooks.operation_outcome import Unavailable
from cds_hooks.settings import Settings

_NONCE_BYTES = 12
_GROUP_SECONDS = 0.2
"""Cards shown within this time are written in one transaction: a transaction for each cost more than its answer."""


class Base(DeclarativeBase):
    """The tables of this database."""


class ShownCard(Base):
    """A card as it was sent: what its feedback is about."""

    __tablename__ = "shown_card"

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    card: Mapped[str] = mapped_column(String(36), primary_key=True)
    service: Mapped[str] = mapped_column(String(64))
    shown: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    """Model version, diagnoses with codes and findings, suggestion uuids; no quotes, they are chart text."""


class ReportedOutcome(Base):
    """One report about one card. `digest` makes the same report twice one row."""

    __tablename__ = "feedback"

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    card: Mapped[str] = mapped_column(String(36), index=True)
    service: Mapped[str] = mapped_column(String(64))
    outcome: Mapped[str] = mapped_column(String(16))
    outcome_timestamp: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    received: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    accepted_suggestions: Mapped[list[str]] = mapped_column(JSON)
    reason_system: Mapped[str] = mapped_column(String(256))
    reason_code: Mapped[str] = mapped_column(String(256))
    comment: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Nonce and AES-256-GCM ciphertext, bound to tenant and digest; None = none given, or no key to keep it under."""
    comment_given: Mapped[bool]


class SqlFeedbackStore:
    """A FeedbackStore on SQLAlchemy. Its calls run in a thread, so that a slow disk never stalls the event loop."""

    def __init__(self, engine: Engine, *, key: bytes | None = None) -> None:
        """`key`: 32 bytes for comments, or None."""
        self._engine = engine
        self._cipher = AESGCM(key) if key else None
        self._digest_key = hmac.digest(key, b"dxspan feedback digest", "sha256") if key else None
        self._shown_cards = GroupCommit(self._write, seconds=_GROUP_SECONDS)
        Base.metadata.create_all(engine)

    async def record(self, tenant: str, service_id: str, items: Sequence[FeedbackItem], received: datetime) -> None:
        """Keeps `items`, each once. Raises Unavailable when the database cannot keep them."""
        rows = [self._row(tenant, service_id, item, received) for item in items]
        await self._write(rows)

    async def remember(self, tenant: str, service_id: str, cards: Sequence[Card], shown: datetime) -> None:
        """Keeps what was shown, a moment later. Raises Unavailable when the database cannot keep it."""
        await self._shown_cards.add([_shown(tenant, service_id, card, shown) for card in cards])

    async def ready(self) -> bool:
        try:
            await asyncio.to_thread(self._ask)
        except SQLAlchemyError:
            return False
        return True

    async def close(self) -> None:
        await asyncio.to_thread(self._engine.dispose)

    async def _write(self, rows: Sequence[Base]) -> None:
        try:
            if rows:
                await asyncio.to_thread(self._insert, rows)
        except SQLAlchemyError:
            # Without its cause: a database error quotes the values it could not write.
            raise Unavailable("Feedback cannot be kept at the moment; send it again.") from None

    def _insert(self, rows: Sequence[Base]) -> None:
        """`rows` are of one table."""
        try:
            self._insert_at_once(rows)
        except IntegrityError:
            for row in rows:
                with suppress(IntegrityError):  # already there: the same report or the same card
                    self._insert_at_once([row])

    def _insert_at_once(self, rows: Sequence[Base]) -> None:
        table = type(rows[0])
        columns = inspect(table).columns
        with self._engine.begin() as connection:
            connection.execute(insert(table), [{one.key: getattr(row, one.key) for one in columns} for row in rows])

    def _ask(self) -> None:
        with self._engine.connect() as connection:
            connection.execute(select(1))

    def _row(self, tenant: str, service_id: str, item: FeedbackItem, received: datetime) -> ReportedOutcome:
        reason = item.override_reason
        comment = reason.user_comment if reason else ""
        digest = self._digest(item, comment)
        return ReportedOutcome(
            tenant=tenant,
            digest=digest,
            card=str(item.card_uuid),
            service=service_id,
            outcome=item.outcome,
            outcome_timestamp=item.outcome_timestamp.astimezone(UTC),
            received=received,
            accepted_suggestions=[suggestion.id for suggestion in item.accepted_suggestions],
            reason_system=reason.reason.system if reason and reason.reason else "",
            reason_code=reason.reason.code if reason and reason.reason else "",
            comment=self._sealed(comment, f"{tenant} {digest}") if comment else None,
            comment_given=bool(comment),
        )

    def _digest(self, item: FeedbackItem, comment: str) -> str:
        """What makes two reports the same: all that the client said, not when it arrived.

        Keyed, so that nobody who reads the table can guess a comment and try; without a key the comment is not kept, and
        not counted either.
        """
        if self._digest_key:
            return hmac.new(self._digest_key, _utf8(item.model_dump_json()), "sha256").hexdigest()
        said = item.model_dump_json(exclude={"override_reason": {"user_comment"}}) + str(bool(comment))
        return hashlib.sha256(_utf8(said)).hexdigest()

    def _sealed(self, comment: str, bound_to: str) -> bytes | None:
        if self._cipher is None:
            return None
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, _utf8(comment), bound_to.encode())

    def comment_of(self, row: ReportedOutcome) -> str | None:
        """The comment in clear, for the training team; None when there is none or no key."""
        if row.comment is None or self._cipher is None:
            return None
        nonce, sealed = row.comment[:_NONCE_BYTES], row.comment[_NONCE_BYTES:]
        return self._cipher.decrypt(nonce, sealed, f"{row.tenant} {row.digest}".encode()).decode()


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def open_store(settings: Settings) -> SqlFeedbackStore:
    """The feedback store of a web process. Raises SQLAlchemyError when the database cannot be opened."""
    key = settings.feedback_key
    return SqlFeedbackStore(
        open_engine(settings.feedback_database_url.get_secret_value()),
        key=base64.b64decode(key.get_secret_value()) if key else None,
    )


def open_engine(url: str) -> Engine:
    """An engine for `url`, which never shows values in errors or logs."""
    if url in ("sqlite://", "sqlite:///:memory:"):
        return create_engine(url, hide_parameters=True, poolclass=StaticPool, connect_args={"check_same_thread": False})
    if url.startswith("sqlite:///"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, hide_parameters=True, pool_pre_ping=True)
    if url.startswith("sqlite"):
        event.listen(engine, "connect", _wait_for_locks)
    return engine


def _wait_for_locks(connection: Any, _: Any) -> None:
    """Several web processes may share one SQLite file: wait for each other rather than fail."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA busy_timeout=5000")


def _shown(tenant: str, service_id: str, card: Card, shown: datetime) -> ShownCard:
    assessment = (card.extension or {}).get(EXTENSION, {})
    content = {
        "modelVersion": assessment.get("modelVersion", ""),
        "evidenceHash": assessment.get("evidenceHash", ""),
        "suggestions": [str(suggestion.uuid) for suggestion in card.suggestions or ()],
        "diagnoses": [
            {"id": d["id"], "code": d["code"], "findings": [e["finding"] for e in d["for"]]}
            for d in assessment.get("diagnoses", ())
        ],
    }
    return ShownCard(tenant=tenant, card=str(card.uuid), service=service_id, shown=shown, content=content)
