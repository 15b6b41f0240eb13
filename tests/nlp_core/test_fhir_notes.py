"""A mix of FHIR resources becomes one patient's chart, and nothing else gets in."""

from __future__ import annotations

import base64
import json
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from nlp_core import fhir_reading
from nlp_core.attachments import BinaryContent
from nlp_core.chart import Chart
from nlp_core.fhir_notes import attachment_urls, chart_from_resources
from nlp_core.note import Span

AS_OF = datetime(2026, 6, 1, 12, tzinfo=UTC)
PATIENT = "p1"
EXPORT = Path(__file__).parents[3] / "shared" / "export"


def document(text: str | bytes = "Chest pain.", **fields: Any) -> dict[str, Any]:
    data = text.encode() if isinstance(text, str) else text
    attachment = {"contentType": fields.pop("content_type", "text/plain"), "data": base64.b64encode(data).decode()}
    attachment.update(fields.pop("attachment", {}))
    return {
        "resourceType": "DocumentReference",
        "id": fields.pop("id", "d1"),
        "status": "current",
        "subject": {"reference": f"Patient/{PATIENT}"},
        "date": "2026-05-01T10:00:00Z",
        "content": [{"attachment": attachment}],
        **fields,
    }


def raw_document(data: object, **attachment: Any) -> dict[str, Any]:
    return document(attachment={"data": data, **attachment})


def resource(kind: str, **fields: Any) -> dict[str, Any]:
    return {"resourceType": kind, "id": f"{kind}-1", "subject": {"reference": f"Patient/{PATIENT}"}, **fields}


def read(*resources: Any, **settings: Any) -> Chart:
    return chart_from_resources(resources, patient_id=PATIENT, as_of=AS_OF, **settings)


def texts(chart: Chart) -> list[str]:
    return [note.text for note in chart.notes]


def unread(chart: Chart) -> dict[tuple[str, str], int]:
    return {(entry.what, entry.reason): entry.count for entry in chart.unread}


# Rows of the failure matrix


@pytest.mark.parametrize("data", ["%%%not base64%%%", "QUJ!", "QUJDR", "Patient has had fever for days", "QQ==QQ=="])
def test_c04_invalid_base64_skips_the_note_and_counts_it(data: str) -> None:
    chart = read(raw_document(data))
    assert texts(chart) == []
    assert unread(chart) == {("DocumentReference", "undecodable"): 1}


@pytest.mark.parametrize("line", [4, 60, 64, 76])
def test_c04_base64_with_line_breaks_is_read(line: int) -> None:
    encoded = base64.b64encode("Chest pain since 3 days, no fever. 胸痛三天。".encode()).decode()
    for gap in ("\n", "\r\n", " "):
        wrapped = gap.join(encoded[start : start + line] for start in range(0, len(encoded), line))
        assert texts(read(raw_document(wrapped))) == ["Chest pain since 3 days, no fever. 胸痛三天。"]


def test_c04_base64_invalid_with_line_breaks_url_safe() -> None:
    text = "ÿ¿ þ? >>> ~~~ 胸痛"
    url_safe = base64.urlsafe_b64encode(text.encode()).decode()
    assert "-" in url_safe or "_" in url_safe
    for data in (url_safe, url_safe.rstrip("="), "data:text/plain;base64," + url_safe):
        assert texts(read(raw_document(data))) == [text]


def test_c05_base64_of_100_mb_is_skipped_before_decoding() -> None:
    data = "QUJD" * 33_333_334
    began = time.process_time()
    chart = read(raw_document(data))
    assert time.process_time() - began < 0.05
    assert unread(chart) == {("DocumentReference", "too-large"): 1}


def test_c05_base64_of_base64_is_no_note() -> None:
    twice = base64.b64encode(b"Chest pain radiating to the left arm, dyspnoea.")
    assert unread(read(document(twice))) == {("DocumentReference", "undecodable"): 1}
    assert texts(read(document("hypertriglyceridaemia-cardiomyopathy"))) == ["hypertriglyceridaemia-cardiomyopathy"]


