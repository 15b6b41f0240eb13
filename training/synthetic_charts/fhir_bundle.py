"""An invented chart as FHIR R4: one Bundle of type collection per patient, as an export or a demo server would hold it.

Knows FHIR resources; they are built through fhir.resources, so that what we write is valid.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from fhir.resources.R4B.bundle import Bundle

from nlp_core.assertion import Assertion
from nlp_core.knowledge import Knowledge
from training.synthetic_charts.charts import WrittenChart

_CLASS = {"ambulatory": "AMB", "emergency": "EMER", "inpatient": "IMP"}
_ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
_IDENTIFIERS = "http://terminology.hl7.org/CodeSystem/v2-0203"
_CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
Json = dict[str, Any]


def fhir_bundle(chart: WrittenChart, knowledge: Knowledge, *, coded: bool = False) -> Json:
    """Patient, Encounter, the past illnesses as Conditions, a DocumentReference per note.

    coded: the diagnosis is in it too, as a Condition of the encounter that the notes belong to. Else it is not.
    """
    patient = f"synthetic-{chart.number}"
    resources = [
        _patient(chart, patient),
        _encounter(chart, patient),
        *_conditions(chart, patient, knowledge),
        *([_diagnosis(chart, patient)] if coded else []),
        *_documents(chart, patient, coded),
    ]
    entries = [{"fullUrl": f"urn:dxspan:{one['resourceType']}:{one['id']}", "resource": one} for one in resources]
    bundle = Bundle.model_validate({"resourceType": "Bundle", "type": "collection", "entry": entries})
    written: Json = bundle.model_dump(mode="json", exclude_none=True)
    return written


def _patient(chart: WrittenChart, patient: str) -> Json:
    plain = {"resourceType": "Patient", "id": patient, "gender": chart.story.sex, "birthDate": chart.born.isoformat()}
    if chart.identity is None:
        return plain
    who = chart.identity
    return {
        **plain,
        "identifier": [{"type": {"coding": [{"system": _IDENTIFIERS, "code": "MR"}]}, "value": who.record}],
        "name": [{"family": who.family, "given": [who.given]}],
        "telecom": [{"system": "phone", "value": who.phone}, {"system": "email", "value": who.mail}],
        "address": [{"line": [f"{who.number} {who.street}"], "city": who.town}],
    }


def _encounter(chart: WrittenChart, patient: str) -> Json:
    return {
        "resourceType": "Encounter",
        "id": f"{patient}-encounter",
        "status": "in-progress",
        "class": {"system": _ACT, "code": _CLASS[chart.story.setting]},
        "subject": {"reference": f"Patient/{patient}"},
        "period": {"start": chart.dates[-1].isoformat()},
    }


def _conditions(chart: WrittenChart, patient: str, knowledge: Knowledge) -> Iterator[Json]:
    past = [told.entry for told in chart.story.past if told.assertion is Assertion.PAST]
    for number, entry in enumerate(entry for entry in past if entry.startswith("d:")):
        diagnosis = knowledge.diagnoses[entry.removeprefix("d:")]
        if diagnosis.id == chart.story.diagnosis.id:
            continue
        yield {
            "resourceType": "Condition",
            "id": f"{patient}-condition-{number}",
            "subject": {"reference": f"Patient/{patient}"},
            "clinicalStatus": {"coding": [{"system": _CLINICAL, "code": "resolved"}]},
            "code": {
                "coding": [{"system": _ICD10CM, "code": diagnosis.icd10cm}],
                "text": diagnosis.names.zh[0] if chart.language == "zh" else diagnosis.names.en[0],
            },
        }


def _diagnosis(chart: WrittenChart, patient: str) -> Json:
    diagnosis = chart.story.diagnosis
    return {
        "resourceType": "Condition",
        "id": f"{patient}-diagnosis",
        "subject": {"reference": f"Patient/{patient}"},
        "encounter": {"reference": f"Encounter/{patient}-encounter"},
        "clinicalStatus": {"coding": [{"system": _CLINICAL, "code": "active"}]},
        "recordedDate": chart.dates[0].isoformat(),
        "code": {"coding": [{"system": _ICD10CM, "code": diagnosis.icd10cm}]},
    }


def _documents(chart: WrittenChart, patient: str, coded: bool) -> Iterator[Json]:
    encounter: Json = {"context": {"encounter": [{"reference": f"Encounter/{patient}-encounter"}]}} if coded else {}
    for number, (note, date) in enumerate(zip(chart.notes, chart.dates, strict=True)):
        yield {
            "resourceType": "DocumentReference",
            "id": f"{patient}-note-{number}",
            "status": "current",
            "type": {"text": note.kind},
            "subject": {"reference": f"Patient/{patient}"},
            "date": date.isoformat(),
            **encounter,
            "content": [
                {
                    "attachment": {
                        "contentType": "text/plain; charset=utf-8",
                        "data": base64.b64encode(note.text.encode()).decode(),
                    }
                }
            ],
        }
