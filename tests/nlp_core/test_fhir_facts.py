"""Medications, allergies, procedures, family history, reasons and reports become facts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from nlp_core.chart import Fact
from nlp_core.fhir_facts import facts_of
from nlp_core.fhir_references import References
from nlp_core.unreadable import Unreadable

ASPIRIN = {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "1191", "display": "Aspirin"}]}
MEDICATIONS = {"Medication/m": {"resourceType": "Medication", "id": "m", "code": ASPIRIN}}


def facts(kind: str, **fields: Any) -> tuple[Fact, ...]:
    return facts_of({"resourceType": kind, "id": "1", **fields}, MEDICATIONS, References())


@pytest.mark.parametrize(
    "named",
    [
        {"medicationCodeableConcept": ASPIRIN},
        {"medication": {"concept": ASPIRIN}},
        {"medicationReference": {"reference": "Medication/m"}},
        {"medication": {"reference": {"reference": "Medication/m"}}},
        {"medicationReference": {"reference": "#contained", "display": "Aspirin"}},
    ],
)
@pytest.mark.parametrize("kind", ["MedicationRequest", "MedicationStatement"])
def test_medication_in_every_shape_with_its_status(kind: str, named: dict[str, Any]) -> None:
    (fact,) = facts(kind, status="stopped", authoredOn="2026-01-02", **named)
    assert (fact.kind, fact.text, fact.value_text, fact.date) == (
        "medication",
        "Aspirin",
        "stopped",
        datetime(2026, 1, 2, tzinfo=UTC),
    )


def test_allergy_with_reactions_in_r4_and_r5() -> None:
    for manifestation in ({"text": "Hives"}, {"concept": {"text": "Hives"}}):
        (fact,) = facts("AllergyIntolerance", code=ASPIRIN, reaction=[{"manifestation": [manifestation]}])
        assert (fact.kind, fact.text, fact.value_text) == ("allergy", "Aspirin", "Hives")


def test_procedure_with_its_date() -> None:
    (fact,) = facts("Procedure", code={"text": "Appendectomy"}, performedPeriod={"start": "2019-03"})
    assert (fact.kind, fact.text, fact.date) == ("procedure", "Appendectomy", datetime(2019, 3, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("relationship", "who"),
    [
        ({"coding": [{"code": "FTH", "display": "father"}]}, "father"),
        ({"text": "Great aunt"}, "great aunt"),
        (None, ""),
    ],
)
def test_family_history_says_who_and_names_nobody(relationship: object, who: str) -> None:
    found = facts(
        "FamilyMemberHistory",
        name="John Roe",
        relationship=relationship,
        condition=[{"code": {"text": "Myocardial infarction"}}, {"code": {"text": "Gout"}}, {}],
    )
    assert [(fact.kind, fact.text, fact.relationship) for fact in found] == [
        ("family_history", "Myocardial infarction", who),
        ("family_history", "Gout", who),
    ]
    assert "Roe" not in repr(found)


@pytest.mark.parametrize(
    "reason",
    [
        {"reasonCode": [{"text": "Chest pain"}]},
        {"reason": [{"value": [{"concept": {"text": "Chest pain"}}]}]},
        {"reason": [{"text": "Chest pain"}]},
    ],
)
def test_encounter_reason_from_dstu2_to_r5(reason: dict[str, Any]) -> None:
    (fact,) = facts("Encounter", period={"start": "2026-05-01"}, **reason)
    assert (fact.kind, fact.text, fact.reference) == ("reason", "Chest pain", "Encounter/1")


def test_report_is_one_fact_per_conclusion_code() -> None:
    found = facts("DiagnosticReport", code={"text": "CT"}, conclusionCode=[{"text": "A"}, {"text": "B"}], issued="2026")
    assert [(fact.kind, fact.text, fact.value_text) for fact in found] == [("report", "CT", "A"), ("report", "CT", "B")]


@pytest.mark.parametrize("kind", ["Observation", "MedicationRequest", "AllergyIntolerance", "Procedure"])
def test_a_resource_that_says_nothing_is_said_to_be_unavailable(kind: str) -> None:
    with pytest.raises(Unreadable, match="not-available"):
        facts(kind)


def test_other_types_hold_no_facts() -> None:
    assert facts("DiagnosticReport", code={"text": "Influenza A RNA"}) == ()  # looked for, not found
    assert facts("Patient") == facts("Immunization") == facts("Encounter") == facts("FamilyMemberHistory") == ()
