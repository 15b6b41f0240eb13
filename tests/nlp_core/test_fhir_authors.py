"""An author is a role, never a name."""

from __future__ import annotations

from typing import Any

import pytest

from nlp_core.fhir_authors import Roles, authors_of, role_of
from nlp_core.fhir_references import References

ROLE: dict[str, Any] = {
    "resourceType": "PractitionerRole",
    "id": "r",
    "practitioner": {"reference": "Practitioner/x", "display": "Dr. Ann Lee"},
    "code": [{"coding": [{"code": "1", "display": "Emergency physician"}], "text": "ER doc"}],
}


@pytest.mark.parametrize(
    ("author", "role"),
    [
        ({"reference": "PractitionerRole/r", "display": "Dr. Ann Lee"}, "Emergency physician"),
        ({"reference": "Practitioner/x", "display": "Dr. Ann Lee"}, "Emergency physician"),
        ({"reference": "Practitioner/y", "display": "Dr. Bob Roe"}, ""),
        ({"display": "Dr. Bob Roe"}, ""),
        ("PractitionerRole/r", "Emergency physician"),
    ],
)
def test_role_is_found_by_role_or_by_its_holder(author: object, role: str) -> None:
    assert Roles({"PractitionerRole/r": ROLE}, References()).of([author]) == role


def test_role_by_the_holders_identifier() -> None:
    held = {**ROLE, "practitioner": {"identifier": {"system": "npi", "value": "9"}, "display": "Dr. Ann Lee"}}
    author = {"reference": "Practitioner?identifier=npi|9"}
    assert Roles({"PractitionerRole/r": held}, References()).of([{}, author]) == "Emergency physician"


def test_a_role_that_repeats_the_name_is_passed_over() -> None:
    assert role_of({**ROLE, "code": [{"text": "Dr. Lee"}], "specialty": [{"text": "Cardiology"}]}) == "Cardiology"
    assert role_of({**ROLE, "code": [{"text": "Dr. Lee"}]}) == ""
    assert role_of({}) == ""


def test_authors_interpreters_and_performers_are_asked() -> None:
    references = [{"reference": "a"}, {"reference": "b"}]
    assert authors_of({"author": references[:1], "performer": references[1]}) == references
