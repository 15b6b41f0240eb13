"""Patient gives age, sex and death, and nothing that names anybody."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from nlp_core.fhir_patient import Person, person_of

AS_OF = datetime(2026, 6, 1, tzinfo=UTC)
BIRTHSEX = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex"


@pytest.mark.parametrize(
    ("fields", "sex"),
    [
        ({"gender": "female"}, "female"),
        ({"gender": "M"}, "male"),
        ({"gender": "other"}, "unknown"),
        ({}, "unknown"),
        ({"gender": "unknown", "extension": [{"url": BIRTHSEX, "valueCode": "F"}]}, "female"),
        ({"gender": "male", "extension": [{"url": BIRTHSEX, "valueCode": "F"}]}, "unknown"),
        ({"gender": "male", "extension": [{"url": BIRTHSEX, "valueCode": "UNK"}]}, "male"),
    ],
)
def test_sex_is_unknown_where_gender_and_recorded_sex_differ(fields: dict[str, Any], sex: str) -> None:
    assert person_of(fields, AS_OF).sex == sex


@pytest.mark.parametrize(
    ("fields", "deceased"),
    [
        ({"deceasedBoolean": True}, True),
        ({"deceasedBoolean": "true"}, True),
        ({"deceasedBoolean": False}, False),
        ({"deceasedDateTime": "2020"}, True),
        ({"deceasedDateTime": ""}, False),
        ({}, False),
    ],
)
def test_death_is_recorded_either_way(fields: dict[str, Any], deceased: bool) -> None:
    assert person_of(fields, AS_OF).deceased is deceased


def test_an_empty_patient_is_an_unknown_person() -> None:
    assert person_of({}, AS_OF) == Person()
