"""Observations become laboratory values, vital signs and habits."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from nlp_core.fhir_observations import has_parts, observation_facts

POTASSIUM = {"coding": [{"system": "http://loinc.org", "code": "2823-3", "display": "Potassium"}]}


def observation(**fields: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "id": "9", "code": POTASSIUM, **fields}


def test_laboratory_value_with_unit_range_flag_and_date() -> None:
    (fact,) = observation_facts(
        observation(
            category=[{"coding": [{"code": "laboratory"}]}],
            valueQuantity={"value": 6.2, "code": "mmol/L", "system": "http://unitsofmeasure.org", "unit": "mmol/L"},
            referenceRange=[{"low": {"value": 3.5}, "high": {"value": 5.1}}],
            interpretation=[{"coding": [{"code": "H"}]}],
            effectiveDateTime="2026-05-01",
        )
    )
    assert (fact.kind, fact.reference, fact.text) == ("laboratory", "Observation/9", "Potassium")
    assert (fact.value, fact.unit, fact.low, fact.high, fact.interpretation) == (6.2, "mmol/L", 3.5, 5.1, "H")
    assert fact.date == datetime(2026, 5, 1, tzinfo=UTC)
    assert fact.codings[0].code == "2823-3"


def test_blood_pressure_is_one_fact_per_component() -> None:
    facts = list(
        observation_facts(
            observation(
                code={"text": "Blood pressure"},
                category=[{"coding": [{"code": "vital-signs"}]}],
                component=[
                    {
                        "code": {"coding": [{"code": "8480-6", "display": "Systolic"}]},
                        "valueQuantity": {"value": 180, "unit": "mmHg"},
                    },
                    {
                        "code": {"coding": [{"code": "8462-4", "display": "Diastolic"}]},
                        "valueQuantity": {"value": 110, "unit": "mmHg"},
                    },
                    {"code": {"text": "Position"}, "dataAbsentReason": {"text": "unknown"}},
                ],
            )
        )
    )
    assert [(fact.kind, fact.text, fact.value) for fact in facts] == [
        ("vital_sign", "Systolic", 180.0),
        ("vital_sign", "Diastolic", 110.0),
    ]


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"category": [{"coding": [{"code": "social-history"}]}]}, "social_history"),
        ({"category": [{"text": "Vital Signs"}]}, "vital_sign"),
        ({"category": {"coding": [{"code": "LABORATORY"}]}}, "laboratory"),
        ({"category": [{"coding": [{"code": "imaging"}]}]}, "report"),
        ({"code": {"coding": [{"code": "8867-4", "display": "Heart rate"}]}}, "vital_sign"),
        ({"code": {"coding": [{"code": "72166-2", "display": "Tobacco"}]}}, "social_history"),
        ({}, "laboratory"),
    ],
)
def test_kind_comes_from_the_category_else_from_the_code(fields: dict[str, Any], kind: str) -> None:
    (fact,) = observation_facts(observation(valueString="x", **fields))
    assert fact.kind == kind


def test_without_a_value_there_is_no_fact_but_a_panel_is_no_loss() -> None:
    assert list(observation_facts(observation(dataAbsentReason={"text": "error"}))) == []
    assert not has_parts(observation())
    assert has_parts(observation(hasMember=[{"reference": "Observation/1"}]))
    (flagged,) = observation_facts(observation(interpretation=[{"coding": [{"code": "POS"}]}]))
    assert (flagged.value, flagged.interpretation) == (None, "POS")
