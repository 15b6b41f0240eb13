"""What may be read: the patient's own, valid, current, unrestricted resources."""

from __future__ import annotations

from typing import Any

import pytest

from nlp_core.fhir_selection import select


def own(kind: str, **fields: Any) -> dict[str, Any]:
    return {"resourceType": kind, "id": "1", "subject": {"reference": "Patient/p"}, **fields}


def reasons(*resources: dict[str, Any], **settings: Any) -> dict[tuple[str, str], int]:
    return dict(select(resources, patient_id="p", **settings).unread)


@pytest.mark.parametrize(
    "resource",
    [
        own("Procedure", status="not-done"),
        own("Procedure", status="preparation"),
        own("MedicationStatement", status="not-taken"),
        own("MedicationStatement", status="recorded", adherence={"code": {"coding": [{"code": "not-taking"}]}}),
        own("MedicationRequest", status="draft"),
        own("MedicationRequest", status="active", doNotPerform=True),
        own("MedicationRequest", status="active", intent="proposal"),
        own("AllergyIntolerance", verificationStatus={"coding": [{"code": "refuted"}]}),
        own("Encounter", status="cancelled"),
    ],
)
def test_what_never_happened_is_left_out_and_counted(resource: dict[str, Any]) -> None:
    assert reasons(resource) == {(resource["resourceType"], "not-done"): 1}


@pytest.mark.parametrize(
    "status", [{"status": "entered-in-error"}, {"verificationStatus": {"coding": [{"code": "entered-in-error"}]}}]
)
def test_what_was_entered_in_error_is_left_out_whatever_the_type(status: dict[str, Any]) -> None:
    for kind in ("Condition", "Observation", "AllergyIntolerance", "Encounter", "Composition", "DiagnosticReport"):
        assert reasons(own(kind, **status)) == {(kind, "entered-in-error"): 1}


def test_refuted_conditions_stopped_and_reported_medications_stay() -> None:
    kept = select(
        [
            own("Condition", verificationStatus={"coding": [{"code": "refuted"}]}),
            own("MedicationRequest", status="stopped", intent="plan"),
        ],
        patient_id="p",
    )
    assert len(kept.resources) == 2


def test_superseded_documents_stay_only_on_request() -> None:
    old = own("DocumentReference", status="superseded")
    assert reasons(old) == {("DocumentReference", "superseded"): 1}
    assert reasons(old, keep_superseded=True) == {}


def test_composition_replaced_in_r4_and_r5_shapes() -> None:
    r4 = own("Composition", id="2", relatesTo=[{"code": "replaces", "targetReference": {"reference": "Composition/1"}}])
    r5 = own(
        "Composition", id="2", relatesTo=[{"type": "replaces", "resourceReference": {"reference": "Composition/1"}}]
    )
    appended = own(
        "Composition", id="2", relatesTo=[{"code": "appends", "targetReference": {"reference": "Composition/1"}}]
    )
    assert reasons(own("Composition"), r4) == reasons(own("Composition"), r5) == {("Composition", "superseded"): 1}
    assert reasons(own("Composition"), appended) == {}
    itself = own("Composition", relatesTo=[{"code": "replaces", "targetReference": {"reference": "Composition/1"}}])
    assert reasons(itself) == {}


def test_types_that_are_not_read_are_not_counted() -> None:
    assert reasons(own("Immunization"), {"resourceType": "Practitioner", "id": "x"}) == {}
