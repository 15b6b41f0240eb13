"""What is known of a document before its text is read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from nlp_core.fhir_authors import Roles
from nlp_core.fhir_documents import Document, document_of, has_words, text_attachments
from nlp_core.fhir_references import References


def known(kind: str, **fields: Any) -> Document:
    return document_of({"resourceType": kind, "id": "1", **fields}, Roles({}, References()))


def attachment(content_type: str, **fields: Any) -> dict[str, Any]:
    return {"attachment": {"contentType": content_type, **fields}}


@pytest.mark.parametrize(
    ("fields", "year"),
    [
        ({"date": "2020", "content": [attachment("text/plain", creation="2019")]}, 2020),
        ({"date": "", "content": [attachment("text/plain", creation="2019")]}, 2019),
        ({"context": {"period": {"start": "2018"}}}, 2018),
        ({"period": {"start": "2017"}, "context": [{"reference": "Encounter/1"}]}, 2017),
        ({"indexed": "2016"}, 2016),
    ],
)
def test_date_of_a_document_reference_in_every_version(fields: dict[str, Any], year: int) -> None:
    assert known("DocumentReference", **fields).date == datetime(year, 1, 1, tzinfo=UTC)


def test_date_of_a_report_is_when_it_is_about() -> None:
    assert known("DiagnosticReport", effectiveDateTime="2020", issued="2021").date == datetime(2020, 1, 1, tzinfo=UTC)


def test_kind_is_the_type_else_the_category() -> None:
    assert known("DocumentReference", type={"text": "Discharge summary"}).kind == "Discharge summary"
    assert known("DocumentReference", category=[{}, {"text": "Clinical note"}]).kind == "Clinical note"
    assert known("DiagnosticReport", code={"text": "CT head"}).kind == "CT head"
    assert known("Composition").kind == ""


def test_attachments_are_tried_inline_first_then_plain_html_rtf_xml() -> None:
    types = ["application/pdf", "text/xml", "text/rtf", "text/html", "text/plain", ""]
    document = known("DocumentReference", content=[attachment(name, url=name or "u") for name in types])
    assert [entry["url"] for entry in text_attachments(document)] == [
        "text/plain",
        "text/html",
        "text/rtf",
        "text/xml",
        "u",
    ]
    inline = known(
        "DocumentReference", content=[attachment("text/plain", url="u"), attachment("text/xml", data="QQ==")]
    )
    assert text_attachments(inline)[0]["contentType"] == "text/xml"


def test_only_a_report_may_have_no_words() -> None:
    assert has_words(known("DocumentReference"))
    assert not has_words(known("DiagnosticReport"))
    assert has_words(known("DiagnosticReport", conclusion="x"))
