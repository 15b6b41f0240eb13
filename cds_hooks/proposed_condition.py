"""The FHIR Condition that "add to problem list as unconfirmed" proposes.

R4, marked as asserted by AI (`AIAST`), verification status provisional, with the notes it rests on. Checked by
fhir.resources before it leaves.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from nlp_core.assessment import Candidate, Language

ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"


def proposed_condition(
    candidate: Candidate, *, patient_id: str, encounter_id: str | None, recorded: datetime, language: Language
) -> dict[str, Any]:
    """A valid R4 Condition as JSON. Raises ValueError when it would not be one (our bug, never the chart's)."""
    name = candidate.names.said_in(language)
    condition: dict[str, Any] = {
        "resourceType": "Condition",
        "meta": {"security": [{"system": f"{_TERMINOLOGY}/v3-ObservationValue", "code": "AIAST"}]},
        "clinicalStatus": _concept("condition-clinical", "active"),
        "verificationStatus": _concept("condition-ver-status", "provisional"),
        "category": [_concept("condition-category", "problem-list-item")],
        "code": {
            "coding": [{"system": ICD_10_CM, "code": candidate.icd10cm, "display": candidate.names.en}],
            "text": name,
        },
        "subject": {"reference": f"Patient/{patient_id}"},
        "recordedDate": recorded.isoformat(timespec="seconds"),
    }
    if encounter_id:
        condition["encounter"] = {"reference": f"Encounter/{encounter_id}"}
    references = list(dict.fromkeys(evidence.reference for evidence in candidate.evidence_for))
    if references:
        condition["evidence"] = [{"detail": [{"reference": reference} for reference in references]}]
    _check(condition)
    return condition


def _concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": f"{_TERMINOLOGY}/{system}", "code": code}]}


def _check(condition: dict[str, Any]) -> None:
    # Imported on first use: the models take half a second to load, which start-up should not wait for.
    from fhir.resources.R4B.condition import Condition

    Condition.model_validate(condition)
