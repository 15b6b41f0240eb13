"""A record of the audit trail as a FHIR R4 AuditEvent, after IHE's Basic Audit Log Patterns (BALP).

Knows the codes. A hook call that got its reading follows BALP's PatientQuery and says so in `meta.profile`; without the
key, or where nothing was read, parts of that profile are missing and it is not claimed. A refused token is a DICOM
security alert (node authentication), as FHIR asks for denied access.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from cds_hooks.audit.chain import Entry
from cds_hooks.audit.notes import Computed, Who
from cds_hooks.audit.record import AuditRecord

Json = dict[str, Any]
PATIENT_QUERY = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PatientQuery"
_BALP_ENTITY = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"
_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_INTERACTION = "http://hl7.org/fhir/restful-interaction"
_URI = "urn:ietf:rfc:3986"


def _coding(system: str, code: str, display: str) -> Json:
    return {"system": system, "code": code, "display": display}


_REST = _coding(f"{_TERMINOLOGY}/audit-event-type", "rest", "Restful Operation")
_ALERT = _coding(_DICOM, "110113", "Security Alert")
_NODE = _coding(_DICOM, "110126", "Node Authentication")
_PERSON = _coding(f"{_TERMINOLOGY}/audit-entity-type", "1", "Person")
_QUERY = _coding(f"{_TERMINOLOGY}/audit-entity-type", "2", "System Object")
"""BALP knows the query by this type: nothing else may have it."""
_OTHER = _coding(f"{_TERMINOLOGY}/audit-entity-type", "4", "Other")
_ENCOUNTER = _coding("http://hl7.org/fhir/resource-types", "Encounter", "Encounter")

_ACTIONS = {"feedback": "C", "view": "R"}
"""FHIR audit-event-action by kind of request; the rest execute."""


def _role(code: str, display: str) -> Json:
    return _coding(f"{_TERMINOLOGY}/object-role", code, display)


@dataclass(frozen=True, slots=True)
class AuditEvents:
    """Writes the events of one deployment."""

    base: str
    """Address of the service, which stands for it."""

    def event(self, entry: Entry, record: AuditRecord, who: Who | None, repeats: int) -> Json:
        """The AuditEvent of `record`, which `entry` holds; `repeats`: how often its answer was given again."""
        written: Json = {
            "resourceType": "AuditEvent",
            "id": str(record.id),
            "type": _ALERT if _is_alert(record) else _REST,
            "subtype": self._subtypes(record),
            "action": _ACTIONS.get(record.kind, "E"),
            "recorded": record.recorded.isoformat(timespec="milliseconds"),
            "outcome": _outcome(record),
            "purposeOfEvent": [{"coding": [_coding(f"{_TERMINOLOGY}/v3-ActReason", "TREAT", "treatment")]}],
            "agent": self._agents(record, who or Who()),
            "source": self._source(),
            "entity": [
                *self._patient(record, who or Who()),
                *self._transaction(record),
                *_assessment(record, repeats),
                *_reported(record),
                _link(entry),
            ],
        }
        if described := _described(record):
            written["outcomeDesc"] = described
        if record.computed and _outcome(record) == "0" and who and who.patient and who.address:
            written["meta"] = {"profile": [PATIENT_QUERY]}
        return written

    def _subtypes(self, record: AuditRecord) -> list[Json]:
        own = f"{self.base}/audit-events"
        kinds = [{"system": own, "code": code} for code in (record.kind, *record.security)]
        if _is_alert(record):
            return [*([_NODE] if record.status == 401 else []), *kinds]
        code = {"feedback": "create", "view": "read"}.get(record.kind, "operation")
        return [_coding(_INTERACTION, code, code), *kinds]

    def _agents(self, record: AuditRecord, who: Who) -> list[Json]:
        source = [_coding(_DICOM, "110153", "Source Role ID"), _coding(_DICOM, "110150", "Application")]
        known: Json = {"value": record.issuer or record.tenant or "unknown"}
        client: Json = {
            "type": {"coding": source},
            "who": {"identifier": known, "display": record.tenant or "not authenticated"},
            "requestor": not who.user,
        }
        if who.address:
            client["network"] = {"address": who.address, "type": "2"}
        server: Json = {
            "type": {"coding": [_coding(_DICOM, "110152", "Destination Role ID")]},
            "who": {"identifier": {"system": _URI, "value": self.base}},
            "requestor": False,
            "network": {"address": self.base, "type": "5"},
        }
        recipient = _coding(f"{_TERMINOLOGY}/v3-ParticipationType", "IRCP", "information recipient")
        user: Json = {"type": {"coding": [recipient]}, "who": {"reference": who.user}, "requestor": True}
        return [client, server, *([user] if who.user else [])]

    def _source(self) -> Json:
        return {
            "site": urlsplit(self.base).netloc,
            "observer": {"identifier": {"system": _URI, "value": self.base}, "display": "dxspan"},
            "type": [_coding(f"{_TERMINOLOGY}/security-source-type", "4", "Application Server")],
        }

    def _patient(self, record: AuditRecord, who: Who) -> Iterator[Json]:
        what: Json | None = {"reference": who.patient} if who.patient else None
        if not what and record.patient_mark:
            what = {"identifier": {"system": f"{self.base}/patient-marks", "value": record.patient_mark}}
        if what:
            yield {"what": what, "type": _PERSON, "role": _role("1", "Patient")}
        if who.encounter:
            yield {"what": {"reference": who.encounter}, "type": _ENCOUNTER, "role": _role("4", "Domain Resource")}

    def _transaction(self, record: AuditRecord) -> Iterator[Json]:
        if not record.hook_instance:
            return
        yield {
            "what": {"identifier": {"value": record.hook_instance}},
            "type": _coding(_BALP_ENTITY, "XrequestId", "transport specific unique identifier"),
        }
        query = f"POST {self.base}/cds-services/{record.service} hookInstance={record.hook_instance}"
        yield {"type": _QUERY, "role": _role("24", "Query"), "query": base64.b64encode(query.encode()).decode()}


def _is_alert(record: AuditRecord) -> bool:
    return record.status >= 400 and bool(record.security)


def _outcome(record: AuditRecord) -> str:
    """0 success, 4 minor failure (refused, or answered without a reading), 8 a fault of our own."""
    if record.status >= 500:
        return "8"
    degraded = record.computed is not None and record.computed.state == "degraded"
    return "4" if record.status >= 400 or degraded else "0"


def _described(record: AuditRecord) -> str:
    if record.computed:
        return f"{record.computed.state}: {record.computed.reason}" if record.computed.reason else record.computed.state
    return record.refusal


def _assessment(record: AuditRecord, repeats: int) -> Iterator[Json]:
    details = [_detail("httpStatus", record.status)]
    if record.computed:
        details += _computed_details(record.computed)
    if repeats:
        details.append(_detail("repeats", repeats))
    cards = record.computed.cards if record.computed else ()
    what = {"what": {"identifier": {"system": _URI, "value": f"urn:uuid:{cards[0]}"}}} if cards else {}
    yield {**what, "type": _OTHER, "role": _role("3", "Report"), "name": "answer", "detail": details}


def _computed_details(computed: Computed) -> list[Json]:
    several = {"considered": computed.considered, "shown": computed.shown, "card": computed.cards}
    single = {
        "state": computed.state,
        "reason": computed.reason,
        "modelVersion": computed.model_version,
        "knowledgeVersion": computed.knowledge_version,
        "evidenceHash": computed.evidence_hash,
        "notesRead": computed.notes_read,
        "unread": computed.unread,
    }
    details = [_detail(name, value) for name, value in single.items() if value != ""]
    return details + [_detail(name, value) for name, values in several.items() for value in values]


def _reported(record: AuditRecord) -> Iterator[Json]:
    for card, outcome in record.reported:
        yield {
            "what": {"identifier": {"system": _URI, "value": f"urn:uuid:{card}"}},
            "type": _OTHER,
            "role": _role("4", "Domain Resource"),
            "detail": [_detail("feedback", outcome)],
        }


def _link(entry: Entry) -> Json:
    """Where in the hash chain this stands, so that an exported event can be held against the trail."""
    details = [_detail("chain", entry.chain), _detail("entry", entry.sequence), _detail("hash", entry.hash)]
    return {"type": _OTHER, "role": _role("13", "Security Resource"), "name": "audit chain", "detail": details}


def _detail(name: str, value: object) -> Json:
    return {"type": name, "valueString": str(value)}