@pytest.mark.parametrize(
    "data",
    [
        b"%PDF-1.7\n1 0 obj",
        b"\x1f\x8b\x08\x00abc",
        b"MZ\x90\x00\x03\x00\x00",
        b"PK\x03\x04docx",
        b"\x89PNG\r\n",
        bytes(99),
    ],
    ids=["pdf", "gzip", "pe", "zip", "png", "zeros"],
)
def test_c06_text_plain_that_is_a_file_is_skipped_and_counted(data: bytes) -> None:
    chart = read(document(data), document("Fever.", id="d2"))
    assert texts(chart) == ["Fever."]
    assert sum(unread(chart).values()) == 1
    assert not read(document(data)).notes


def test_c06_declared_pdf_is_not_text() -> None:
    assert unread(read(document(content_type="application/pdf"))) == {("DocumentReference", "not-text"): 1}


@pytest.mark.parametrize(
    ("content_type", "markup"),
    [
        ("text/html", "<html><body><p>Chest pain &amp; fever</p><script>x</script></body></html>"),
        ("text/html", "Chest pain &amp; fever"),
        ("application/xhtml+xml", '<div xmlns="http://www.w3.org/1999/xhtml">Chest pain &amp; fever</div>'),
        ("text/rtf", r"{\rtf1\ansi{\fonttbl{\f0 Arial;}}\f0 Chest pain & fever}"),
        ("text/plain", "<html><body>Chest pain &amp; fever</body></html>"),
        ("text/plain", r"{\rtf1\ansi Chest pain & fever}"),
    ],
)
def test_c07_html_xhtml_rtf_give_their_text(content_type: str, markup: str) -> None:
    assert texts(read(document(markup, content_type=content_type))) == ["Chest pain & fever"]


def test_c07_ccda_gives_its_sections_and_entities_are_never_resolved() -> None:
    ccda = (
        '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "boom"><!ENTITY f SYSTEM "file:///etc/passwd">]>'
        '<ClinicalDocument xmlns="urn:hl7-org:v3"><recordTarget><patientRole><patient><name>Jane Roe</name></patient>'
        "</patientRole></recordTarget><component><structuredBody><component><section><title>Plan</title>"
        "<text><paragraph>Rest &a;&f; and fluids</paragraph></text></section></component></structuredBody></component>"
        "</ClinicalDocument>"
    )
    found = texts(read(document(ccda, content_type="text/xml")))
    assert not [word for word in ("boom", "root:", "Jane") if word in str(found)]
    plain = texts(read(document(ccda.replace("&a;&f; ", ""), content_type="application/xml")))
    assert plain == ["Plan\nRest and fluids"]


def test_c07_entity_bomb_costs_nothing() -> None:
    layers = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY e0 "ha">{layers}]><b>&e11;</b>'
    began = time.process_time()
    chart = read(document(bomb, content_type="text/xml"))
    assert time.process_time() - began < 0.2
    assert "haha" not in str(texts(chart))


@pytest.mark.parametrize("declared", ["text/plain; charset=utf-8", "text/plain", "text/plain; charset=gbk"])
def test_c08_gbk_bytes_are_read_whatever_is_declared(declared: str) -> None:
    text = "患者胸痛三天，伴呼吸困难，无发热。BP 120/80"
    chart = read(document(text.encode("gbk"), content_type=declared))
    assert texts(chart) == [text]
    assert chart.notes[0].quote(Span(start=2, end=4)) == "胸痛"


def test_c08_latin_1_bytes_declared_utf_8_lose_only_the_broken_ones() -> None:
    text = "Fièvre élevée, café, douleur à l'épaule"
    assert texts(read(document(text.encode("latin-1"), content_type="text/plain; charset=iso-8859-1"))) == [text]
    broken = read(document(text.encode("latin-1"), content_type="text/plain; charset=utf-8")).notes[0]
    assert broken.text == "".join(c if c.isascii() else "\ufffd" for c in text)
    assert broken.quote(Span(start=15, end=19)) == "caf\ufffd"


