"""Every refusal has its status, a FHIR issue code and a body without anything empty."""

from __future__ import annotations

import json

import pytest

from cds_hooks import operation_outcome
from cds_hooks.operation_outcome import NotTrusted, Refusal, outcome, outcome_bytes, refusal_response

ISSUE_TYPES = {
    "invalid", "structure", "required", "value", "login", "forbidden", "processing", "not-supported", "not-found",
    "too-long", "conflict", "throttled", "transient", "timeout", "exception",
}  # fmt: skip
REFUSALS = [kind for kind in vars(operation_outcome).values() if isinstance(kind, type) and issubclass(kind, Refusal)]


@pytest.mark.parametrize("kind", REFUSALS)
def test_every_refusal_becomes_an_answer(kind: type[Refusal]) -> None:
    answer = refusal_response(kind("words", diagnostics="more words", expression=["a.b"], close=True))
    assert answer.status_code == kind.status >= 400
    assert kind.code in ISSUE_TYPES
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["connection"] == "close"
    if kind is NotTrusted:
        assert answer.body == b""
        return
    issue = json.loads(bytes(answer.body))["issue"][0]
    assert issue == {
        "severity": "error",
        "code": kind.code,
        "details": {"text": "words"},
        "diagnostics": "more words",
        "expression": ["a.b"],
    }


def test_what_has_no_value_is_left_out() -> None:
    (issue,) = json.loads(outcome_bytes(outcome("invalid", "words")))["issue"]
    assert set(issue) == {"severity", "code", "details"}
