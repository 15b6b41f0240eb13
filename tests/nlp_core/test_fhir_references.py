"""References in all their forms become one handle, and decide whose a resource is."""

from __future__ import annotations

import time

import pytest

from nlp_core.fhir_references import References, WhosePatient, base_of, identifier_handle, patient_handles


@pytest.mark.parametrize(
    ("reference", "handle"),
    [
        ({"reference": "Patient/1"}, "Patient/1"),
        ({"reference": "Patient/1/_history/2"}, "Patient/1"),
        ({"reference": "https://h/fhir/Patient/1"}, "Patient/1"),
        ("Patient/1", "Patient/1"),
        ({"reference": "urn:uuid:ABC"}, "urn:uuid:abc"),
        ({"reference": "URN:UUID:known"}, "Practitioner/9"),
        ({"reference": "Practitioner?identifier=http://npi|99"}, "identifier:http://npi|99"),
        ({"identifier": {"system": "http://npi", "value": "99"}}, "identifier:http://npi|99"),
        ({"type": "Device", "identifier": {"system": "http://npi", "value": "99"}}, ""),
        ({"reference": "Device?identifier=http://npi|99"}, ""),
        ({"reference": "Patient?identifier=a|1&identifier=b|2"}, ""),
        ({"reference": "Patient?name=x"}, ""),
        ({"reference": "#x"}, ""),
        ({"reference": "Patient/1?x=y"}, ""),
        ({"reference": "Patient/../2"}, ""),
        ({"reference": "javascript:Patient/1"}, ""),
        ({}, ""),
        (None, ""),
        (5, ""),
    ],
)
def test_each_form_has_one_handle(reference: object, handle: str) -> None:
    assert References({"urn:uuid:known": "Practitioner/9"}).handle(reference) == handle


def test_absolute_references_lie_under_a_known_base_or_stay_foreign() -> None:
    references = References(bases=frozenset({"ehr.example.org/fhir"}))
    assert references.handle("http://EHR.example.org/fhir/Patient/1") == "Patient/1"
    for foreign in ("https://ehr.example.org/fhirevil/Patient/1", "https://evil.org/ehr.example.org/fhir/Patient/1"):
        assert references.handle(foreign) == foreign
    assert base_of("https://EHR.example.org/fhir/Patient/1") == "ehr.example.org/fhir"
    assert base_of("urn:uuid:x") == ""


def test_identifiers_shared_in_a_family_or_old_name_nobody() -> None:
    medical = {"system": "http://mrn", "value": "1", "type": {"coding": [{"code": "MR"}]}}
    member = {"system": "http://payer", "value": "1", "type": {"coding": [{"code": "MB"}]}}
    assert identifier_handle(medical) == "identifier:http://mrn|1"
    assert identifier_handle({"system": "http://mrn", "value": "1"}) == "identifier:http://mrn|1"
    assert identifier_handle(member) == ""
    assert identifier_handle({**medical, "use": "old"}) == ""
    assert identifier_handle({"value": "1"}) == ""


def test_handles_of_a_patient_come_from_that_patient_only() -> None:
    patients = [
        {"id": "p1", "identifier": [{"system": "s", "value": "1"}]},
        {"id": "p2", "identifier": [{"system": "s", "value": "2"}]},
    ]
    assert patient_handles("p1", patients) == {"Patient/p1", "urn:uuid:p1", "urn:oid:p1", "identifier:s|1"}


def test_observation_about_someone_else_is_not_the_patients() -> None:
    whose = WhosePatient(patient_handles("p1", []), References())
    observation = {"resourceType": "Observation", "subject": {"reference": "Patient/p1"}}
    assert whose.owns(observation)
    assert whose.owns({**observation, "focus": [{"reference": "Device/1"}, {"reference": "Patient/p1"}]})
    for focus in (
        {"reference": "Patient/p2"},
        {"reference": "RelatedPerson/1"},
        {"display": "fetus"},
        {"reference": "#f"},
        3,
    ):
        assert not whose.owns({**observation, "focus": [focus]})


@pytest.mark.parametrize(
    "text", ["https://" + "/" * 200_000, "https://a/" + "B/" * 100_000, "Patient?" + "&" * 200_000]
)
def test_long_references_cost_little(text: str) -> None:
    began = time.process_time()
    References().handle(text)
    assert time.process_time() - began < 0.1