def test_c09_entered_in_error_and_superseded_are_ignored_and_counted() -> None:
    chart = read(
        document("a", id="1", status="entered-in-error"),
        document("b", id="2", docStatus="entered-in-error"),
        document("c", id="3", status="superseded"),
        document("d", id="4"),
        document("e", id="5", relatesTo=[{"code": "replaces", "target": {"reference": "DocumentReference/4"}}]),
        document("f", id="6"),
        document(
            "g",
            id="7",
            relatesTo=[
                {"code": {"coding": [{"code": "replaces"}]}, "target": {"reference": "DocumentReference/6/_history/2"}}
            ],
        ),
    )
    assert sorted(texts(chart)) == ["e", "g"]
    assert unread(chart) == {("DocumentReference", "entered-in-error"): 2, ("DocumentReference", "superseded"): 3}


def test_c09_a_withdrawn_or_foreign_document_replaces_nothing() -> None:
    replaces = {"relatesTo": [{"code": "replaces", "target": {"reference": "DocumentReference/1"}}]}
    chart = read(
        document("kept", id="1"),
        document("x", id="2", status="entered-in-error", **replaces),
        document("y", id="3", subject={"reference": "Patient/other"}, **replaces),
    )
    assert texts(chart) == ["kept"]


@pytest.mark.parametrize(
    "metas",
    [
        ({"versionId": "2"}, {"versionId": "10"}),
        ({"lastUpdated": "2026-01-01T00:00:00Z"}, {"lastUpdated": "2026-01-02T00:00:00+08:00"}),
    ],
)
def test_c09_of_two_versions_the_newest_is_read_in_any_order(metas: tuple[dict[str, str], dict[str, str]]) -> None:
    old, new = document("old", meta=metas[0]), document("new", meta=metas[1])
    for order in ((old, new), (new, old)):
        chart = read(*order)
        assert texts(chart) == ["new"]
        assert unread(chart) == {("DocumentReference", "superseded"): 1}


def test_c09_a_newer_version_filed_under_another_patient_takes_the_old_one_away() -> None:
    old = document("old", meta={"versionId": "1"})
    moved = document("old", meta={"versionId": "2"}, subject={"reference": "Patient/other"})
    assert texts(read(old, moved)) == []


def test_c10_identical_notes_count_once_with_the_newest_date() -> None:
    copies = [document("Same words.", id=str(day), date=f"2026-05-{day:02}") for day in range(1, 21)]
    chart = read(*copies)
    assert [(note.text, note.reference) for note in chart.notes] == [("Same words.", "DocumentReference/20")]


def test_c18_future_undated_and_zoneless_notes_come_in_a_safe_order() -> None:
    chart = read(
        document("undated", id="1", date=""),
        document("future", id="2", date="2031-01-01"),
        document("zoneless", id="3", date="2026-05-30T08:00:00"),
        document("old", id="4", date="2020"),
        document("newest", id="5", date="2026-05-31T23:00:00-05:00"),
    )
    assert texts(chart) == ["newest", "zoneless", "old", "future", "undated"]
    dates = [note.date for note in chart.notes]
    assert dates[1] == datetime(2026, 5, 30, 8, tzinfo=UTC)
    assert dates[3] == datetime(2031, 1, 1, tzinfo=UTC)
    assert dates[4] is None


