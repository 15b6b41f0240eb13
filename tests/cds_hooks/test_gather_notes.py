"""Prefetch first, the FHIR server for what is missing; a failure is named, never silent. Over real HTTP both ways."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.cds_hooks.charts import (
    PATIENT_ID,
    authorization,
    binary,
    call,
    condition,
    document,
    linked_document,
    patient,
    prefetch,
)
from tests.cds_hooks.conftest import Serve, Served
from tests.cds_hooks.statuses import status, unread
from tests.fhir_server import TOKEN, Fault, FhirServer, searchset


def fetching(web: Served, fhir: FhirServer, supplied: Any = ..., **token: Any) -> httpx.Response:
    """A call that brings a token for `fhir` and only `supplied` as prefetch."""
    return web.call(call(prefetch=supplied, fhirServer=fhir.url, fhirAuthorization=authorization(**token)))


def whole_chart() -> list[dict[str, Any]]:
    return [patient(), document(), document("Second note.", number=2), condition("asthma")]


def test_everything_missing_is_fetched_with_the_token(web: Served) -> None:
    with FhirServer(whole_chart()) as fhir:
        answer = fetching(web, fhir)
    assert status(answer) == {"state": "answered"}
    assert sorted(fhir.paths()) == [
        "/fhir/AllergyIntolerance", "/fhir/Condition", "/fhir/DocumentReference", "/fhir/Encounter",
        "/fhir/MedicationRequest", "/fhir/Observation", "/fhir/Observation", f"/fhir/Patient/{PATIENT_ID}",
    ]  # fmt: skip
    assert {asked.authorization for asked in fhir.asked} == {f"Bearer {TOKEN}"}
    assert {asked.accept_encoding for asked in fhir.asked} == {"identity"}


def test_prefetched_and_fetched_charts_are_the_same(web: Served) -> None:
    resources = whole_chart()
    supplied = prefetch(resources[1], resources[2], problems=searchset([resources[3]]))
    web.call(call(prefetch=supplied))
    with FhirServer(resources) as fhir:
        fetching(web, fhir)
    from_prefetch, from_server = web.reader.charts[-2:]
    assert from_server.model_dump(exclude={"as_of", "age_years"}) == from_prefetch.model_dump(
        exclude={"as_of", "age_years"}
    )


def test_only_what_is_missing_is_fetched(web: Served) -> None:
    supplied = prefetch()
    del supplied["problems"]
    with FhirServer([condition("asthma")]) as fhir:
        fetching(web, fhir, supplied)
    assert fhir.paths() == ["/fhir/Condition"]
    assert [problem.text for problem in web.reader.charts[-1].problems] == ["asthma"]


def test_nothing_is_fetched_without_a_token(web: Served) -> None:
    with FhirServer(whole_chart()) as fhir:
        assert web.call(call(prefetch=..., fhirServer=fhir.url)).status_code == 412
        assert not fhir.asked


@pytest.mark.parametrize("seconds", [0, -1])
def test_e8_a_spent_token_is_not_used(web: Served, seconds: int) -> None:
    with FhirServer(whole_chart()) as fhir:
        assert fetching(web, fhir, expires_in=seconds).status_code == 412
        assert not fhir.asked


@pytest.mark.parametrize("token", ["a\r\nx-evil: 1", "x" * 100_000, "", "a b", "ü", 7])
def test_e8_odd_tokens_are_400(web: Served, token: Any) -> None:
    with FhirServer(whole_chart()) as fhir:
        answer = fetching(web, fhir, access_token=token)
        assert answer.status_code == 400
        assert answer.json()["issue"][0]["expression"] == ["fhirAuthorization.access_token"]
        assert not fhir.asked


def test_a_wrong_token_is_named_as_not_authorized(web: Served) -> None:
    with FhirServer(whole_chart()) as fhir:
        answer = fetching(web, fhir, prefetch(problems=...) | {"problems": "broken"}, access_token="another")
    assert ("problems", "not-authorized", 1) in unread(answer)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [(401, "not-authorized"), (403, "not-authorized"), (404, "not-available"), (410, "not-available"),
     (429, "not-available"), (500, "not-available"), ("html", "malformed"),
     ("not-json", "malformed"), ("a-list", "malformed"), ("outcome", "not-available"),
     ("redirect", "not-available"), ("gzip", "not-available"), ("huge", "not-available")],
)  # fmt: skip
def test_e5_an_optional_key_that_fails_is_named(web: Served, fault: Fault, reason: str) -> None:
    with FhirServer(whole_chart(), faults={"Condition": fault}) as fhir:
        answer = fetching(web, fhir)
    assert status(answer)["state"] == "answered"
    assert unread(answer) == [("problems", reason, 1)]
    assert not web.reader.charts[-1].problems_available
    assert "canary" not in answer.text


@pytest.mark.parametrize("fault", [401, 403, 404, 500, "html", "outcome", "redirect", "huge"])
def test_e5_a_required_key_that_fails_is_412(web: Served, fault: Fault) -> None:
    with FhirServer(whole_chart(), faults={"DocumentReference": fault}) as fhir:
        answer = fetching(web, fhir)
    assert answer.status_code == 412
    assert answer.json()["issue"][0]["expression"] == ["prefetch.documents"]


def test_e5_a_server_that_answers_with_another_patient_is_not_believed(
    web: Served, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    with FhirServer(whole_chart(), faults={"Patient": "other-patient"}) as fhir:
        assert fetching(web, fhir).status_code == 412
    assert "wrong-patient-fetched" in [line.get("kind") for line in log_lines()]
    with FhirServer(whole_chart(), faults={"Condition": "other-patient"}) as fhir:
        assert unread(fetching(web, fhir)) == [("problems", "malformed", 1)]


def test_e3_a_redirect_is_not_followed_and_the_token_stays(web: Served) -> None:
    with FhirServer(whole_chart(), faults={"Condition": "redirect"}) as fhir:
        fetching(web, fhir)
    assert not [path for path in fhir.paths() if path.startswith("/elsewhere")]


@pytest.mark.parametrize("fault", ["slow", "drip"])
def test_e6_a_slow_required_key_is_cut_at_the_deadline(serve: Serve, fault: Fault) -> None:
    web = serve(deadline_ms=600)
    with FhirServer(whole_chart(), faults={"DocumentReference": fault}) as fhir:
        begun = time.monotonic()
        answer = fetching(web, fhir)
        assert time.monotonic() - begun < 1.2
    assert answer.json()["cards"] == []
    assert status(answer) == {"state": "degraded", "reason": "deadline"}


def test_e6_a_slow_optional_key_costs_half_the_time_and_is_named(serve: Serve) -> None:
    web = serve(deadline_ms=1200)
    with FhirServer(whole_chart(), faults={"Condition": "slow"}) as fhir:
        begun = time.monotonic()
        answer = fetching(web, fhir)
        assert time.monotonic() - begun < 1.1
    assert status(answer)["state"] == "answered"
    assert unread(answer) == [("problems", "not-fetched", 1)]


def test_e6_an_endless_answer_is_cut_by_size(web: Served) -> None:
    with FhirServer(whole_chart(), faults={"Condition": "endless"}) as fhir:
        assert unread(fetching(web, fhir))[0][0] == "problems"


def test_e9_a_token_without_scope_for_something_is_partial(web: Served) -> None:
    scope = "patient/Patient.read patient/DocumentReference.read patient/Observation.rs"
    with FhirServer(whole_chart()) as fhir:
        answer = fetching(web, fhir, scope=scope)
    assert set(unread(answer)) == {
        (key, "not-authorized", 1) for key in ("problems", "medications", "allergies", "encounters")
    }
    assert not [path for path in fhir.paths() if "Condition" in path], "not even asked"


def test_e9_a_token_without_scope_for_documents_is_412(web: Served) -> None:
    with FhirServer(whole_chart()) as fhir:
        assert fetching(web, fhir, scope="patient/Patient.read launch").status_code == 412


def test_pages_are_followed(web: Served) -> None:
    notes = [document(f"Note {number}.", number=number) for number in range(4)]
    with FhirServer([patient(), *notes], page_size=1) as fhir:
        fetching(web, fhir)
    assert len(web.reader.charts[-1].notes) == 4


def test_pages_end_somewhere_and_that_is_named(serve: Serve) -> None:
    web = serve(max_pages=2)
    notes = [document(f"Note {number}.", number=number) for number in range(5)]
    with FhirServer([patient(), *notes], page_size=1) as fhir:
        answer = fetching(web, fhir)
    assert len(web.reader.charts[-1].notes) == 3
    assert unread(answer) == [("documents", "not-fetched", 1)]


def test_a_page_elsewhere_is_not_fetched(web: Served) -> None:
    with FhirServer(whole_chart(), faults={"DocumentReference": "next-elsewhere"}) as fhir:
        answer = fetching(web, fhir)
    assert unread(answer) == [("documents", "not-available", 1)]
    assert not [path for path in fhir.paths() if "evil" in path]


@pytest.mark.parametrize("form", ["Binary/b1", "{base}/Binary/b1"])
def test_attachments_behind_a_url_are_fetched(web: Served, form: str) -> None:
    with FhirServer([patient(), binary("From the binary.", "b1")]) as fhir:
        linked = linked_document(form.format(base=fhir.url))
        answer = fetching(web, fhir, prefetch(linked))
    assert answer.json()["cards"][0]["detail"] == "From the binary."
    assert fhir.paths() == ["/fhir/Binary/b1"]


def test_e4_an_attachment_on_another_host_is_never_fetched_with_the_token(web: Served) -> None:
    with FhirServer([]) as evil, FhirServer(whole_chart()) as fhir:
        elsewhere = linked_document(f"{evil.url}/Binary/b1", number=2)
        answer = fetching(web, fhir, prefetch(document(), elsewhere))
    assert not evil.asked
    assert answer.json()["cards"]
    assert ("DocumentReference", "not-fetched", 1) in unread(answer)


@pytest.mark.parametrize("with_token", [True, False])
def test_documents_of_which_none_can_be_read_are_412(web: Served, with_token: bool) -> None:
    with FhirServer([], faults={"Binary": 404}) as fhir:
        supplied = prefetch(linked_document("Binary/b1"))
        answer = fetching(web, fhir, supplied) if with_token else web.call(call(prefetch=supplied))
    assert answer.status_code == 412
    assert answer.json()["issue"][0]["expression"] == ["prefetch.documents"]


def test_attachments_that_come_too_late_degrade(serve: Serve) -> None:
    web = serve(deadline_ms=500)
    with FhirServer([], faults={"Binary": "slow"}) as fhir:
        answer = fetching(web, fhir, prefetch(linked_document("Binary/b1")))
    assert status(answer) == {"state": "degraded", "reason": "deadline"}


def test_a_token_for_another_patient_is_400(web: Served) -> None:
    with FhirServer(whole_chart()) as fhir:
        answer = fetching(web, fhir, patient="someone-else")
        assert answer.status_code == 400
        assert answer.json()["issue"][0]["expression"] == ["fhirAuthorization.patient"]
        assert not fhir.asked
        assert fetching(web, fhir, patient=f"Patient/{PATIENT_ID}").status_code == 200


@pytest.mark.parametrize("field", ["access_token", "token_type", "expires_in", "scope", "subject"])
def test_every_part_of_the_authorization_is_required(web: Served, field: str) -> None:
    with FhirServer(whole_chart()) as fhir:
        answer = fetching(web, fhir, **{field: ...})
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["expression"] == [f"fhirAuthorization.{field}"]


def test_an_authorization_needs_a_server(web: Served) -> None:
    answer = web.call(call(fhirAuthorization=authorization()))
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["expression"] == ["fhirServer"]


@pytest.mark.parametrize("kind", ["Basic", "Bearer x", "", 7])
def test_the_token_type_is_bearer(web: Served, kind: Any) -> None:
    with FhirServer(whole_chart()) as fhir:
        assert fetching(web, fhir, token_type=kind).status_code == 400
        assert fetching(web, fhir, token_type="bearer").status_code == 200


@pytest.mark.parametrize("seconds", ["300", True, 300.5, None])
def test_expires_in_is_an_integer(web: Served, seconds: Any) -> None:
    with FhirServer(whole_chart()) as fhir:
        assert fetching(web, fhir, expires_in=seconds).status_code in ((200,) if seconds == "300" else (400,))


def test_http_fhir_servers_are_for_development(serve: Serve) -> None:
    production = serve(development=False, auth=False)
    answer = production.call(call(fhirServer="http://fhir.example.org/r4"))
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["expression"] == ["fhirServer"]
    assert production.call(call(fhirServer="https://fhir.example.org/r4")).status_code == 200


def test_an_unregistered_server_is_never_called_where_no_token_is_asked_for(web: Served) -> None:
    elsewhere = {"fhirServer": "http://fhir.example.org/r4", "fhirAuthorization": authorization()}
    assert web.call(call(**elsewhere)).status_code == 200
    assert web.call(call(prefetch=..., **elsewhere)).status_code == 412


def test_e10_token_note_and_ids_are_in_no_log_line(web: Served, log_lines: Callable[[], list[dict[str, Any]]]) -> None:
    secret = "canary-note-3e"
    with FhirServer([patient(), document(secret), linked_document("Binary/canary-b", number=2)]) as fhir:
        answer = fetching(web, fhir)
    assert answer.json()["cards"][0]["detail"] == secret
    assert TOKEN not in web.reader.charts[-1].model_dump_json(), "what is handed over knows nothing of it"
    written = json.dumps(log_lines())
    for canary in (secret, TOKEN, PATIENT_ID, "doc-7", "canary-b", fhir.url):
        assert canary not in written
