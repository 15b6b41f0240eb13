"""Any JSON is a request or a refusal that names fields and repeats nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_hooks.hook_request import MAX_FAULTS_NAMED, read_hook_request
from cds_hooks.operation_outcome import BadRequest
from tests.cds_hooks.charts import authorization, call

FIELDS = ["hook", "hookInstance", "fhirServer", "fhirAuthorization", "context", "prefetch", "extension"]
CANARY = "CANARY-5T"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.just(CANARY) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["userId", "patientId", "access_token", "expires_in", "patient", CANARY]), inner, max_size=4
        )
    ),
    max_leaves=10,
)


CHANGES = st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=2)


def refusal_of(document: Any) -> BadRequest | None:
    try:
        read_hook_request(document, "patient-view")
    except BadRequest as refused:
        return refused
    return None


@settings(max_examples=300)
@given(JSON | st.dictionaries(st.sampled_from(FIELDS), JSON), CHANGES)
def test_any_document_is_read_or_refused(document: Any, changes: dict[str, Any]) -> None:
    for candidate in (document, call(fhirServer="https://h.example", fhirAuthorization=authorization()) | changes):
        refused = refusal_of(candidate)
        if refused:
            assert CANARY not in f"{refused.text} {refused.diagnostics} {refused.expression}"
            assert len(refused.expression) <= MAX_FAULTS_NAMED


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(BadRequest) as refused:
        read_hook_request({"hook": "patient-view", "hookInstance": "x", "context": {"userId": 7}}, "patient-view")
    assert refused.value.expression == ("hookInstance", "context.userId", "context.patientId")
    assert refused.value.diagnostics is not None
    assert "context.patientId is missing" in refused.value.diagnostics


def test_the_token_is_not_in_the_repr() -> None:
    request = read_hook_request(
        call(fhirServer="https://h.example", fhirAuthorization=authorization(access_token=CANARY)), "patient-view"
    )
    assert CANARY not in repr(request)