@pytest.mark.parametrize(
    "label",
    [
        {"meta": {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]}},
        {"meta": {"security": [{"code": "V"}]}},
        {"securityLabel": [{"coding": [{"code": "42CFRPart2"}]}]},
        {"securityLabel": [{"coding": [{"code": "N"}, {"code": "HIV"}]}]},
        {"securityLabel": {"text": "restricted"}},
        {"meta": {"security": [{"code": "PSY"}]}},
        {"meta": {"security": [{"code": "ETH"}]}},
    ],
)
def test_c20_restricted_documents_are_used_only_where_allowed(label: dict[str, Any]) -> None:
    chart = read(document(**label), document("Open.", id="d2", meta={"security": [{"code": "N"}]}))
    assert texts(chart) == ["Open."]
    assert unread(chart) == {("DocumentReference", "restricted"): 1}
    assert len(read(document(**label), allow_restricted=True).notes) == 1


def test_c20_restriction_covers_facts_compositions_and_document_bundles() -> None:
    restricted = {"meta": {"security": [{"code": "R"}]}}
    section = {"section": [{"title": "HPI", "text": {"div": "<div>secret</div>"}}]}
    bundle = {
        "resourceType": "Bundle",
        "type": "document",
        **restricted,
        "entry": [{"resource": document("secret", id="b")}],
    }
    chart = read(
        resource("Condition", code={"text": "HIV"}, **restricted),
        resource("Composition", confidentiality="R", **section),
        bundle,
    )
    assert (chart.notes, chart.problems) == ((), ())
    assert {reason for _, reason in unread(chart)} == {"restricted"}
    assert sum(unread(chart).values()) == 3


def test_b10_control_and_invisible_characters_stay_and_offsets_are_exact() -> None:
    text = "\ufeffA\x00B\x07 \u202epain\u202c\u200b zero\u200dwidth\u2028line\r\n\x1b[31mred  "
    note = read(document(text.encode("utf-8-sig"))).notes[0]
    assert note.text == text
    start = note.text.index("pain")
    assert note.quote(Span(start=start, end=start + 4)) == "pain"
    assert read(document(b"\xef\xbb\xbfFever")).notes[0].text == "Fever"


def test_b09_lone_surrogates_become_replacement_characters_everywhere() -> None:
    chart = read(
        resource("DiagnosticReport", conclusion="bad \ud800 end", code={"text": "X-ray \udfff"}),
        resource("Condition", code={"text": "pain \ud83d"}),
        {**resource("Condition", code={"text": "x"}), "id": json.loads('"\\ud800"')},
    )
    assert texts(chart) == ["bad \ufffd end"]
    assert chart.notes[0].kind == "X-ray \ufffd"
    assert {problem.reference for problem in chart.problems} == {"Condition/Condition-1", "Condition"}
    assert Chart.model_validate_json(chart.model_dump_json()) == chart


OTHERS = [
    {"reference": "Patient/p2"},
    {"reference": "Patient/P1"},
    {"reference": "Patient/p1x"},
    {"reference": "Group/p1"},
    {"reference": "RelatedPerson/p1"},
    {"reference": "#p1"},
    {"reference": "urn:uuid:0b1f3a52-0000-4000-8000-000000000000"},
    {"reference": "https://ehr.example.org/fhir/Patient/p2"},
    {"reference": "Patient?identifier=sys|1"},
    {"reference": ""},
    {"display": "Patient p1"},
    {"identifier": {"value": "p1"}},
    {"type": "Patient"},
    {},
    None,
    7,
    [],
    "Patient/p2",
    [{"reference": "Patient/p1"}, {"reference": "Patient/p2"}],
]


@pytest.mark.parametrize("subject", OTHERS)
def test_b20_notes_of_other_patients_or_nobody_are_ignored_and_counted(subject: object) -> None:
    chart = read(document("another's", subject=subject), document("own", id="d2"))
    assert texts(chart) == ["own"]
    assert unread(chart) == {("DocumentReference", "other-patient"): 1}


