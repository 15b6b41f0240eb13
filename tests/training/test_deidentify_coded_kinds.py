"""The 18 kinds of identifier that Safe Harbor names, each in coded fields: none leaves, by either profile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.training.deidentify_runs import KEY, arguments, everything, resources, write_lines
from training.__main__ import main
from training.deidentify.kinds import Kind

UCUM = "http://unitsofmeasure.org"
EHR = "https://ehr.marrowhill.example"
PLANTED: dict[Kind, tuple[str, ...]] = {
    Kind.NAME: ("Okparaebo", "Theodora", "Ikenna", "Quattlebaum", "Szymanski", "Halina", "Obiageli"),
    Kind.PLACE: (
        "88 Lantern Hill Road", "Wexcombe", "Hampden County", "01109-2231", "42.1015", "-72.5898", "Marrowhill", "Ward Kestrel",
        "Dunmorrow",
    ),
    Kind.DATE: (
        "1948-07-21", "2019-11-23", "2021-03-05", "2021-03-09", "2021-04-17", "2020-02-11", "2018-06-30", "2021-09", "1911-05-06",
        "1911",
    ),
    Kind.PHONE: ("413-555-0142", "413-555-0177", "413-555-0108"),
    Kind.FAX: ("413-555-0199",),
    Kind.EMAIL: ("theo.okp@mail.example.com", "h.szym@marrowhill.example"),
    Kind.SOCIAL_SECURITY: ("531-40-2218",),
    Kind.MEDICAL_RECORD: ("MRN-00482913",),
    Kind.HEALTH_PLAN: ("HPN-7741-22", "SUB-553201", "DEP-02-7741"),
    Kind.ACCOUNT: ("ACCT-900417", "VISIT-33127"),
    Kind.LICENCE: ("S99940903", "1790012345", "MA-LIC-40771"),
    Kind.VEHICLE: ("1HGCM82633A004352", "PLATE-4KX-913"),
    Kind.DEVICE: ("PZK601887S", "LOT-66120", "(01)00844588003288(21)PZK601887S", "00844588003288", "DI-55-1200"),
    Kind.URL: ("https://okparaebo.example.org/theodora", EHR, "https://device.marrowhill.example/d1"),
    Kind.IP: ("203.0.113.77", "2001:db8::7f3a"),
    Kind.BIOMETRIC: ("0.13 0.92 1.44 0.07 E U", "Rk1SACAyMAAAAwYJDA8SFRgbHiEkJyotMDM2Of/+gZ0=", "FPT-7781-LEFT-THUMB"),
    Kind.PHOTO: ("/9j/4AAQSkZJRgABAQEASABIAAD", "iVBORw0KGgoAAAANSUhEUgAA", "portrait_0142.jpg"),
    Kind.OTHER: (
        "ACC-2021-55810", "DOC-900-17", "1.2.840.99.1.20210305.7", "pat-okp-1", "enc-4711", "STUDY-TX-0042", "RUN-77-123",
    ),
}  # fmt: skip


def identifier(value: str, code: str = "", system: str = f"{EHR}/ids") -> dict[str, Any]:
    kind = (
        {"type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": code}]}}
        if code
        else {}
    )
    return {"system": system, "value": value, **kind}


def export() -> list[dict[str, Any]]:
    """One patient's resources, with every kind of identifier where FHIR has a coded field for it."""
    whose = {"reference": f"{EHR}/fhir/Patient/pat-okp-1", "display": "Okparaebo, Theodora"}
    doctor = {"reference": "Practitioner/dr-7", "display": "Dr. Halina Szymanski"}
    meta = {
        "lastUpdated": "2021-04-17T08:00:00Z",
        "versionId": "RUN-77-123",
        "source": f"{EHR}#RUN-77-123",
        "tag": [{"code": "STUDY-TX-0042"}],
    }
    at = {"start": "2021-03-05T10:00:00-05:00", "end": "2021-03-09"}
    loinc = {"coding": [{"system": "http://loinc.org", "code": "8867-4", "display": "Heart rate"}]}
    return [
        {"resourceType": "Patient", "id": "pat-okp-1", "meta": meta, "implicitRules": EHR, "active": True, "gender": "female",
         "identifier": [identifier("MRN-00482913", "MR"), identifier("531-40-2218", "SS", "http://hl7.org/fhir/sid/us-ssn"), identifier("HPN-7741-22", "MB"),
                        identifier("ACCT-900417", "AN"), identifier("S99940903", "DL"), identifier("1HGCM82633A004352"), identifier("FPT-7781-LEFT-THUMB"),
                        identifier("STUDY-TX-0042") | {"period": at, "assigner": {"display": "Marrowhill Hospital"}}],
         "name": [{"use": "official", "text": "Theodora Okparaebo", "family": "Okparaebo", "given": ["Theodora"], "suffix": ["Obiageli"], "period": {"start": "2019-11-23"}},
                  {"use": "maiden", "family": "Quattlebaum"}],
         "telecom": [{"system": "phone", "value": "413-555-0142", "period": at}, {"system": "fax", "value": "413-555-0199"}, {"system": "email", "value": "theo.okp@mail.example.com"},
                     {"system": "url", "value": "https://okparaebo.example.org/theodora"}, {"system": "other", "value": "203.0.113.77"}, {"system": "sms", "value": "413-555-0108"}],
         "birthDate": "1948-07-21", "_birthDate": {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/patient-birthTime", "valueDateTime": "1948-07-21T04:10:00Z"}]},
         "deceasedDateTime": "2021-09",
         "address": [{"text": "88 Lantern Hill Road, Wexcombe", "line": ["88 Lantern Hill Road"], "city": "Wexcombe", "district": "Hampden County", "state": "MA", "postalCode": "01109-2231",
                      "country": "US", "period": at, "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/geolocation", "extension": [{"url": "latitude", "valueDecimal": 42.1015}, {"url": "longitude", "valueDecimal": -72.5898}]}]}],
         "photo": [{"contentType": "image/jpeg", "data": "/9j/4AAQSkZJRgABAQEASABIAAD", "title": "portrait_0142.jpg", "creation": "2018-06-30"}],
         "contact": [{"name": {"family": "Okparaebo", "given": ["Ikenna"]}, "telecom": [{"system": "phone", "value": "413-555-0177"}], "address": {"city": "Wexcombe"}}],
         "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/patient-birthPlace", "valueAddress": {"city": "Dunmorrow"}},
                       {"url": "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName", "valueString": "Quattlebaum"},
                       {"url": f"{EHR}/fingerprint", "valueBase64Binary": "Rk1SACAyMAAAAwYJDA8SFRgbHiEkJyotMDM2Of/+gZ0="}],
         "generalPractitioner": [doctor], "managingOrganization": {"reference": "Organization/o-3", "display": "Marrowhill Hospital"}},
        {"resourceType": "RelatedPerson", "id": "rel-1", "patient": whose, "name": [{"family": "Okparaebo", "given": ["Ikenna"]}], "telecom": [{"system": "phone", "value": "413-555-0177"}], "birthDate": "2018-06-30"},
        {"resourceType": "Practitioner", "id": "dr-7", "identifier": [identifier("1790012345", "NPI", "http://hl7.org/fhir/sid/us-npi")], "name": [{"family": "Szymanski", "given": ["Halina"]}],
         "telecom": [{"system": "email", "value": "h.szym@marrowhill.example"}], "birthDate": "2018-06-30", "photo": [{"contentType": "image/png", "data": "iVBORw0KGgoAAAANSUhEUgAA"}],
         "qualification": [{"identifier": [identifier("MA-LIC-40771", "MD")], "code": {"coding": [{"code": "MD"}]}, "period": at, "issuer": {"display": "Marrowhill Board"}}]},
        {"resourceType": "Organization", "id": "o-3", "name": "Marrowhill Hospital", "alias": ["Marrowhill"], "telecom": [{"system": "phone", "value": "413-555-0108"}], "address": [{"city": "Wexcombe", "postalCode": "01109-2231"}]},
        {"resourceType": "Location", "id": "l-1", "name": "Ward Kestrel", "identifier": [identifier("PLATE-4KX-913")], "description": "Marrowhill", "position": {"latitude": 42.1015, "longitude": -72.5898}},
        {"resourceType": "Encounter", "id": "enc-4711", "identifier": [identifier("VISIT-33127", "VN")], "status": "finished", "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
         "subject": whose, "period": at, "participant": [{"individual": doctor, "period": at}], "location": [{"location": {"reference": "Location/l-1", "display": "Ward Kestrel"}, "period": at}], "account": [identifier("ACCT-900417")],
         "hospitalization": {"preAdmissionIdentifier": identifier("VISIT-33127"), "dischargeDisposition": {"text": "home"}}},
        {"resourceType": "Condition", "id": "c-1", "subject": whose, "code": {"text": "Gout"}, "onsetDateTime": "1911-05-06", "abatementDateTime": "2020-02-11", "recordedDate": "2021-04-17"},
        {"resourceType": "Condition", "id": "c-2", "subject": whose, "code": {"text": "Cataract"}, "onsetAge": {"value": 93, "unit": "years", "system": UCUM, "code": "a"}},
        {"resourceType": "Observation", "id": "ob-1", "status": "final", "code": loinc, "subject": whose, "encounter": {"reference": "Encounter/enc-4711", "identifier": identifier("VISIT-33127")}, "effectiveDateTime": "2021-03-05T11:30:00-05:00",
         "issued": "2021-03-09T00:00:00Z", "performer": [doctor], "device": {"reference": "Device/d1", "identifier": identifier("DI-55-1200")},
         "valueSampledData": {"origin": {"value": 0}, "period": 2, "dimensions": 1, "data": "0.13 0.92 1.44 0.07 E U"}, "component": [{"code": loinc, "valueDateTime": "2020-02-11"}]},
        {"resourceType": "Media", "id": "m-1", "status": "completed", "subject": whose, "createdDateTime": "2021-03-05", "deviceName": "203.0.113.77", "content": {"contentType": "image/png", "data": "iVBORw0KGgoAAAANSUhEUgAA", "url": f"{EHR}/portrait_0142.jpg"}},
        {"resourceType": "Media", "id": "m-2", "status": "completed", "subject": whose, "content": {"contentType": "application/octet-stream", "data": "Rk1SACAyMAAAAwYJDA8SFRgbHiEkJyotMDM2Of/+gZ0="}},
        {"resourceType": "Device", "id": "d1", "patient": whose, "identifier": [identifier("DI-55-1200")], "serialNumber": "PZK601887S", "lotNumber": "LOT-66120", "distinctIdentifier": "DI-55-1200", "manufactureDate": "2018-06-30",
         "udiCarrier": [{"deviceIdentifier": "00844588003288", "carrierHRF": "(01)00844588003288(21)PZK601887S"}], "url": "https://device.marrowhill.example/d1", "type": {"text": "Pacemaker"}},
        {"resourceType": "Coverage", "id": "cov-1", "status": "active", "beneficiary": whose, "subscriberId": "SUB-553201", "dependent": "DEP-02-7741", "identifier": [identifier("HPN-7741-22", "MB")], "period": at, "payor": [{"display": "Dunmorrow Health"}]},
        {"resourceType": "DocumentReference", "id": "doc-1", "masterIdentifier": identifier("DOC-900-17"), "status": "current", "subject": whose, "date": "2021-03-09T12:00:00Z", "author": [doctor],
         "content": [{"attachment": {"contentType": "image/jpeg", "data": "/9j/4AAQSkZJRgABAQEASABIAAD", "url": f"{EHR}/portrait_0142.jpg", "creation": "2021-03-09"}}]},
        {"resourceType": "Specimen", "id": "s-1", "subject": whose, "accessionIdentifier": identifier("ACC-2021-55810"), "receivedTime": "2021-03-05T09:00:00Z", "collection": {"collectedDateTime": "2021-03-05"}},
        {"resourceType": "ImagingStudy", "id": "i-1", "status": "available", "subject": whose, "identifier": [identifier("1.2.840.99.1.20210305.7")], "started": "2021-03-05", "endpoint": [{"display": EHR}], "series": [{"uid": "1.2.840.99.1.20210305.7", "started": "2021-03-05"}]},
        {"resourceType": "Provenance", "id": "p-1", "target": [whose], "recorded": "2021-04-17T08:00:00Z", "agent": [{"who": doctor | {"identifier": identifier("2001:db8::7f3a")}}], "signature": [{"data": "Rk1SACAyMAAAAwYJDA8SFRgbHiEkJyotMDM2Of/+gZ0="}]},
        {"resourceType": "AuditEvent", "id": "a-1", "recorded": "2021-04-17T08:00:00Z", "agent": [{"network": {"address": "203.0.113.77"}}]},
    ]  # fmt: skip


