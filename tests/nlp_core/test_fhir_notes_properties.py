"""Whatever a server sends: a chart comes out, in order, and never with another patient's words.

How many examples is the profile's decision (tests/conftest.py, HYPOTHESIS_PROFILE); no number stands here.
"""

from __future__ import annotations

import base64
import copy
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from nlp_core.chart import Chart
from nlp_core.fhir_notes import attachment_urls, chart_from_resources
from nlp_core.newest_first import CLOCK_SLACK

AS_OF = datetime(2026, 6, 1, tzinfo=UTC)
SECRET = "SECRETWORDS"

any_text = st.text(st.characters(exclude_categories=()), max_size=20)
json_value = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=8,
)
date = st.sampled_from(
    ["2026-05-01T10:00:00Z", "2019", "2020-02", "2026-05-01T10:00:00", "", "2031-01-01", "9999", "yesterday"]
)
other_subject: st.SearchStrategy[object] = st.sampled_from(
    [
        {"reference": "Patient/p2"},
        {"reference": "Patient/P1"},
        {"reference": "https://ehr.example.org/fhir/Patient/p2"},
        {"reference": "urn:uuid:00000000-0000-4000-8000-000000000000"},
        {"identifier": {"system": "http://mrn", "value": "2"}},
        {"reference": "#p1"},
        {"reference": "Group/p1"},
        "Patient/p2",
        None,
    ]
)


def attachment(text: str) -> dict[str, Any]:
    return {"contentType": "text/plain; charset=utf-8", "data": base64.b64encode(text.encode()).decode()}


def clinical(kind: str, words: str, when: str) -> dict[str, Any]:
    """A valid resource of any kind the chart reads, saying `words` in every place that is read."""
    concept = {"text": words, "coding": [{"system": "http://loinc.org", "code": "1-8", "display": words}]}
    narrative = {"status": "generated", "div": f"<div><p>{words}</p></div>"}
    fields: dict[str, dict[str, Any]] = {
        "DocumentReference": {"date": when, "type": concept, "content": [{"attachment": attachment(words)}]},
        "DiagnosticReport": {"issued": when, "code": concept, "conclusion": words,
                             "presentedForm": [attachment(words)]},
        "Composition": {"date": when, "type": concept, "section": [{"title": words, "text": narrative}]},
        "Condition": {"code": concept, "onsetDateTime": when, "clinicalStatus": concept},
        "Observation": {"code": concept, "effectiveDateTime": when, "valueQuantity": {"value": 6.2, "unit": words},
                        "component": [{"code": concept, "valueString": words}], "interpretation": [concept]},
        "MedicationRequest": {"medicationCodeableConcept": concept, "authoredOn": when},
        "AllergyIntolerance": {"code": concept, "reaction": [{"manifestation": [concept]}]},
        "Procedure": {"code": concept, "performedDateTime": when},
        "FamilyMemberHistory": {"relationship": concept, "condition": [{"code": concept}]},
        "Encounter": {"reasonCode": [concept], "period": {"start": when}},
    }  # fmt: skip
    return {"resourceType": kind, "status": "final", **fields[kind]}


KINDS = [
    "DocumentReference", "DiagnosticReport", "Composition", "Condition", "Observation", "MedicationRequest",
    "AllergyIntolerance", "Procedure", "FamilyMemberHistory", "Encounter",
]  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn, found: dict[str, Any], keep: frozenset[str] = frozenset()) -> dict[str, Any]:
    """`found` with up to four values anywhere inside replaced, dropped or wrapped; top-level names in `keep` stay."""
    result = copy.deepcopy(found)
    for _ in range(draw(st.integers(0, 4))):
        place: Any = result
        for depth in range(draw(st.integers(1, 6))):
            names = sorted(name for name in place if depth or name not in keep) if isinstance(place, dict) else []
            options: list[Any] = names or (list(range(len(place))) if isinstance(place, list) else [])
            if not options:
                break
            step = draw(st.sampled_from(options))
            if not isinstance(place[step], dict | list) or draw(st.booleans()):
                place[step] = draw(json_value | st.just([place[step]]) | st.just({"value": place[step]}))
                break
            place = place[step]
    return result