@pytest.mark.parametrize(
    "subject",
    [
        {"reference": "Patient/p1"},
        {"reference": "Patient/p1/_history/3"},
        {"reference": "/Patient/p1"},
        {"reference": "https://ehr.example.org/fhir/Patient/p1"},
        {"reference": "urn:uuid:9d2b1c7e-1111-4222-8333-444455556666"},
        {"reference": "Patient?identifier=http%3A%2F%2Fmrn|77"},
        {"reference": "Patient?identifier=http://mrn|77"},
        {"identifier": {"system": "http://mrn", "value": "77"}},
        "Patient/p1",
        [{"reference": "Patient/p1"}],
    ],
)
def test_b20_every_form_of_reference_to_the_patient_is_understood(subject: object) -> None:
    bundle = {
        "resourceType": "Bundle",
        "entry": [
            {
                "fullUrl": "urn:uuid:9d2b1c7e-1111-4222-8333-444455556666",
                "resource": {
                    "resourceType": "Patient",
                    "id": "p1",
                    "identifier": [{"system": "http://mrn", "value": "77"}],
                },
            },
            {"resource": document("own", subject=subject)},
        ],
    }
    assert texts(read(bundle)) == ["own"]


def test_b20_an_absolute_reference_to_another_server_is_another_patient() -> None:
    elsewhere = document("x", subject={"reference": "https://other.example/fhir/Patient/p1"})
    here = document("y", id="d2", subject={"reference": "https://EHR.example.org/fhir/Patient/p1"})
    assert texts(read(elsewhere, here, base_url="https://ehr.example.org/fhir/")) == ["y"]
    entry = {"fullUrl": "https://ehr.example.org/fhir/Patient/p1", "resource": {"resourceType": "Patient", "id": "p1"}}
    assert texts(read({"resourceType": "Bundle", "entry": [entry]}, elsewhere, here)) == ["y"]


def test_b20_a_full_url_cannot_make_another_patient_this_one() -> None:
    entry = {"fullUrl": "https://ehr.example.org/fhir/Patient/p2", "resource": {"resourceType": "Patient", "id": "p1"}}
    other = document("x", subject={"reference": "https://ehr.example.org/fhir/Patient/p2"})
    assert texts(read({"resourceType": "Bundle", "entry": [entry]}, other)) == []


def test_b20_other_patients_age_sex_facts_and_problems_are_never_used() -> None:
    other = {"subject": {"reference": "Patient/p2"}}
    chart = read(
        {"resourceType": "Patient", "id": "p2", "gender": "male", "birthDate": "1950-01-01", "deceasedBoolean": True},
        {**resource("Condition", code={"text": "gout"}), **other},
        {**resource("Observation", code={"text": "K"}, valueQuantity={"value": 6}), **other},
        resource(
            "Observation", id="o2", code={"text": "Fetal heart rate"}, valueInteger=150, focus=[{"display": "fetus"}]
        ),
    )
    assert (chart.age_years, chart.sex, chart.deceased, chart.facts, chart.problems) == (None, "unknown", False, (), ())
    assert sum(unread(chart).values()) == 4


def test_b22_unknown_fields_proto_and_extensions_are_ignored() -> None:
    extra: dict[str, Any] = {
        "__proto__": {"status": "entered-in-error"},
        "constructor": {},
        "extension": [{"url": "x", "valueString": "y"}],
        "foo": 1,
    }
    assert read(document(**extra)) == read(document())


# What a chart is made of


def test_note_carries_kind_date_role_and_reference_but_no_name() -> None:
    chart = read(
        document(
            type={"coding": [{"display": "Discharge summary", "code": "18842-5"}]},
            author=[{"reference": "PractitionerRole/r1", "display": "Dr. Ann Lee"}],
        ),
        {
            "resourceType": "PractitionerRole",
            "id": "r1",
            "practitioner": {"reference": "Practitioner/x", "display": "Dr. Ann Lee"},
            "code": [{"text": "Dr. Lee", "coding": [{"display": "Emergency physician"}]}],
        },
    )
    note = chart.notes[0]
    assert (note.kind, note.author_role, note.reference) == (
        "Discharge summary",
        "Emergency physician",
        "DocumentReference/d1",
    )
    assert note.date == datetime(2026, 5, 1, 10, tzinfo=UTC)
    assert "Lee" not in chart.model_dump_json()


