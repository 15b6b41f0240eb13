"""Attachments: what they are counts more than what they are declared to be."""

from __future__ import annotations

import pytest

from nlp_core.attachments import BinaryContent, content_text, declared_form, inline_content, preference
from nlp_core.unreadable import Unreadable


def text_of(data: bytes | str, content_type: str = "text/plain") -> str:
    return content_text(BinaryContent(data.encode() if isinstance(data, str) else data, content_type), max_bytes=1000)


@pytest.mark.parametrize(
    ("content_type", "form"),
    [("text/plain; charset=x", "plain"), ("TEXT/HTML", "html"), ("application/rtf", "rtf"), ("text/xml", "xml"),
     ("text/markdown", "plain"), ("application/octet-stream", None), ("", None)],
)  # fmt: skip
def test_declared_form(content_type: str, form: str | None) -> None:
    assert declared_form(content_type) == form


@pytest.mark.parametrize(
    "content_type", ["application/pdf", "image/jpeg", "application/fhir+json", "text/css", "application/zip"]
)
def test_types_that_are_no_note(content_type: str) -> None:
    with pytest.raises(Unreadable, match="not-text"):
        preference({"contentType": content_type})


@pytest.mark.parametrize(
    ("data", "content_type", "text"),
    [
        ("  as is \n", "text/plain", "  as is \n"),
        ("<p>x</p> is a tag", "text/plain", "<p>x</p> is a tag"),
        ("<p>x</p>", "text/html", "x"),
        ("<p>x</p>", "", "x"),
        ("no markup < at all", "", "no markup < at all"),
        ("plain words", "text/rtf", "plain words"),
        ("plain words", "text/xml", "plain words"),
        ("<!DOCTYPE html>\n<html><body>x</body></html>", "text/plain", "x"),
        ("<html><body>x</body></html>", "text/xml", "x"),
        ('<?xml version="1.0"?><a>x</a>', "text/plain", "x"),
        ('<?xml version="1.0" encoding="gbk"?><a>胸痛</a>'.encode("gbk"), "text/xml", "胸痛"),
        ('<html><head><meta charset="gbk"></head><body>胸痛三天</body></html>'.encode("gbk"), "text/html", "胸痛三天"),
    ],
)
def test_form_is_what_the_text_shows_itself_to_be(data: bytes | str, content_type: str, text: str) -> None:
    assert text_of(data, content_type) == text


@pytest.mark.parametrize(
    ("data", "content_type", "reason"),
    [
        (b"x" * 1001, "text/plain", "too-large"),
        (b"%PDF-1.7", "text/plain", "not-text"),
        (bytes(range(32)), "text/plain", "undecodable"),
        (bytes(range(32)), "", "not-text"),
        (b"<a><b></a>", "text/xml", "undecodable"),
        (b"<a/>", "text/xml", "not-available"),
    ],
)
def test_each_failure_has_its_reason(data: bytes, content_type: str, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        text_of(data, content_type)


def test_inline_content_from_data_or_a_data_url() -> None:
    assert inline_content({"data": "QUJD", "contentType": "text/plain"}, max_bytes=9) == BinaryContent(
        b"ABC", "text/plain"
    )
    assert inline_content({"url": "data:text/plain;base64,QUJD"}, max_bytes=9) == BinaryContent(b"ABC")
    assert inline_content({"url": "Binary/1"}, max_bytes=9) is None
    assert inline_content({"data": "", "url": None}, max_bytes=9) is None


def test_words_behind_deep_markup_respect_the_limit() -> None:
    with pytest.raises(Unreadable, match="too-large"):
        content_text(BinaryContent(b"<p>" * 400, "text/html"), max_bytes=1000)
