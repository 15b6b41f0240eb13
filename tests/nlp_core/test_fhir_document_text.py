"""The text of a document, or the reason of its best attachment."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from nlp_core.attachments import BinaryContent
from nlp_core.fhir_authors import Roles
from nlp_core.fhir_document_text import DEEPEST_SECTION, Reading, document_text
from nlp_core.fhir_documents import document_of
from nlp_core.fhir_references import References
from nlp_core.unreadable import Unreadable

FETCHED = {"Binary/1": BinaryContent(b"<p>Fetched</p>")}


def text_of(kind: str, max_bytes: int = 1000, **fields: Any) -> str:
    document = document_of({"resourceType": kind, "id": "1", **fields}, Roles({}, References()))
    return document_text(document, Reading(FETCHED.get, max_bytes))


def content(*attachments: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"attachment": entry} for entry in attachments]


def test_content_type_of_the_attachment_counts_where_the_fetched_one_says_nothing() -> None:
    assert text_of("DocumentReference", content=content({"url": "Binary/1", "contentType": "text/html"})) == "Fetched"


@pytest.mark.parametrize(
    ("attachments", "reason"),
    [
        ([], "not-available"),
        ([{"contentType": "image/png", "data": "QQ=="}], "not-text"),
        ([{"contentType": "text/plain"}], "not-available"),
        ([{"contentType": "text/plain", "data": base64.b64encode(b" \n ").decode()}], "not-available"),
        ([{"contentType": "text/plain", "data": 5}], "malformed"),
        ([{"contentType": "text/plain", "url": "Binary/2"}], "not-fetched"),
        ([{"contentType": "text/html", "url": "Binary/2"}, {"contentType": "text/plain", "data": "%"}], "undecodable"),
    ],
)
def test_reason_is_that_of_the_most_preferred_attachment(attachments: list[dict[str, Any]], reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        text_of("DocumentReference", content=content(*attachments))


def test_conclusion_that_is_too_long_is_refused() -> None:
    with pytest.raises(Unreadable, match="too-large"):
        text_of("DiagnosticReport", conclusion="x" * 1001)


def test_composition_without_sections_gives_its_narrative() -> None:
    assert text_of("Composition", text={"div": "<div>Whole&nbsp;text</div>"}) == "Whole text"
    with pytest.raises(Unreadable, match="not-available"):
        text_of("Composition", section=[{"title": "Empty"}])
    with pytest.raises(Unreadable, match="too-large"):
        text_of("Composition", section=[{"text": {"div": "x" * 1001}}])
    with pytest.raises(Unreadable, match="too-large"):
        text_of("Composition", section=[{"text": {"div": "x" * 600}}] * 2)


def test_sections_nested_too_deep_end_quietly() -> None:
    section: dict[str, Any] = {"title": "deep", "text": {"div": "<div>deep</div>"}}
    for _ in range(DEEPEST_SECTION + 5):
        section = {"title": "t", "text": {"div": "<div>x</div>"}, "section": [section]}
    assert "deep" not in text_of("Composition", section=[section], max_bytes=10_000)