def test_plain_text_is_kept_to_the_character() -> None:
    text = "\n  CC:\tchest pain \r\n\r\n  é (NFD e\u0301)  😀 \n\n"
    assert texts(read(document(text))) == [text]


def test_r5_document_and_relations_are_read() -> None:
    r5 = document(
        type={"text": "Progress note"},
        context=[{"reference": "Encounter/1"}],
        period={"start": "2026-01-01"},
        date=None,
    )
    note = read(r5).notes[0]
    assert (note.kind, note.date) == ("Progress note", datetime(2026, 1, 1, tzinfo=UTC))


def test_formats_of_one_document_are_one_note_and_the_next_is_tried_when_one_fails() -> None:
    html = {"contentType": "text/html", "data": base64.b64encode(b"<p>From HTML</p>").decode()}
    pdf = {"contentType": "application/pdf", "data": "JVBERi0="}
    plain = {"contentType": "text/plain", "data": base64.b64encode(b"From text").decode()}
    broken = {"contentType": "text/plain", "data": "%%%"}
    contents = [{"attachment": entry} for entry in (pdf, html, plain)]
    assert texts(read(document(content=contents))) == ["From text"]
    assert texts(read(document(content=[{"attachment": broken}, {"attachment": html}]))) == ["From HTML"]


def test_attachment_by_url_is_read_from_what_was_fetched() -> None:
    by_url = raw_document(None, url="Binary/b1")
    assert unread(read(by_url)) == {("DocumentReference", "not-fetched"): 1}
    fetched = {"Binary/b1": BinaryContent(b"Fetched.", "text/plain")}
    assert texts(read(by_url, binaries=fetched)) == ["Fetched."]
    wrapped = json.dumps(
        {"resourceType": "Binary", "contentType": "text/plain", "data": base64.b64encode(b"Wrapped.").decode()}
    )
    assert texts(read(by_url, binaries={"Binary/b1": BinaryContent(wrapped.encode(), "application/fhir+json")})) == [
        "Wrapped."
    ]


def test_binary_in_the_bundle_is_used_unless_it_is_restricted_or_anothers() -> None:
    by_url = raw_document(None, url="Binary/b1")
    binary = {
        "resourceType": "Binary",
        "id": "b1",
        "contentType": "text/plain",
        "data": base64.b64encode(b"Here.").decode(),
    }
    assert texts(read(by_url, binary)) == ["Here."]
    assert attachment_urls([by_url, binary], patient_id=PATIENT, as_of=AS_OF) == []
    anothers = {**binary, "securityContext": {"reference": "Patient/p2"}}
    assert unread(read(by_url, anothers)) == {("DocumentReference", "other-patient"): 1}
    restricted = {**binary, "meta": {"security": [{"code": "R"}]}}
    assert unread(read(by_url, restricted)) == {("DocumentReference", "restricted"): 1}


def test_attachment_urls_names_one_text_per_document_of_this_patient_newest_first() -> None:
    def by_url(identity: str, url: str, date: str, **fields: Any) -> dict[str, Any]:
        return document(id=identity, date=date, attachment={"data": None, "url": url, "size": 10}, **fields)

    found = attachment_urls(
        [
            by_url("1", "Binary/1", "2026-01-01"),
            by_url("2", "https://ehr.example.org/fhir/Binary/2", "2026-02-01"),
            by_url("3", "Binary/3", "2026-03-01", subject={"reference": "Patient/p2"}),
            by_url("4", "Binary/4", "2026-04-01", status="superseded"),
            by_url("5", "Binary/5", "2026-04-01", content_type="image/png"),
            document("inline", id="6"),
        ],
        patient_id=PATIENT,
        as_of=AS_OF,
    )
    assert [entry.url for entry in found] == ["https://ehr.example.org/fhir/Binary/2", "Binary/1"]
    assert (found[0].reference, found[0].content_type, found[0].size) == ("DocumentReference/2", "text/plain", 10)


