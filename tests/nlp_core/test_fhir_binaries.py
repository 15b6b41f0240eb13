"""Bytes behind a URL come from what was fetched or from a Binary at hand, if they may be used."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nlp_core.attachments import BinaryContent
from nlp_core.fhir_binaries import Binaries
from nlp_core.fhir_selection import select
from nlp_core.unreadable import Unreadable

BINARY = {"resourceType": "Binary", "id": "1", "contentType": "text/plain", "data": "QUJD"}


def store(*resources: dict[str, Any], fetched: dict[str, BinaryContent] | None = None) -> Binaries:
    return Binaries(fetched or {}, select(resources, patient_id="p"), max_bytes=100, allow_restricted=False)


def test_binary_at_hand_is_found_by_any_form_of_its_url() -> None:
    for url in ("Binary/1", "https://h/fhir/Binary/1", "Binary/1/_history/1"):
        assert store(BINARY).behind(url) == BinaryContent(b"ABC", "text/plain")
        assert store(BINARY).holds(url)
    assert store(BINARY).behind("Binary/2") is None


def test_fetched_bytes_win_and_a_fetched_resource_is_unwrapped() -> None:
    raw = BinaryContent(b"raw", "text/plain")
    assert store(BINARY, fetched={"Binary/1": raw}).behind("Binary/1") == raw
    answer = BinaryContent(json.dumps(BINARY).encode(), "application/fhir+json; charset=utf-8")
    assert store(fetched={"u": answer}).behind("u") == BinaryContent(b"ABC", "text/plain")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (BinaryContent(b"x" * 201, "text/plain"), "too-large"),
        (BinaryContent(b"{", "application/fhir+json"), "undecodable"),
        (BinaryContent(b"[" * 190, "application/fhir+json"), "undecodable"),
        (
            BinaryContent(
                json.dumps({**BINARY, "securityContext": {"reference": "Patient/q"}}).encode(), "application/json"
            ),
            "other-patient",
        ),
        (
            BinaryContent(json.dumps({**BINARY, "meta": {"security": [{"code": "R"}]}}).encode(), "application/json"),
            "restricted",
        ),
        (BinaryContent(b'{"resourceType": "Binary"}', "application/json"), "not-available"),
    ],
)
def test_what_must_not_or_cannot_be_used_has_its_reason(answer: BinaryContent, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        store(fetched={"u": answer}).behind("u")