def test_every_kind_is_planted() -> None:
    assert set(PLANTED) == set(Kind)
    words = json.dumps(export())
    assert [value for values in PLANTED.values() for value in values if value not in words] == []


@pytest.mark.parametrize("profile", ["safe-harbor", "expert-shift"])
def test_no_kind_of_identifier_leaves_in_a_coded_field(tmp_path: Path, profile: str) -> None:
    (tmp_path / "export").mkdir()
    (tmp_path / "key").write_text(KEY)
    write_lines(tmp_path / "export" / "okparaebo.ndjson", export())
    assert main(arguments(tmp_path / "export", tmp_path / "out", profile=profile)) == 0
    found = resources(tmp_path / "out")
    assert len(found) == len(export()) - 1  # no rule knows an AuditEvent
    words = json.dumps(found, ensure_ascii=False) + everything(found)
    got_through = {
        kind: [value for value in values if value.lower() in words.lower()] for kind, values in PLANTED.items()
    }
    assert {kind: values for kind, values in got_through.items() if values} == {}
    aged = [one for one in found if one["resourceType"] == "Condition" and "onsetAge" in one]
    assert [one["onsetAge"]["value"] for one in aged] == [90]
    assert next(one for one in found if one["resourceType"] == "Patient")["address"] == [
        {"state": "MA", "postalCode": "011", "country": "US"}
    ]
    if profile == "safe-harbor":
        assert not [one for one in found if _says_a_day(one)]


def _says_a_day(value: Any) -> bool:
    """Is there any date or time that says more than a year?"""
    if isinstance(value, dict):
        return any(map(_says_a_day, value.values()))
    if isinstance(value, list):
        return any(map(_says_a_day, value))
    return (
        isinstance(value, str) and len(value) > 6 and value[:4].isdigit() and value[4] == "-" and value[5:7].isdigit()
    )