def test_diagnostic_report_gives_form_conclusion_and_fact() -> None:
    form = [{"contentType": "text/plain", "data": base64.b64encode(b"Chest X-ray: infiltrate").decode()}]
    report = resource(
        "DiagnosticReport",
        status="final",
        code={"text": "Chest X-ray"},
        effectiveDateTime="2026-05-02",
        presentedForm=form,
        conclusion="Pneumonia.",
        conclusionCode=[{"text": "Lobar pneumonia"}],
    )
    chart = read(report)
    assert texts(chart) == ["Chest X-ray: infiltrate\n\nConclusion:\nPneumonia."]
    assert [(fact.kind, fact.text, fact.value_text) for fact in chart.facts] == [
        ("report", "Chest X-ray", "Lobar pneumonia")
    ]
    assert texts(read({**report, "conclusion": "infiltrate"})) == ["Chest X-ray: infiltrate"]
    assert texts(read({**report, "presentedForm": []})) == ["Pneumonia."]
    only_codes = read({**report, "presentedForm": [], "conclusion": ""})
    assert (only_codes.notes, only_codes.unread) == ((), ())


def test_composition_sections_become_one_note_with_heading_lines() -> None:
    sections = [
        {"title": "History", "text": {"div": '<div xmlns="http://www.w3.org/1999/xhtml"><p>Chest pain</p></div>'}},
        {"title": "Plan", "section": [{"title": "Tests", "text": {"div": "<div>ECG<br/>Troponin</div>"}}]},
        {"title": "Empty"},
    ]
    chart = read(resource("Composition", status="final", type={"text": "ED note"}, date="2026-05-01", section=sections))
    assert texts(chart) == ["History\nChest pain\n\nPlan\n\nTests\nECG\nTroponin"]
    assert chart.notes[0].kind == "ED note"


def test_patient_gives_age_sex_and_death() -> None:
    patient = {"resourceType": "Patient", "id": "p1", "birthDate": "2026-05-29", "gender": "female"}
    chart = read(patient)
    assert chart.age_years == pytest.approx(3 / 365.25)
    assert (chart.sex, chart.deceased) == ("female", False)
    assert read({**patient, "deceasedDateTime": "2026-05-30"}).deceased


def test_nested_bundles_are_flattened_and_repeats_count_once() -> None:
    inner = {"resourceType": "Bundle", "entry": [{"resource": document()}, {"resource": None}, "x", {}]}
    chart = read({"resourceType": "Bundle", "entry": [{"resource": inner}]}, document())
    assert (len(chart.notes), chart.unread) == (1, ())


def test_contained_resources_are_not_read() -> None:
    assert texts(read(document("outer", contained=[document("inner", id="d9")]))) == ["outer"]


@pytest.mark.parametrize("bad", [None, 3, "x", [], {}, {"resourceType": 5}, {"resourceType": ""}])
def test_what_is_no_resource_is_counted_and_loses_nothing(bad: Any) -> None:
    chart = read(bad, document())
    assert len(chart.notes) == 1
    assert unread(chart) == {("Resource", "malformed"): 1}


@pytest.mark.parametrize(
    "field", ["id", "status", "date", "type", "author", "meta", "category", "context", "relatesTo", "securityLabel"]
)
@pytest.mark.parametrize(
    "value", [None, 0, True, "x", [], {}, [None], [[]], {"coding": "x"}, {"coding": [1]}, 1e999, [{"reference": 1}]]
)
def test_one_bad_field_never_loses_the_note(field: str, value: object) -> None:
    bad: dict[str, Any] = {field: value}
    assert texts(read(document(**bad))) == ["Chest pain."]


