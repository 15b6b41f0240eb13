"""A patient, notes and calls in which everything personal is marked (canaries)."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any
from uuid import uuid4

from tests.fhir_server import searchset
from tests.journey.canaries import CANARIES

C = CANARIES
PATIENT_ID = C["patient id"]
USER = f"Practitioner/{C['user id']}"
NOTE = (
    f"{C['patient name']}, MRN {C['MRN']}, seen by {C['practitioner name']}. {C['note']} Pain began around the navel and "
    "moved to the right lower quadrant; rebound tenderness, fever 38.6, nausea, vomiting, no appetite."
)
Json = dict[str, Any]


def patient(identifier: str = PATIENT_ID) -> Json:
    return {
        "resourceType": "Patient",
        "id": identifier,
        "identifier": [{"system": "urn:mrn", "value": C["MRN"]}],
        "name": [{"family": C["patient name"], "text": C["patient name"]}],
        "gender": "female",
        "birthDate": "1991-05-02",
    }


def document(text: str = NOTE, *, kind: str = "text/plain", **attachment: str) -> Json:
    content = attachment or {"data": base64.b64encode(text.encode()).decode()}
    return {
        "resourceType": "DocumentReference",
        "id": hashlib.sha256(json.dumps(content).encode()).hexdigest()[:20],
        "status": "current",
        "subject": {"reference": f"Patient/{PATIENT_ID}", "display": C["patient name"]},
        "author": [{"reference": USER, "display": C["practitioner name"]}],
        "date": "2026-11-20T08:00:00Z",
        "content": [{"attachment": {"contentType": kind, "title": C["practitioner name"], **content}}],
    }


def problem() -> Json:
    about = {"reference": f"Patient/{PATIENT_ID}"}
    status = {"coding": [{"code": "active"}]}
    text = {"text": C["diagnosis on the list"]}
    return {"resourceType": "Condition", "id": "c1", "subject": about, "code": text, "clinicalStatus": status}


def prefetch(*documents: Json, **more: Any) -> Json:
    empty = ("laboratory", "vitalSigns", "medications", "allergies", "encounters")
    supplied = {
        "patient": patient(),
        "documents": searchset(documents or [document()]),
        "problems": searchset([problem()]),
    }
    return supplied | {key: searchset([]) for key in empty} | more


def call(**changes: Any) -> Json:
    # Each time another user: what one has seen in this encounter is not shown to them again.
    context = {"userId": f"{USER}-{uuid4().hex}", "patientId": PATIENT_ID}
    body = {"hook": "patient-view", "hookInstance": str(uuid4()), "context": context, "prefetch": prefetch()}
    return {name: value for name, value in (body | changes).items() if value is not ...}


def told(text: str) -> Json:
    """A call whose note tells the breakable worker what to do."""
    return call(prefetch=prefetch(document(f"{C['poison']} {text}")))


def binary() -> Json:
    data = base64.b64encode(NOTE.encode()).decode()
    return {"resourceType": "Binary", "id": C["attachment URL"], "contentType": "text/plain", "data": data}
