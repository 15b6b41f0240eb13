"""Rows E5-E7: a FHIR server (or a key set's) that answers wrongly, slowly, without end or with a bomb."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from itertools import repeat
from typing import Any

import httpx
import pytest
from starlette.responses import Response

from tests.cds_hooks import tokens
from tests.cds_hooks.charts import PATIENT_ID, authorization, binary, call, condition, document, patient, prefetch
from tests.cds_hooks.conftest import Serve, Served
from tests.cds_hooks.listener import Behaviour, Listener, saying, silent
from tests.cds_hooks.statuses import status, unread
from tests.fhir_server import FHIR_JSON, Fault, FhirServer, searchset

ISSUE = {"severity": "error", "code": "exception", "diagnostics": "canary-diagnostics"}
OUTCOME = {"resourceType": "OperationOutcome", "issue": [ISSUE]}
FAULTS: dict[str, tuple[Fault, str]] = {
    **{
        str(status): (status, "not-authorized" if status in (401, 403) else "not-available")
        for status in (204, 301, 304, 400, 401, 403, 404, 406, 410, 412, 429, 500, 502, 503, 504)
    },
    "an HTML page": ("html", "malformed"),
    "an HTML page that calls itself FHIR": (Response("<html>canary</html>", media_type=FHIR_JSON), "malformed"),
    "FHIR that calls itself HTML": (Response('{"resourceType":"Bundle"}', media_type="text/html"), "malformed"),
    "no media type": (Response(b'{"resourceType":"Bundle"}'), "malformed"),
    "200 with an OperationOutcome": ("outcome", "not-available"),
    "no JSON": ("not-json", "malformed"),
    "a list": ("a-list", "malformed"),
    "nothing": (Response(b"", media_type=FHIR_JSON), "malformed"),
    "null": (Response(b"null", media_type=FHIR_JSON), "malformed"),
    "UTF-16": (Response('{"resourceType":"Bundle"}'.encode("utf-16"), media_type=FHIR_JSON), "malformed"),
    "deep": (Response(b'{"a":' * 50_000, media_type=FHIR_JSON), "malformed"),
    "another type": (Response(b'{"resourceType":"Goal","id":"canary"}', media_type=FHIR_JSON), "malformed"),
}


@pytest.fixture(scope="module")
def fhir() -> Iterator[FhirServer]:
    whole = [patient(), document(), condition("asthma")]
    with FhirServer(whole, slow_seconds=30) as serving:
        yield serving


def fetching(web: Served, url: str, supplied: Any = ...) -> httpx.Response:
    return web.call(call(prefetch=supplied, fhirServer=url, fhirAuthorization=authorization()))


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("kind", ["Condition", "DocumentReference", "Patient"])
def test_e05_what_is_no_answer_is_named_or_412_and_never_an_empty_chart(
    web: Served, fhir: FhirServer, kind: str, name: str
) -> None:
    fault, reason = FAULTS[name]
    fhir.faults = {kind: fault}
    answer = fetching(web, fhir.url)
    assert "canary" not in answer.text
    if kind == "Condition":
        assert unread(answer) == [("problems", reason, 1)]
        assert not web.reader.charts[-1].problems_available
    else:
        key = {"Patient": "patient", "DocumentReference": "documents"}[kind]
        assert answer.status_code == 412
        assert answer.json()["issue"][0]["expression"] == [f"prefetch.{key}"]


def test_e05_every_key_failing_at_once_is_one_412_naming_the_required_ones(web: Served, fhir: FhirServer) -> None:
    kinds = ("Patient", "DocumentReference", "Condition", "Observation", "MedicationRequest", "Encounter")
    fhir.faults = dict.fromkeys(kinds, 500)
    answer = fetching(web, fhir.url)
    assert answer.status_code == 412
    assert answer.json()["issue"][0]["expression"] == ["prefetch.patient", "prefetch.documents"]


Lines = Callable[[], list[dict[str, Any]]]


def events(log_lines: Lines) -> list[Any]:
    return [line.get("kind") for line in log_lines() if line["event"] == "security"]


def test_e05_another_patient_in_answer_is_not_believed(web: Served, fhir: FhirServer, log_lines: Lines) -> None:
    fhir.faults = {"Patient": "other-patient"}
    assert fetching(web, fhir.url).status_code == 412
    assert events(log_lines) == ["wrong-patient-fetched"]


@pytest.mark.parametrize("kind", ["Condition", "DocumentReference"])
def test_e05_a_resource_of_another_patient_in_answer_is_dropped_and_a_security_event(
    web: Served, fhir: FhirServer, log_lines: Lines, kind: str
) -> None:
    theirs = document("canary of somebody else", number=9, of="somebody-else", date="2026-11-22T08:00:00Z")
    if kind == "Condition":
        theirs = condition("canary of somebody else", number=9) | {"subject": {"reference": "Patient/somebody-else"}}
    ours = [one for one in fhir.resources if one["resourceType"] == kind]
    fhir.faults = {kind: Response(json.dumps(searchset([*ours, theirs])), media_type=FHIR_JSON)}
    answer = fetching(web, fhir.url)
    assert unread(answer) == [(kind, "other-patient", 1)]
    assert "canary" not in answer.text
    assert "canary" not in web.reader.charts[-1].model_dump_json()
    assert events(log_lines) == ["other-patient-resource"]
    assert "somebody-else" not in str(log_lines())


def test_e05_the_same_patient_is_no_security_event(web: Served, fhir: FhirServer, log_lines: Lines) -> None:
    fhir.faults = {}
    assert status(fetching(web, fhir.url)) == {"state": "answered"}
    assert not events(log_lines)


ENDLESS_HEADERS = [b"HTTP/1.1 200 OK\r\n", *(b"x-%d: y\r\n" % number for number in range(100))]
CHUNKED = b"HTTP/1.1 200 OK\r\ncontent-type: application/fhir+json\r\ntransfer-encoding: chunked\r\n\r\n"
SLOW: dict[str, Behaviour] = {
    "30 s before the first byte": silent,
    "a byte a second of the headers": saying([b"H", *[b"T"] * 60], 1.0),
    "headers without end": saying(ENDLESS_HEADERS, 0.05),
    "early hints without end": saying(repeat(b"HTTP/1.1 103 Early Hints\r\n\r\n", 1000), 0.01),
    "a byte a second of the body": saying([CHUNKED, *[b"1\r\n{\r\n"] * 60], 1.0),
    "chunks without end": saying([CHUNKED, *[b"1\r\nx\r\n"] * 10_000], 0.005),
    "one chunk that never comes": saying([CHUNKED + b"fffff\r\n", *[b"x"] * 60], 1.0),
}


@pytest.fixture(scope="module")
def hurried(serve: Serve) -> Served:
    return serve(deadline_ms=600)


@pytest.mark.parametrize("name", SLOW)
def test_e06_a_server_that_does_not_end_is_cut_at_the_deadline(hurried: Served, name: str) -> None:
    with Listener(SLOW[name]) as server:
        begun = time.monotonic()
        answer = fetching(hurried, f"http://127.0.0.1:{server.port}/fhir")
        assert time.monotonic() - begun < 0.6 + 0.9, "the deadline, and what a busy machine adds"
        assert server.connections
    assert answer.json()["cards"] == []
    assert status(answer) == {"state": "degraded", "reason": "deadline"}


def test_e06_a_slow_optional_key_is_left_out_and_named(serve: Serve, fhir: FhirServer) -> None:
    fhir.faults = {"Condition": "slow"}
    assert unread(fetching(serve(deadline_ms=1500), fhir.url)) == [("problems", "not-fetched", 1)]


def test_e06_an_attachment_that_does_not_end_is_cut_and_named(hurried: Served, fhir: FhirServer) -> None:
    fhir.faults = {"Binary": "drip"}
    linked = document(number=2)
    linked["content"][0]["attachment"] = {"contentType": "text/plain", "url": "Binary/b1"}
    answer = fetching(hurried, fhir.url, prefetch(document(), linked))
    assert ("DocumentReference", "not-fetched", 1) in unread(answer)


def test_e06_an_attachment_in_time_is_read(web: Served) -> None:
    linked = document(number=2)
    linked["content"][0]["attachment"] = {"contentType": "text/plain", "url": "Binary/b1"}
    with FhirServer([binary("From the binary.", "b1")]) as fhir:
        assert status(fetching(web, fhir.url, prefetch(linked))) == {"state": "answered"}
    assert web.reader.charts[-1].notes[0].text == "From the binary."
    assert fhir.paths() == ["/fhir/Binary/b1"]
    assert PATIENT_ID not in str(fhir.asked)


@pytest.mark.parametrize("name", ["30 s before the first byte", "chunks without end"])
def test_e06_a_key_set_that_does_not_end_is_401_within_two_seconds(serve: Serve, name: str) -> None:
    with Listener(SLOW[name]) as server:
        issuer = {"tenant": "hospital-a", "jku": f"http://127.0.0.1:{server.port}/jwks.json"}
        web = serve(auth=True, trusted_issuers={tokens.ISSUER: issuer})
        begun = time.monotonic()
        assert web.signed(call()).status_code == 401
        assert time.monotonic() - begun < 2.5