def test_limits_keep_the_newest_and_count_the_rest() -> None:
    notes = [document(f"note {day}", id=str(day), date=f"2026-05-{day:02}") for day in range(1, 11)]
    chart = read(*notes, max_notes=3)
    assert texts(chart) == ["note 10", "note 9", "note 8"]
    assert unread(chart) == {("DocumentReference", "over-limit"): 7}
    assert texts(read(*notes, max_total_characters=13)) == ["note 10", "note 9"]
    pictures = [document("x", id=f"p{n}", date="2026-05-30", content_type="image/png") for n in range(5)]
    assert texts(read(*notes, *pictures, max_notes=1)) == ["note 10"]
    assert len(read(document("x" * 1000), max_note_bytes=1000).notes) == 1
    assert unread(read(document("x" * 1001), max_note_bytes=1000)) == {("DocumentReference", "too-large"): 1}
    assert unread(read(*notes, max_resources=8))["Resource", "over-limit"] == 2


def test_ten_thousand_entries_are_read_newest_first_within_seconds() -> None:
    start = datetime(2000, 1, 1, tzinfo=UTC)
    entries = [
        {"resource": document(f"n{n}", id=str(n), date=(start + timedelta(hours=n)).isoformat())} for n in range(10_000)
    ]
    began = time.process_time()
    chart = read({"resourceType": "Bundle", "entry": entries})
    assert time.process_time() - began < 5
    assert texts(chart)[0] == "n9999"
    assert unread(chart) == {("DocumentReference", "over-limit"): 9_500}


def test_failed_search_is_counted_and_warnings_are_not() -> None:
    def outcome(severity: str) -> dict[str, Any]:
        return {"resourceType": "OperationOutcome", "issue": [{"severity": severity}]}

    assert unread(read(outcome("error"), outcome("warning"))) == {("OperationOutcome", "not-available"): 1}


@pytest.mark.parametrize("step", ["document_of", "document_text", "facts_of"])
def test_a_fault_of_our_own_loses_one_resource_and_is_counted(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = getattr(fhir_reading, step)

    def faulty(given: Any, *rest: Any) -> Any:
        if "d1" in str(given):
            raise RuntimeError("a fault")
        return real(given, *rest)

    monkeypatch.setattr(fhir_reading, step, faulty)
    chart = read(document(), document("other", id="d2"))
    assert "other" in texts(chart)
    assert unread(chart) == {("DocumentReference", "malformed"): 1}


def test_empty_patient_id_is_refused() -> None:
    with pytest.raises(ValueError, match="patient_id is empty"):
        chart_from_resources([], patient_id="", as_of=AS_OF)
    with pytest.raises(ValueError, match="patient_id is empty"):
        attachment_urls([], patient_id="")


def test_as_of_without_zone_is_utc() -> None:
    assert chart_from_resources([], patient_id="p1", as_of=datetime(2026, 1, 1)).as_of.tzinfo is UTC


def test_real_export_is_read_whole() -> None:
    if not EXPORT.is_dir():
        pytest.skip("no ../shared/export beside the repository: the synthetic bulk export is not at hand")
    resources = [json.loads(line) for path in sorted(EXPORT.glob("[A-Z]*.ndjson")) for line in path.open()]
    patients = [entry["id"] for entry in resources if entry["resourceType"] == "Patient"]
    current = [chart_from_resources(resources, patient_id=patient, as_of=AS_OF) for patient in patients[:3]]
    assert all(len(chart.notes) == 1 for chart in current)
    whole = chart_from_resources(resources, patient_id=patients[0], as_of=AS_OF, keep_superseded=True)
    kinds = Counter(fact.kind for fact in whole.facts)
    assert (len(whole.notes), len(whole.problems), kinds["medication"]) == (90, 49, 447)
    assert {entry.reason for entry in whole.unread} == {"other-patient"}
    assert whole.notes[0].author_role == "General Practice Physician"
