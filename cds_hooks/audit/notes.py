"""What the request under way is about, noted by whoever learns it: the audit trail writes it down at the end.

Knows no place to keep it and no FHIR. The notes travel in a context variable, as a security event is found where no
request object is; a task started meanwhile sees the same notes. Holds no chart text, no token, no free text of a
caller; the references in `Who` are kept encrypted only.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID, uuid4

Kind = Literal["hook-call", "feedback", "discovery", "view", "notification"]


@dataclass(frozen=True, slots=True)
class Who:
    """Whom a request was about and who sent it. The ids are of the client's FHIR server."""

    patient: str = ""
    """`Patient/...`"""
    user: str = ""
    """`Practitioner/7`, `PractitionerRole/7`, `Patient/7` or `RelatedPerson/7`."""
    encounter: str = ""
    """`Encounter/...`"""
    address: str = ""
    """Network address the request came from."""


@dataclass(frozen=True, slots=True)
class Computed:
    """What one call had computed and what it was shown."""

    event: UUID
    """Id of the audit event of the request that made it: a repeated call is answered with the same."""
    state: str
    """`answered`, `silent` or `degraded`; `reason` says why."""
    reason: str = ""
    model_version: str = ""
    knowledge_version: str = ""
    considered: tuple[str, ...] = ()
    """Ids of all candidate diagnoses, best first."""
    shown: tuple[str, ...] = ()
    """Ids of the diagnoses on the cards."""
    cards: tuple[str, ...] = ()
    """Uuids of the cards."""
    evidence_hash: str = ""
    """Of what the card rests on (build_cards.evidence_hash)."""
    notes_read: int = 0
    unread: int = 0
    """Entries of the chart that were not read."""


@dataclass(slots=True)
class AuditNotes:
    """The notes of one request."""

    id: UUID = field(default_factory=uuid4)
    kind: Kind | None = None
    """None for what needs no record: health, metrics, pages."""
    tenant: str = ""
    issuer: str = ""
    """Whose token it was, after it was checked; empty where none is asked for."""
    service: str = ""
    """Id of a service that exists."""
    hook_instance: str = ""
    who: Who = field(default_factory=Who)
    security: list[str] = field(default_factory=list)
    """Kinds of security events, see security_events."""
    refusal: str = ""
    """Why it was refused, in our own words."""
    computed: Computed | None = None
    reported: list[tuple[str, str]] = field(default_factory=list)
    """Feedback: card uuid and outcome of each item."""


_current: ContextVar[AuditNotes | None] = ContextVar("dxspan_audit_notes", default=None)


def begin_notes() -> AuditNotes:
    """Fresh notes for the request that is handled from here on."""
    notes = AuditNotes()
    _current.set(notes)
    return notes


def audit_notes() -> AuditNotes:
    """The notes of the request under way; outside of one, notes that nobody reads."""
    return _current.get() or AuditNotes()
