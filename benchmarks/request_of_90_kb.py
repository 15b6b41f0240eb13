"""One `patient-view` request of about 90 kB: a patient, 20 problems, 50 results, 10 notes. Nobody in it exists."""

from __future__ import annotations

import base64
from typing import Any
from uuid import uuid4

PARAGRAPH = (
    "{age}-year-old patient seen on day {number}. Reports cough and tiredness for three days, worse at night, and a sore"
    " throat. Denies chest pain, shortness of breath and hemoptysis. Appetite reduced. Examination: T 37.9 C, HR 92,"
    " throat red, lungs clear, no lymphadenopathy. Plan: fluids and rest, return if symptoms worsen.\n"
)


def request(notes: int = 10, paragraphs: int = 11, mark: str = "", patient_id: str = "bench") -> dict[str, Any]:
    """Each time a fresh hookInstance and another reader, as none sees a card twice.

    `mark` makes the notes' text unlike any other's. `patient_id`: charts of several patients are no patient opened by hundreds.
    """
    patient = {"resourceType": "Patient", "id": patient_id, "gender": "female", "birthDate": "1980-01-01"}
    subject = {"subject": {"reference": f"Patient/{patient_id}"}}
    return {
        "hook": "patient-view",
        "hookInstance": str(uuid4()),
        "context": {"userId": f"Practitioner/bench-{uuid4()}", "patientId": patient_id},
        "prefetch": {
            "patient": patient,
            "documents": _bundle([_note(number, paragraphs, mark) | subject for number in range(notes)]),
            "problems": _bundle([_problem(number) | subject for number in range(20)]),
            "laboratory": _bundle([_result(number) | subject for number in range(50)]),
            "vitalSigns": None,
            "medications": None,
            "allergies": None,
            "encounters": None,
        },
    }


def _bundle(resources: list[dict[str, Any]]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": r} for r in resources]}


def _note(number: int, paragraphs: int, mark: str) -> dict[str, Any]:
    text = f"{mark}\n" + "".join(PARAGRAPH.format(age=46, number=100 * number + part) for part in range(paragraphs))
    data = base64.b64encode(text.encode()).decode()
    return {
        "resourceType": "DocumentReference",
        "id": f"note-{number}",
        "status": "current",
        "type": {"text": "Progress note"},
        "date": f"2026-11-{20 - number:02d}T10:00:00Z",
        "content": [{"attachment": {"contentType": "text/plain", "data": data}}],
    }


def _problem(number: int) -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "id": f"problem-{number}",
        "code": {
            "text": f"Seasonal allergic rhinitis, episode {number}",
            "coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "J30.2"}],
        },
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "verificationStatus": {"coding": [{"code": "confirmed"}]},
        "recordedDate": "2024-05-01",
    }


def _result(number: int) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": f"result-{number}",
        "status": "final",
        "category": [{"coding": [{"code": "laboratory"}]}],
        "code": {"text": "Potassium", "coding": [{"system": "http://loinc.org", "code": "2823-3"}]},
        "effectiveDateTime": f"2026-10-{1 + number % 28:02d}T08:00:00Z",
        "valueQuantity": {"value": 4.0 + number % 5 / 10, "unit": "mmol/L", "code": "mmol/L"},
        "referenceRange": [{"low": {"value": 3.5}, "high": {"value": 5.1}}],
    }
