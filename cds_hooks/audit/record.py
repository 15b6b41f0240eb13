"""One request as the audit trail keeps it: fixed words, ids, counts, and whom it was about encrypted.

Knows what of the notes is written down and under which key. Does not know where it is kept (spool, store)
nor FHIR (event). `VERSION` changes whenever a field does; older records stay readable.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import asdict
from datetime import UTC, datetime
from uuid import UUID, uuid4

import orjson
from pydantic import BaseModel, ConfigDict

from cds_hooks.audit.notes import AuditNotes, Computed, Kind, Who
from worker.payloads import CannotOpen, Sealer

VERSION = 1
MOST_REPORTED = 100
"""Feedback items listed of one request; `reported_count` counts them all."""
UNKEPT = "audit-unavailable"
"""Reason of an answer that was not given because its record could not be kept in time."""


class AuditRecord(BaseModel):
    """What happened in one request."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = VERSION
    id: UUID
    recorded: datetime
    kind: Kind
    status: int
    """Of the HTTP answer."""
    tenant: str = ""
    issuer: str = ""
    service: str = ""
    hook_instance: str = ""
    security: tuple[str, ...] = ()
    refusal: str = ""
    computed: Computed | None = None
    reported: tuple[tuple[str, str], ...] = ()
    reported_count: int = 0
    sealed_who: str = ""
    """`Who` as JSON, sealed and in base64; empty without a key."""
    patient_mark: str = ""
    """Keyed fingerprint of tenant and patient: finds all of a patient's records without opening any."""

    @property
    def repeat_of(self) -> UUID | None:
        """The event whose answer was given once more; None for an answer of its own."""
        return self.computed.event if self.computed and self.computed.event != self.id else None

    def unkept(self) -> AuditRecord:
        """The same request as it ended when this record could not be kept: nothing was shown."""
        if self.kind != "hook-call" or self.status != 200:
            return self
        event = uuid4()  # the answer itself may still be given to a repeated call, which then stands for itself
        computed = Computed(event=event, state="degraded", reason=UNKEPT)
        return self.model_copy(update={"id": event, "computed": computed})


def audit_record(notes: AuditNotes, kind: Kind, status: int, sealer: Sealer | None) -> AuditRecord:
    """The record of a request that is answered with `status`; without `sealer` it says of nobody who it was."""
    return AuditRecord(
        id=notes.id,
        recorded=datetime.now(UTC),
        kind=kind,
        status=status,
        tenant=notes.tenant,
        issuer=notes.issuer,
        service=notes.service,
        hook_instance=notes.hook_instance,
        security=tuple(notes.security),
        refusal=notes.refusal if status >= 400 else "",
        computed=notes.computed if status == 200 else None,
        reported=tuple(notes.reported[:MOST_REPORTED]),
        reported_count=len(notes.reported),
        sealed_who=_sealed(notes.who, notes.id, sealer) if sealer else "",
        patient_mark=sealer.mark("patient", notes.tenant, notes.who.patient) if sealer and notes.who.patient else "",
    )


def _sealed(who: Who, event: UUID, sealer: Sealer) -> str:
    return base64.b64encode(sealer.seal(orjson.dumps(asdict(who)), "audit", str(event))).decode()


def opened_who(record: AuditRecord, sealer: Sealer | None) -> Who | None:
    """Whom a record is about; None where it was not kept or the key is not at hand."""
    if not sealer or not record.sealed_who:
        return None
    try:
        return Who(**orjson.loads(sealer.open(base64.b64decode(record.sealed_who), "audit", str(record.id))))
    except (CannotOpen, binascii.Error):
        return None
