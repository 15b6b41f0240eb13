"""Addresses are compared by their parts, and clever ones are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_hooks.server_address import BadAddress, ServerAddress

BASE = ServerAddress.parse("https://ehr.example.org/fhir/r4")


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("https://ehr.example.org/fhir/r4/Patient/1", "https://ehr.example.org/fhir/r4/Patient/1"),
        ("https://EHR.example.org:443/fhir/r4/Patient?a=b|c", "https://ehr.example.org/fhir/r4/Patient?a=b|c"),
        ("https://ehr.example.org/fhir/r4?_getpages=7", "https://ehr.example.org/fhir/r4?_getpages=7"),
        ("Binary/1", "https://ehr.example.org/fhir/r4/Binary/1"),
        ("/fhir/r4/Binary/1", "https://ehr.example.org/fhir/r4/Binary/1"),
    ],
)
def test_e1_addresses_under_the_base_are_found(url: str, meant: str) -> None:
    assert BASE.inside(url).text == meant


@pytest.mark.parametrize(
    "url",
    [
        "https://ehr.example.org/fhir/r4evil",
        "https://ehr.example.org/fhir",
        "https://ehr.example.org/fhir/r4/../admin",
        "https://ehr.example.org/fhir/r4/%2e%2e/admin",
        "https://ehr.example.org/fhir%2fr4/x",
        "https://ehr.example.org/fhir/r4/..%2fadmin",
        "https://ehr.example.org/fhir/r4/./x",
        "https://ehr.example.org//fhir/r4/x",
        "https://ehr.example.org@evil.com/fhir/r4/x",
        "https://user:pass@ehr.example.org/fhir/r4/x",
        "https://ehr.example.org\\@evil.com/fhir/r4",
        "https://evil.com\\.ehr.example.org/fhir/r4",
        "https://evil.com#.ehr.example.org/fhir/r4",
        "https://ehr。example。org/fhir/r4/x",
        "https://ehr.example.org./fhir/r4/x",
        "http://ehr.example.org/fhir/r4/x",
        "https://ehr.example.org:8443/fhir/r4/x",
        "https://ehr.example.org:99999/fhir/r4/x",
        "//evil.com/fhir/r4/x",
        "../admin",
        "/admin",
        "https://127.1/fhir/r4",
        "https://2130706433/fhir/r4",
        "https://0x7f000001/fhir/r4",
        "https://localhost/fhir/r4",
        "https://[64:ff9b::7f00:1]/fhir/r4",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "ftp://ehr.example.org/fhir/r4",
        "https://ehr.example.org/fhir/r4/x y",
        "https://ehr.example.org/fhir/r4/x\r\nhost: evil.com",
        "https://ehr.example.org/fhir/r4/\x00",
        "",
    ],
)
def test_e1_every_other_form_is_refused(url: str) -> None:
    with pytest.raises(BadAddress) as error:
        BASE.inside(url)
    assert not url or url not in str(error.value)


def test_an_empty_relative_address_is_no_address() -> None:
    with pytest.raises(BadAddress):
        ServerAddress.parse("")


@given(st.text(max_size=60))
def test_whatever_is_inside_starts_with_the_base(url: str) -> None:
    try:
        found = BASE.inside(url)
    except BadAddress:
        return
    assert found.text == "https://ehr.example.org/fhir/r4" or found.text[31:32] in ("/", "?")
    assert found.text.startswith("https://ehr.example.org/fhir/r4")


@given(st.from_regex(r"https?://[a-z]{1,5}(:[1-9][0-9]{0,3})?(/[a-z]{1,4}){0,3}/?(\?[a-z=]{0,5})?", fullmatch=True))
def test_reading_an_address_again_changes_nothing(url: str) -> None:
    once = ServerAddress.parse(url)
    assert ServerAddress.parse(once.text) == once


def test_a_trailing_slash_is_the_same_base() -> None:
    assert ServerAddress.parse("https://ehr.example.org/fhir/r4/") == BASE
