"""The sample charts as `patient-view` requests: what an EHR would send, prefetch and all.

The charts (demo_charts/*.yaml) are written for this project; nobody in them exists.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import yaml

CHARTS = Path(__file__).parent / "demo_charts"


@dataclass(frozen=True, slots=True)
class SampleChart:
    """One sample: its file's content."""

    name: str
    title: str
    expect: str
    """`card`, `silence` or `any`."""
    content: dict[str, Any]

    def request(self) -> dict[str, Any]:
        """A complete `patient-view` request: a fresh hookInstance, and another reader, as none sees a card twice."""
        patient = {"resourceType": "Patient", **self.content["patient"]}
        subject = f"Patient/{patient['id']}"
        return {
            "hook": "patient-view",
            "hookInstance": str(uuid4()),
            "context": {"userId": f"Practitioner/demo-{uuid4()}", "patientId": patient["id"]},
            "prefetch": {
                "patient": patient,
                "problems": _searchset([_condition(problem, subject) for problem in self.content["problems"]]),
                "documents": _searchset([_document(note, subject) for note in self.content["notes"]]),
                "laboratory": _searchset([_laboratory(o, subject) for o in self.content.get("observations", [])]),
                "vitalSigns": None,
                "medications": None,
                "allergies": None,
                "encounters": None,
            },
        }


def sample_charts() -> list[SampleChart]:
    """All samples in their order."""
    charts = []
    for path in sorted(CHARTS.glob("*.yaml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        charts.append(SampleChart(path.stem, content["title"], content["expect"], content))
    return charts


def _searchset(resources: list[dict[str, Any]]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": resource} for resource in resources]}


def _document(note: dict[str, Any], subject: str) -> dict[str, Any]:
    return {
        "resourceType": "DocumentReference",
        "id": note["id"],
        "status": "current",
        "type": {"text": note["type"]},
        "subject": {"reference": subject},
        "date": note["date"],
        "content": [
            {
                "attachment": {
                    "contentType": "text/plain; charset=utf-8",
                    "data": base64.b64encode(note["text"].encode()).decode(),
                }
            }
        ],
    }


def _condition(problem: dict[str, Any], subject: str) -> dict[str, Any]:
    system = "http://terminology.hl7.org/CodeSystem/condition-"
    code: dict[str, Any] = {"text": problem["text"]}
    if "code" in problem:
        code["coding"] = [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": problem["code"]}]
    return {
        "resourceType": "Condition",
        "subject": {"reference": subject},
        "code": code,
        "clinicalStatus": {"coding": [{"system": f"{system}clinical", "code": problem["clinical"]}]},
        "verificationStatus": {"coding": [{"system": f"{system}ver-status", "code": problem["verification"]}]},
    }


def _laboratory(observation: dict[str, Any], subject: str) -> dict[str, Any]:
    limits = {
        side: {"value": observation[side], "unit": observation["unit"]}
        for side in ("low", "high")
        if side in observation
    }
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [
            {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}
        ],
        "subject": {"reference": subject},
        "code": {"text": observation["text"], "coding": [{"system": "http://loinc.org", "code": observation["code"]}]},
        "effectiveDateTime": observation["date"],
        "valueQuantity": {"value": observation["value"], "unit": observation["unit"], "code": observation["unit"]},
        **({"referenceRange": [limits]} if limits else {}),
    }
