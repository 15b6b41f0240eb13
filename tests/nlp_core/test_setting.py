"""Where a patient is seen: from encounters of every FHIR version, from the words of a note, and what follows from it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from nlp_core.chart import Setting
from nlp_core.fhir_notes import chart_from_resources
from nlp_core.setting import setting_of

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def encounter(
    identity: str, written: Any, start: str | None = "2026-10-31", end: str | None = None, status: str = "in-progress"
) -> dict[str, Any]:
    period = {"period": {key: value for key, value in (("start", start), ("end", end)) if value}}
    subject = {"reference": "Patient/1"}
    return {
        "resourceType": "Encounter",
        "id": identity,
        "status": status,
        "class": written,
        "subject": subject,
        **period,
    }


def setting(*encounters: dict[str, Any]) -> Setting | None:
    return chart_from_resources(encounters, patient_id="1", as_of=NOW).setting


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "EMER"}, "emergency"),  # R4
        ([{"coding": [{"code": "IMP"}]}], "inpatient"),  # R5
        ("outpatient", "ambulatory"),  # DSTU2
        ({"code": "VR"}, "ambulatory"),
        ({"code": "unheard of"}, None),
        (None, None),
        (7, None),
        ([], None),
    ],
)
def test_the_class_of_an_encounter(written: Any, expected: Setting | None) -> None:
    assert setting(encounter("1", written)) == expected


def test_the_encounter_that_began_last_counts() -> None:
    older, newer = encounter("1", {"code": "IMP"}, "2026-10-20"), encounter("2", {"code": "EMER"}, "2026-10-31")
    undated = encounter("3", {"code": "AMB"}, None)
    assert setting(older, newer, undated) == setting(undated, newer, older) == "emergency"


@pytest.mark.parametrize(
    "other",
    [
        encounter("1", {"code": "AMB"}, "2027-02-01", status="planned"),
        encounter("1", {"code": "AMB"}, "2026-11-20"),  # to come
        encounter("1", {"code": "AMB"}, "2026-10-31", status="cancelled"),
        encounter("1", {"code": "IMP"}, "2009-05-01", "2009-05-09"),
        encounter("1", {"code": "IMP"}, "2009-05-01"),  # never closed
    ],
)
def test_what_is_not_of_today_says_nothing(other: dict[str, Any]) -> None:
    assert setting(other) is None
    assert setting(other, encounter("2", {"code": "EMER"}, "2026-10-31")) == "emergency"


def test_a_chart_without_encounters_says_nothing() -> None:
    assert setting() is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A 40-year-old man is brought to the emergency department by ambulance.", "emergency"),
        ("She comes to the physician because of cough.", "ambulatory"),
        ("He was seen in the outpatient clinic; last year in the emergency department.", "ambulatory"),
        ("患者因腹痛急诊就诊。", "emergency"),
        ("Admitted to the ward.", "inpatient"),
        ("He was hospitalized for 3 days.", "inpatient"),
        ("Cough for 3 days, tired.", None),
        ("Emergency Department Note\nCough.", "emergency"),
        ("Seen in the ED for cough.", "emergency"),
        ("ER positive breast cancer; metoprolol ER; history of ED on sildenafil.", None),
    ],
)
def test_the_opening_of_a_note(text: str, expected: Setting | None) -> None:
    assert setting_of(text) == expected
