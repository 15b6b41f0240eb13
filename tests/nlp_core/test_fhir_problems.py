"""Conditions become problems."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from nlp_core.fhir_problems import problem_of
from nlp_core.unreadable import Unreadable


def test_condition_with_statuses_codes_and_onset() -> None:
    problem = problem_of(
        {
            "resourceType": "Condition",
            "id": "c",
            "code": {"coding": [{"system": "http://snomed.info/sct", "code": "91302008", "display": "Sepsis"}]},
            "clinicalStatus": {"coding": [{"code": "active"}]},
            "verificationStatus": {"coding": [{"code": "provisional"}]},
            "onsetDateTime": "2020",
            "recordedDate": "2021",
        }
    )
    assert (problem.reference, problem.text, problem.codings[0].code) == ("Condition/c", "Sepsis", "91302008")
    assert (problem.clinical_status, problem.verification_status) == ("active", "provisional")
    assert problem.date == datetime(2020, 1, 1, tzinfo=UTC)


def test_statuses_of_older_versions_are_plain_words() -> None:
    problem = problem_of(
        {"resourceType": "Condition", "code": "Gout", "clinicalStatus": "resolved", "assertedDate": "2019"}
    )
    assert (problem.text, problem.clinical_status, problem.reference) == ("Gout", "resolved", "Condition")
    assert problem.date == datetime(2019, 1, 1, tzinfo=UTC)


def test_a_condition_without_a_name_is_said_to_be_unavailable() -> None:
    with pytest.raises(Unreadable, match="not-available"):
        problem_of({"resourceType": "Condition", "clinicalStatus": "active"})


@pytest.mark.parametrize(
    ("stated", "status"),
    [
        ({"abatementDateTime": "2019-03"}, "resolved"),
        ({"abatementBoolean": True}, "resolved"),
        ({"abatementBoolean": False}, ""),
        ({"abatementDateTime": "2019-03", "clinicalStatus": "active"}, "active"),
        ({}, ""),
    ],
)
def test_d5_an_end_stands_for_a_status_where_none_is_given(stated: dict[str, object], status: str) -> None:
    assert problem_of({"resourceType": "Condition", "code": "Gout", **stated}).clinical_status == status
