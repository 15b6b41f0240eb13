"""Values, reference ranges and flags as laboratories write them."""

from __future__ import annotations

from typing import Any

import pytest

from nlp_core.fhir_values import interpretation_of, range_of, value_of

UCUM = "http://unitsofmeasure.org"


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"valueQuantity": {"value": 6.2, "unit": "mmol/l", "system": UCUM, "code": "mmol/L"}}, (6.2, "", "mmol/L")),
        ({"valueQuantity": {"value": 6.2, "unit": "mmol/L", "code": "local7"}}, (6.2, "", "mmol/L")),
        ({"valueQuantity": {"value": "6.2", "code": "mmol/L"}}, (6.2, "", "mmol/L")),
        ({"valueQuantity": {"value": 0.01, "comparator": "<", "unit": "ng/mL"}}, (0.01, "<0.01", "ng/mL")),
        ({"valueQuantity": {"value": "<0.01", "unit": "ng/mL"}}, (0.01, "<0.01", "ng/mL")),
        ({"valueQuantity": {"value": "haemolysed", "unit": "x"}}, (None, "haemolysed", "x")),
        ({"valueString": "6.2"}, (6.2, "", "")),
        ({"valueString": "> 1000"}, (1000.0, ">1000", "")),
        ({"valueString": "3+"}, (None, "3+", "")),
        ({"valueString": "120/80"}, (None, "120/80", "")),
        ({"valueInteger": 7}, (7.0, "", "")),
        ({"valueBoolean": True}, (None, "yes", "")),
        ({"valueCodeableConcept": {"coding": [{"display": "Positive"}]}}, (None, "Positive", "")),
        ({"valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 80}}}, (None, "1:80", "")),
        ({"valueRange": {"low": {"value": 2}, "high": {"value": 4, "unit": "mg"}}}, (None, "2-4 mg", "")),
        ({"valueQuantity": {"value": float("nan"), "unit": "g"}}, (None, "", "g")),
        ({"valueQuantity": "6.2 mmol/L"}, (None, "", "")),
        ({}, (None, "", "")),
    ],
)
def test_every_value_type_gives_number_text_and_unit(
    part: dict[str, Any], expected: tuple[float | None, str, str]
) -> None:
    assert value_of(part) == expected


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        ([{"low": {"value": 3.5, "unit": "mmol/L"}, "high": {"value": 5.1, "unit": "mmol/L"}}], (3.5, 5.1)),
        ([{"low": {"value": 3.5}, "high": {"value": 5.1}}], (3.5, 5.1)),
        ([{"high": {"value": 5.1}}], (None, 5.1)),
        ([{"high": {"value": 200, "unit": "mg/dL"}}], (None, None)),
        ([{"text": "3.5 - 5.1 mmol/L"}], (3.5, 5.1)),
        ([{"text": "3.5～5.1"}], (3.5, 5.1)),
        ([{"text": "3.5--5.1"}], (3.5, 5.1)),
        ([{"text": "< 0.04"}], (None, 0.04)),
        ([{"text": "≥60"}], (60.0, None)),
        ([{"text": "negative"}], (None, None)),
        ([{"type": {"coding": [{"code": "therapeutic"}]}, "high": {"value": 9}}, {"high": {"value": 5}}], (None, 5.0)),
        ([{"low": {"value": 12}, "high": {"value": 16}}, {"low": {"value": 13}, "high": {"value": 17}}], (None, None)),
        ("3.5-5.1", (None, None)),
        (None, (None, None)),
    ],
)
def test_reference_range_in_the_unit_of_the_value(ranges: object, expected: tuple[float | None, float | None]) -> None:
    assert range_of(ranges, "mmol/L") == expected


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ([{"coding": [{"code": "H"}]}], "H"),
        ({"coding": [{"code": "hh"}]}, "HH"),
        ([{"text": "High"}], "H"),
        ([{"text": "阳性"}], "POS"),
        ([{"coding": [{"code": "260379002", "display": "Not detected"}]}], "NEG"),
        ([{"coding": [{"code": "see comment"}]}], ""),
        (None, ""),
    ],
)
def test_interpretation_is_a_code_in_capitals(value: object, code: str) -> None:
    assert interpretation_of(value) == code
