"""The tables of the feedback database. Rows are added, never changed, and go when they are old; what follows from them is
computed when asked.

Knows SQLAlchemy's types, not who reads or writes. Columns are those of feedback_rows. A table that exists keeps its
columns: what is new gets a table of its own.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Index, LargeBinary, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


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


class SuggestedDiagnosis(Base):
    """One diagnosis on one shown card: to which patient, to whom, in which encounter (all marks), on what evidence."""

    __tablename__ = "suggested_diagnosis"
    __table_args__ = (
        Index("suggested_to_patient", "tenant", "patient"),
        Index("suggested_since", "shown", "tenant", "diagnosis"),
    )

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    card: Mapped[str] = mapped_column(String(36), primary_key=True)
    diagnosis: Mapped[str] = mapped_column(String(128), primary_key=True)
    patient: Mapped[str] = mapped_column(String(64))
    user: Mapped[str] = mapped_column(String(64))
    encounter: Mapped[str] = mapped_column(String(64))
    """Empty where the call named none."""
    suggestion: Mapped[str] = mapped_column(String(36))
    """Uuid of its suggestion on the card; empty where none was offered."""
    evidence: Mapped[str] = mapped_column(String(64))
    findings: Mapped[list[str]] = mapped_column(JSON)
    floor: Mapped[float]
    shown: Mapped[datetime] = mapped_column(DateTime(timezone=True))


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
    """One of our override reasons, `other`, or empty; so the system."""
    comment: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Nonce and AES-256-GCM ciphertext, bound to tenant and digest; None = none given, or no key to keep it under."""
    comment_given: Mapped[bool]


class OtherReason(Base):
    """The reason of one report that is not one of ours; kept only where there is a key."""

    __tablename__ = "other_reason"

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    received: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    coding: Mapped[bytes] = mapped_column(LargeBinary)
    """`system|code|display`, sealed as the comment is."""


class ListedProblem(Base):
    """An accepted diagnosis was seen on the problem list of its patient (a mark)."""

    __tablename__ = "listed_problem"

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    patient: Mapped[str] = mapped_column(String(64), primary_key=True)
    diagnosis: Mapped[str] = mapped_column(String(128), primary_key=True)
    seen: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)


class ComparedAnswer(Base):
    """What one model made of one chart (a mark): kept for `shadow_days`, the only rows that are ever deleted.

    Columns are those of compared_answer.
    """

    __tablename__ = "compared_answer"
    __table_args__ = (Index("compared_since", "answered"),)

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    answer: Mapped[str] = mapped_column(String(64), primary_key=True)
    chart: Mapped[str] = mapped_column(String(64))
    model_version: Mapped[str] = mapped_column(String(128))
    seen: Mapped[str] = mapped_column(String(16))
    """`shown` or `shadow`."""
    reason: Mapped[str] = mapped_column(String(64))
    diagnoses: Mapped[list[str]] = mapped_column(JSON)
    answered: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class CountedHour(Base):
    """How many readings of one hour fell into which class, of one process and model: numbers alone."""

    __tablename__ = "counted_readings"
    __table_args__ = (Index("counted_since", "hour"),)

    process: Mapped[str] = mapped_column(String(32), primary_key=True)
    hour: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    model_version: Mapped[str] = mapped_column(String(128), primary_key=True)
    counts: Mapped[dict[str, Any]] = mapped_column(JSON)


class MarkingKey(Base):
    """The random key of marks where the operator gave none (`feedback_key`): one row. See patient_marks."""

    __tablename__ = "marking_key"

    number: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[bytes] = mapped_column(LargeBinary)


AGES = (ShownCard.shown, SuggestedDiagnosis.shown, ReportedOutcome.received, OtherReason.received, ListedProblem.seen)
"""What a row's age is told by, of each table whose rows grow old."""