@st.composite
def own_resource(draw: st.DrawFn) -> dict[str, Any]:
    found = clinical(draw(st.sampled_from(KINDS)), f"own words {draw(st.integers(0, 9))}", draw(date))
    found.update(id=str(draw(st.integers(0, 5))), subject={"reference": "Patient/p1"})
    return draw(mutated(found))


@st.composite
def other_resource(draw: st.DrawFn) -> dict[str, Any]:
    found = clinical(draw(st.sampled_from(KINDS)), f"{SECRET} {draw(st.integers(0, 9))}", draw(date))
    found.update(id=str(draw(st.integers(0, 5))), subject=draw(other_subject))
    return draw(mutated(found, frozenset({"subject", "patient", "resourceType"})))


patient = mutated(
    {
        "resourceType": "Patient",
        "id": "p1",
        "birthDate": "1960-02-03",
        "gender": "female",
        "identifier": [{"system": "http://mrn", "value": "1"}],
    }
)
charts = st.lists(own_resource() | other_resource() | patient, max_size=12)


def bundled(resources: list[dict[str, Any]]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "entry": [{"resource": resource} for resource in resources]}


def read(resources: list[Any]) -> Chart:
    return chart_from_resources(resources, patient_id="p1", as_of=AS_OF)


@settings(deadline=None)
@given(charts, st.booleans())
def test_another_patients_words_never_get_in(resources: list[dict[str, Any]], in_bundle: bool) -> None:
    given_resources = [bundled(resources)] if in_bundle else resources
    assert SECRET not in read(given_resources).model_dump_json()
    attachment_urls(given_resources, patient_id="p1", as_of=AS_OF)


@settings(deadline=None)
@given(charts)
def test_notes_come_newest_first_then_future_then_undated_and_each_once(resources: list[dict[str, Any]]) -> None:
    notes = read(resources).notes
    groups = [2 if note.date is None else int(note.date > AS_OF + CLOCK_SLACK) for note in notes]
    assert groups == sorted(groups)
    for group in (0, 1):
        dates = [note.date for note, found in zip(notes, groups, strict=True) if found == group and note.date]
        assert dates == sorted(dates, reverse=True)
    assert len({note.text for note in notes}) == len(notes)


@settings(deadline=None)
@given(charts)
def test_a_chart_crosses_json_unchanged(resources: list[dict[str, Any]]) -> None:
    chart = read(resources)
    assert Chart.model_validate_json(chart.model_dump_json()) == chart
    assert all(entry.count > 0 for entry in chart.unread)


@settings(deadline=None)
@given(
    st.lists(
        json_value | st.dictionaries(st.sampled_from(["resourceType", "id", "entry", "subject"]), json_value),
        max_size=5,
    )
)
def test_any_json_gives_a_chart(resources: list[Any]) -> None:
    chart = read(resources)
    assert chart.notes == ()
    assert attachment_urls(resources, patient_id="p1", as_of=AS_OF) == []


@settings(deadline=None)
@given(
    st.binary(max_size=400),
    st.sampled_from(["text/plain", "text/html", "text/rtf", "text/xml", "", "text/plain; charset=gbk"]),
)
def test_any_bytes_give_a_note_or_a_counted_reason(data: bytes, content_type: str) -> None:
    document = clinical("DocumentReference", "x", "2026")
    document["content"] = [{"attachment": {"contentType": content_type, "data": base64.b64encode(data).decode()}}]
    chart = read([{**document, "id": "1", "subject": {"reference": "Patient/p1"}}])
    assert len(chart.notes) + sum(entry.count for entry in chart.unread) == 1
    assert "malformed" not in {entry.reason for entry in chart.unread}


@settings(deadline=None)
@given(st.text(max_size=200))
def test_plain_text_comes_back_to_the_character(text: str) -> None:
    document = clinical("DocumentReference", f"Note: 胸痛 fever {text}", "2026")
    chart = read([{**document, "id": "1", "subject": {"reference": "Patient/p1"}}])
    if chart.notes:
        assert chart.notes[0].text == f"Note: 胸痛 fever {text}"
    else:  # mostly control characters: taken for a file
        assert {entry.reason for entry in chart.unread} <= {"undecodable", "not-text"}
