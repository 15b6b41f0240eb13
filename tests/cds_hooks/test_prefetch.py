"""One reading of a prefetch value or an answer: five states, and never an exception."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_hooks.prefetch import ABSENT, Supply, newest, of_another_patient, read_value, supplied, with_page
from cds_hooks.services import PATIENT_VIEW
from tests.cds_hooks.charts import condition, document, patient
from tests.fhir_server import searchset

PATIENT, DOCUMENTS, PROBLEMS = PATIENT_VIEW.prefetch[:3]
OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]}
WARNING = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning"}]}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["resourceType", "entry", "resource", "link", "relation", "url", "issue", "severity", "id", "date"]
            )
            | st.text(max_size=3),
            inner | st.sampled_from(["Bundle", "OperationOutcome", "Patient", "next", "error"]),
            max_size=4,
        )
    ),
    max_leaves=20,
)


def test_absent_null_and_present_are_told_apart() -> None:
    assert supplied(DOCUMENTS, {}) == ABSENT
    assert supplied(DOCUMENTS, {"documents": None}) == Supply("read")
    assert supplied(DOCUMENTS, {"documents": searchset([document()])}).resources == (document(),)


@pytest.mark.parametrize(
    "empty", [searchset([]), {"resourceType": "Bundle"}, {"resourceType": "Bundle", "entry": None}]
)
def test_an_empty_bundle_is_no_data(empty: Any) -> None:
    assert read_value(DOCUMENTS, empty) == Supply("read")


def test_a_collection_bundle_and_a_bare_resource_are_read() -> None:
    assert read_value(DOCUMENTS, searchset([document()]) | {"type": "collection"}).state == "read"
    assert read_value(PATIENT, patient()).resources == (patient(),)
    assert read_value(PATIENT, searchset([patient()])).resources == (patient(),)


def test_an_operation_outcome_is_a_failure_not_to_be_asked_again() -> None:
    supply = read_value(DOCUMENTS, OUTCOME)
    assert (supply.state, supply.reason, supply.wanted) == ("failed", "not-available", False)


def test_outcomes_inside_a_bundle_are_taken_out() -> None:
    assert read_value(DOCUMENTS, searchset([WARNING])) == Supply("read")
    assert read_value(DOCUMENTS, searchset([document(), WARNING])).reason == ""
    partly = read_value(DOCUMENTS, searchset([document(), OUTCOME]))
    assert (partly.state, partly.reason, partly.resources) == ("read", "not-available", (document(),))
    assert read_value(DOCUMENTS, searchset([OUTCOME])).state == "failed"


@pytest.mark.parametrize("value", ["x", 7, [], {}, condition("x"), searchset([condition("x")]), {"resourceType": 7}])
def test_what_was_not_asked_for_is_malformed_and_worth_asking_again(value: Any) -> None:
    supply = read_value(DOCUMENTS, value)
    assert (supply.state, supply.reason, supply.wanted) == ("failed", "malformed", True)


def test_a_patient_without_id_cannot_be_told_from_another() -> None:
    assert read_value(PATIENT, {"resourceType": "Patient", "gender": "male"}).reason == "malformed"


def test_other_types_beside_the_one_asked_for_are_kept() -> None:
    assert len(read_value(DOCUMENTS, searchset([document(), condition("x")])).resources) == 2


def test_the_next_link_is_found() -> None:
    links = [{"relation": "self", "url": "a"}, 7, {"relation": "next"}, {"relation": "next", "url": "b"}]
    assert read_value(DOCUMENTS, searchset([document()]) | {"link": links}).next_url == "b"
    assert read_value(DOCUMENTS, searchset([document()]) | {"link": {}}).next_url is None


def test_a_page_continues_the_search() -> None:
    first = read_value(DOCUMENTS, searchset([document(number=1)]) | {"link": [{"relation": "next", "url": "b"}]})
    both = with_page(first, read_value(DOCUMENTS, searchset([document(number=2)])))
    assert [one["id"] for one in both.resources] == ["doc-1", "doc-2"]
    assert both.next_url is None


def test_the_newest_are_kept_and_the_rest_counted() -> None:
    dates = ["2024-01-01", "2026-05-05", "2025-01-01"]
    supply = read_value(DOCUMENTS, searchset([document(number=n, date=date) for n, date in enumerate(dates)]))
    cut = newest(supply, 2)
    assert [one["date"] for one in cut.resources] == ["2026-05-05", "2025-01-01"]
    assert cut.over_limit == 1
    assert newest(supply, 3) == supply


def test_undated_ones_are_left_out_first() -> None:
    undated = {key: value for key, value in document(number=9).items() if key != "date"}
    assert newest(read_value(DOCUMENTS, searchset([undated, document()])), 1).resources == (document(),)


def test_another_patient_is_noticed() -> None:
    assert of_another_patient(read_value(PATIENT, patient("other")), "pat-1")
    assert not of_another_patient(read_value(PATIENT, patient("pat-1")), "pat-1")
    assert of_another_patient(read_value(PROBLEMS, searchset([condition("x"), patient("other")])), "pat-1")


@given(JSON)
def test_any_value_has_a_state(value: Any) -> None:
    for template in PATIENT_VIEW.prefetch:
        supply = newest(read_value(template, value), 1)
        assert supply.state in ("read", "failed")
        assert supply.state == "failed" or not supply.over_limit or len(supply.entries) == 1
        of_another_patient(supply, "pat-1")
