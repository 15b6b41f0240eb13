"""CodeableConcepts in every shape servers write give codings, a name and a status word."""

from __future__ import annotations

import pytest

from nlp_core.chart import Coding
from nlp_core.fhir_codes import all_codes, code_of, codings_of, name_of


def test_codings_keep_their_order_and_drop_empty_ones() -> None:
    concept = {
        "coding": [{"system": "http://loinc.org", "code": "2823-3", "display": "Potassium"}, {}, None, {"code": 5}]
    }
    assert codings_of(concept) == (
        Coding(system="http://loinc.org", code="2823-3", display="Potassium"),
        Coding(code="5"),
    )


@pytest.mark.parametrize(
    ("concept", "name"),
    [
        ({"text": "K", "coding": [{"display": "Potassium"}]}, "K"),
        ({"text": "", "coding": [{"code": "1"}, {"display": "Potassium"}]}, "Potassium"),
        ({"coding": [{"code": "2823-3"}]}, "2823-3"),
        ({"code": "2823-3", "display": "Potassium"}, "Potassium"),
        ("Potassium", "Potassium"),
        (None, ""),
        ({"coding": "x"}, ""),
        ([{"text": "first"}, {"text": "second"}], "first"),
    ],
)
def test_name_is_text_then_display_then_code(concept: object, name: str) -> None:
    assert name_of(concept) == name


@pytest.mark.parametrize("status", ["Active", {"coding": [{"code": "active"}]}, {"text": "ACTIVE"}])
def test_status_is_one_word_in_lower_case(status: object) -> None:
    assert code_of(status) == "active"


def test_all_codes_reads_lists_of_concepts_codings_and_strings() -> None:
    value = [{"coding": [{"code": "R"}, {"display": "Very Restricted"}]}, {"code": "HIV"}, "PSY", 4, {"text": "N"}]
    assert all_codes(value) == {"r", "very restricted", "hiv", "psy", "n"}
    assert all_codes(None) == frozenset()
