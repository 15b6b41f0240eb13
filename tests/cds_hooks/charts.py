"""Invented patients and calls for the tests of the web process."""

from __future__ import annotations

import base64
import uuid
from typing import Any

from tests.fhir_server import TOKEN, searchset

Resource = dict[str, Any]
PATIENT_ID = "pat-1"
NOTE = "Crushing chest pain for two hours. No fever."
SERVICE = "/cds-services/dxspan-patient-view"


def patient(identifier: str = PATIENT_ID) -> Resource:
    return {"resourceType": "Patient", "id": identifier, "gender": "female", "birthDate": "1961-05-02"}


def document(
    text: str = NOTE, *, number: int = 1, of: str = PATIENT_ID, date: str = "2026-11-20T08:00:00Z"
) -> Resource:
    attachment = {"contentType": "text/plain", "data": base64.b64encode(text.encode("utf-8", "replace")).decode()}
    return _document(attachment, number, of, date)


def linked_document(url: str, *, number: int = 1, of: str = PATIENT_ID) -> Resource:
    return _document({"contentType": "text/plain", "url": url}, number, of, "2026-11-20T08:00:00Z")


def _document(attachment: Resource, number: int, of: str, date: str) -> Resource:
    return {
        "resourceType": "DocumentReference",
        "id": f"doc-{number}",
        "status": "current",
        "subject": {"reference": f"Patient/{of}"},
        "date": date,
        "content": [{"attachment": attachment}],
    }


def binary(text: str, identifier: str) -> Resource:
    data = base64.b64encode(text.encode()).decode()
    return {"resourceType": "Binary", "id": identifier, "contentType": "text/plain", "data": data}


def condition(text: str, *, number: int = 1) -> Resource:
    return {
        "resourceType": "Condition",
        "id": f"cond-{number}",
        "subject": {"reference": f"Patient/{PATIENT_ID}"},
        "code": {"text": text},
        "clinicalStatus": {"coding": [{"code": "active"}]},
    }


def prefetch(*documents: Resource, **more: Any) -> Resource:
    """Patient, documents, and an empty Bundle for the rest."""
    empty = ("problems", "laboratory", "vitalSigns", "medications", "allergies", "encounters")
    supplied: Resource = {"patient": patient(), "documents": searchset(documents or [document()])}
    return supplied | {key: searchset([]) for key in empty} | more


def call(**changes: Any) -> Resource:
    """A complete call with a fresh hookInstance; `changes` replace top-level fields, `...` removes one."""
    body: Resource = {
        "hook": "patient-view",
        "hookInstance": str(uuid.uuid4()),
        "context": {"userId": "Practitioner/doc-7", "patientId": PATIENT_ID},
        "prefetch": prefetch(),
    }
    return {key: value for key, value in (body | changes).items() if value is not ...}


def authorization(**changes: Any) -> Resource:
    """A token for tests/fhir_server."""
    granted = {
        "access_token": TOKEN,
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "user/*.read",
        "subject": "dxspan",
    }
    return {key: value for key, value in (granted | changes).items() if value is not ...}
