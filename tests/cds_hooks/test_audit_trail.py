"""Every request leaves exactly one audit event, and nothing of a chart. Over real HTTP."""

from __future__ import annotations

import base64
import json
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fhir.resources.R4B.auditevent import AuditEvent
from prometheus_client import REGISTRY

from cds_hooks.app import create_app
from cds_hooks.audit import spool as audit_spool
from cds_hooks.audit.event import PATIENT_QUERY
from cds_hooks.http_server import server
from cds_hooks.occasion import BuiltCards, Occasion
from cds_hooks.settings import Settings
from nlp_core.assessment import Assessment
from nlp_core.chart import Chart
from tests.cds_hooks import assessments, tokens
from tests.cds_hooks.audits import OTHER_KEY, Audited, details
from tests.cds_hooks.charts import SERVICE, authorization, call, document, patient, prefetch
from tests.cds_hooks.conftest import Serve, Served
from tests.cds_hooks.stand_ins import PlainClient, PlainFeedback
from tests.fhir_server import TOKEN, FhirServer
from tests.server_thread import ServerThread
from worker.local_redis import free_port

FEEDBACK = f"{SERVICE}/feedback"
CARD = "9f5b2a52-1f61-4f2c-8a70-0d5f7d8f2f01"


def report(**changes: Any) -> dict[str, Any]:
    item = {"card": CARD, "outcome": "overridden", "outcomeTimestamp": "2026-11-23T10:00:00Z"}
    return {"feedback": [item | changes]}


def noted(note: str, **changes: Any) -> dict[str, Any]:
    return call(prefetch=prefetch(document(note)), **changes)


def wait_until(happens: Callable[[], bool], seconds: float = 15) -> None:
    until = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def trail(tmp_path_factory: pytest.TempPathFactory) -> Audited:
    return Audited(tmp_path_factory.mktemp("trail"))


@pytest.fixture(scope="module")
def audited(serve: Serve, key_file: Path, trail: Audited) -> Served:
    """A web process that wants tokens and keeps its trail in `trail`."""
    issuers = {tokens.ISSUER: {"tenant": "hospital-a", "jwks_file": key_file, "jku": tokens.JKU}}
    return serve(auth=True, trusted_issuers=issuers, deadline_ms=10_000, **trail.settings)


@pytest.fixture
def own(tmp_path: Path) -> Audited:
    return Audited(tmp_path)


def unregistered(web: Served) -> httpx.Response:
    body = call(fhirServer="https://elsewhere.example.org/r4", fhirAuthorization=authorization())
    return web.signed(body)


def report_that_cannot_be_kept(web: Served) -> httpx.Response:
    web.feedback.available = False
    try:
        return web.signed(report(), FEEDBACK)
    finally:
        web.feedback.available = True


CASES: dict[str, tuple[Callable[[Served], httpx.Response], int, str, str]] = {
    "answered": (lambda web: web.signed(call()), 200, "0", "answered"),
    "silent": (lambda web: web.signed(noted("silence: no_finding")), 200, "0", "silent: no_finding"),
    "no card": (lambda web: web.signed(noted("known")), 200, "0", "silent: already-known"),
    "degraded": (lambda web: web.signed(noted("degraded: loading")), 200, "4", "degraded: loading"),
    "reader raises": (lambda web: web.signed(noted("raises")), 200, "4", "degraded: reader-failed"),
    "400": (lambda web: web.signed({"hook": "patient-view"}), 400, "4", "The request is not valid."),
    "another hook": (lambda web: web.signed(call(hook="order-sign")), 400, "4", "This service serves the hook"),
    "wrong patient": (
        lambda web: web.signed(call(prefetch=prefetch(patient=patient("another")))),
        400,
        "4",
        "The prefetched Patient is not context.patientId.",
    ),
    "401": (lambda web: web.call(call()), 401, "4", "no Authorization header, or several"),
    "401 of another's": (lambda web: web.signed(call(), iss="canary-issuer"), 401, "4", "issuer not registered"),
    "401 for feedback": (lambda web: web.http.post(FEEDBACK, json=report()), 401, "4", "no Authorization header"),
    "401 for discovery": (lambda web: web.http.get("/cds-services"), 401, "4", "no Authorization header"),
    "403": (unregistered, 403, "4", "The FHIR server is not registered for this client."),
    "404": (lambda web: web.signed(call(), "/cds-services/canary"), 404, "4", "There is no such service."),
    "412": (lambda web: web.signed(call(prefetch={"patient": patient()})), 412, "4", "Required data is missing."),
    "feedback": (lambda web: web.signed(report(), FEEDBACK), 200, "0", ""),
    "feedback 400": (lambda web: web.signed({"feedback": []}, FEEDBACK), 400, "4", "The request is not valid."),
    "feedback 503": (report_that_cannot_be_kept, 503, "8", "The feedback store does not answer."),
}


@pytest.mark.parametrize(("ask", "status", "outcome", "words"), CASES.values(), ids=CASES)
def test_every_request_leaves_exactly_one_event(
    audited: Served, trail: Audited, ask: Callable[[Served], httpx.Response], status: int, outcome: str, words: str
) -> None:
    before = {event["id"] for event in trail.events()} if trail.folder.exists() else set()
    assert ask(audited).status_code == status
    (event,) = [event for event in trail.events() if event["id"] not in before]
    AuditEvent.model_validate(event)
    assert event["outcome"] == outcome
    assert event.get("outcomeDesc", "").startswith(words)
    assert details(event)["httpStatus"] == [str(status)]
    assert "canary" not in json.dumps(event)


def test_what_concerns_no_patient_leaves_none(audited: Served, trail: Audited) -> None:
    before = len(trail.events())
    for path in ("/healthz", "/readyz", "/about", "/nowhere"):
        audited.http.get(path)
    headers = tokens.bearer(tokens.token(f"{audited.url}/cds-services"))
    assert audited.http.get("/cds-services", headers=headers).status_code == 200
    assert len(trail.events()) == before


def test_a_refused_token_is_a_security_alert(audited: Served, trail: Audited) -> None:
    before = {event["id"] for event in trail.events()}
    audited.call(call())
    (event,) = [event for event in trail.events() if event["id"] not in before]
    assert event["type"]["code"] == "110113"
    assert {"110126", "token-refused"} <= {subtype["code"] for subtype in event["subtype"]}
    assert event["agent"][0]["who"]["display"] == "not authenticated"


def test_another_patients_data_is_named_whether_it_was_sent_or_fetched(audited: Served, trail: Audited) -> None:
    audited.signed(call(prefetch=prefetch(patient=patient("another"))))
    event = trail.events()[-1]
    assert event["type"]["code"] == "110113"
    assert "wrong-patient-prefetch" in {subtype["code"] for subtype in event["subtype"]}


def test_other_patients_resources_from_a_fhir_server_are_named(serve: Serve, own: Audited) -> None:
    with FhirServer([patient(), document()], faults={"Patient": "other-patient"}) as fhir:
        web = serve(**own.settings)
        web.call(call(fhirServer=fhir.url, fhirAuthorization=authorization(), prefetch={}))
    (event,) = own.events()
    assert "wrong-patient-fetched" in {subtype["code"] for subtype in event["subtype"]}


class RealCards:
    """The card builder that ships, with an assessment of its own."""

    async def __call__(self, assessment: Assessment, chart: Chart, occasion: Occasion) -> BuiltCards:
        del assessment
        return await assessments.BUILDER(assessments.assessment(), chart, occasion)


def test_an_answered_call_follows_balp_and_says_who_what_and_with_which_model(own: Audited) -> None:
    port = free_port()
    settings = Settings(development=True, public_base_url=f"http://127.0.0.1:{port}", **own.settings)
    app = create_app(settings, PlainClient(), cards=RealCards(), feedback=PlainFeedback())
    body = call(context={"userId": "PractitionerRole/7", "patientId": "pat-1", "encounterId": "enc-1"})
    with ServerThread(server(app, host="127.0.0.1", port=port)):
        answer = httpx.post(f"http://127.0.0.1:{port}{SERVICE}", json=body, trust_env=False, timeout=20).json()
    (event,) = own.events()
    AuditEvent.model_validate(event)
    assert event["meta"]["profile"] == [PATIENT_QUERY]
    assert (event["type"]["code"], event["action"], event["outcome"]) == ("rest", "E", "0")
    roles = {agent["type"]["coding"][0]["code"]: agent for agent in event["agent"]}
    assert roles["110153"]["network"] == {"address": "127.0.0.1", "type": "2"}
    assert roles["110152"]["who"]["identifier"]["value"]
    assert roles["IRCP"]["who"] == {"reference": "PractitionerRole/7"}
    assert [agent["requestor"] for agent in event["agent"]] == [False, False, True]
    kinds = {(entity["type"]["code"], entity.get("role", {}).get("code")): entity for entity in event["entity"]}
    types = [entity["type"]["code"] for entity in event["entity"]]
    assert (types.count("1"), types.count("2"), types.count("XrequestId")) == (1, 1, 1), "BALP's slices"
    assert kinds["1", "1"]["what"] == {"reference": "Patient/pat-1"}
    assert kinds["Encounter", "4"]["what"] == {"reference": "Encounter/enc-1"}
    assert kinds["XrequestId", None]["what"]["identifier"]["value"] == body["hookInstance"]
    assert body["hookInstance"].encode() in base64.b64decode(kinds["2", "24"]["query"])
    said, card = details(event), answer["cards"][0]
    assert said["card"] == [card["uuid"]]
    assert said["shown"] == [one["id"] for one in card["extension"]["org.dxspan.assessment"]["diagnoses"]]
    assert said["evidenceHash"] == [card["extension"]["org.dxspan.assessment"]["evidenceHash"]]
    assert said["modelVersion"] == ["plain+0"]
    assert said["notesRead"] == ["1"]


def test_g13_a_repeated_call_is_one_event_that_counts(audited: Served, trail: Audited) -> None:
    body = call()
    answers = [audited.signed(body).content for _ in range(3)]
    assert len(set(answers)) == 1
    (event,) = [event for event in trail.events() if body["hookInstance"] in json.dumps(event)]
    assert details(event)["repeats"] == ["2"]


def test_g13_the_same_call_twice_at_once_is_one_event(audited: Served, trail: Audited) -> None:
    body = noted("sleeps: 0.3")
    with ThreadPoolExecutor(3) as pool:
        assert {answer.status_code for answer in pool.map(lambda _: audited.signed(body), range(3))} == {200}
    (event,) = [event for event in trail.events() if body["hookInstance"] in json.dumps(event)]
    assert details(event)["repeats"] == ["2"]


def test_feedback_says_which_cards_and_no_comment(audited: Served, trail: Audited) -> None:
    audited.signed(report(overrideReason={"userComment": "canary-comment", "reason": {"code": "canary"}}), FEEDBACK)
    event = trail.events()[-1]
    assert event["action"] == "C"
    assert [entity["what"]["identifier"]["value"] for entity in event["entity"] if "what" in entity] == [
        f"urn:uuid:{CARD}"
    ]
    assert details(event)["feedback"] == ["overridden"]


CANARIES = ("canary-note", "canary-pat", "canary-user", "canary-enc", TOKEN, "canary-comment", "127.0.0.1")


def _content(path: Path) -> bytes:
    """Nothing where the file has gone meanwhile: what is delivered is deleted."""
    with suppress(FileNotFoundError):
        return path.read_bytes()
    return b""


def test_e10_nothing_of_a_chart_a_name_or_a_token_is_on_disk(serve: Serve, own: Audited) -> None:
    web = serve(**own.settings)
    context = {"userId": "Practitioner/canary-user", "patientId": "canary-pat", "encounterId": "canary-enc"}
    charted = prefetch(document("canary-note", of="canary-pat"), patient=patient("canary-pat"))
    fhir = {"fhirServer": "http://127.0.0.1:9", "fhirAuthorization": authorization()}
    for note in ("canary-note", "canary-note card fails", "raises canary-note"):
        charted["documents"] = prefetch(document(note, of="canary-pat"))["documents"]
        web.call(call(context=context, prefetch=charted, **fhir))
    web.call({"canary-note": "canary-pat"})
    web.http.post(FEEDBACK, json=report(overrideReason={"userComment": "canary-comment"}))
    wait_until(lambda: own.delivered() == 5)
    written = {path.name: _content(path) for path in own.path.rglob("*") if path.is_file()}
    assert any(b"hook-call" in content for content in written.values())
    for name, content in written.items():
        for canary in CANARIES:
            spelt = {canary.encode(), canary.encode("utf-16-le"), canary.encode().hex().encode()}
            spelt |= {base64.b64encode(b"\0" * shift + canary.encode())[4:-4] for shift in range(3)}
            assert not any(one in content for one in spelt), (name, canary)
    assert {"Patient/canary-pat"} == {
        entity["what"]["reference"]
        for event in own.events()
        for entity in event["entity"]
        if entity["type"]["code"] == "1"
    }


def test_without_a_key_nobody_is_named_and_no_profile_is_claimed(serve: Serve, tmp_path: Path) -> None:
    own = Audited(tmp_path, key=None)
    assert serve(**own.settings).call(call()).status_code == 200
    (event,) = own.events()
    AuditEvent.model_validate(event)
    assert "pat-1" not in json.dumps(event)
    assert "doc-7" not in json.dumps(event)
    assert "meta" not in event


def test_an_export_without_the_key_names_nobody_but_still_tells_patients_apart(serve: Serve, own: Audited) -> None:
    web = serve(**own.settings)
    for _ in range(2):
        web.call(call())
    keyless = Audited(own.path, key=OTHER_KEY).events(whole=False)
    assert "Patient/pat-1" not in json.dumps(keyless)
    marks = [e["what"]["identifier"]["value"] for event in keyless for e in event["entity"] if e["type"]["code"] == "1"]
    assert len(marks) == 2
    assert len(set(marks)) == 1


def test_a_database_that_is_away_costs_no_answer_and_no_event(serve: Serve, own: Audited) -> None:
    own.database.mkdir(parents=True)  # nothing opens a folder as a database
    web = serve(**own.settings)
    for _ in range(5):
        assert web.call(call()).json()["cards"]
    time.sleep(0.7)  # a delivery was tried
    assert web.call(call()).json()["cards"]
    own.database.rmdir()
    wait_until(lambda: own.delivered() == 6)
    assert len(own.events()) == 6
    wait_until(lambda: not list(own.folder.glob("*/*.ndjson")))


def test_a_database_that_is_locked_costs_no_answer(serve: Serve, own: Audited) -> None:
    web = serve(**own.settings)
    web.call(call())
    wait_until(lambda: own.delivered() == 1)
    with own.sql() as other:
        other.execute("BEGIN EXCLUSIVE")
        begun = time.monotonic()
        assert web.call(call()).json()["cards"]
        assert time.monotonic() - begun < 1.5
        other.rollback()
    wait_until(lambda: own.delivered() == 2)
    assert len(own.events()) == 2


def test_a_disk_that_takes_nothing_shows_nothing_and_what_it_refused_is_written_later(
    serve: Serve, own: Audited
) -> None:
    own.folder.write_text("in the way")
    web = serve(**own.settings)
    wait_until(lambda: web.http.get("/readyz").status_code == 503)
    answer = web.call(call())
    assert answer.json() == {
        "cards": [],
        "extension": {"org.dxspan.status": {"state": "degraded", "reason": "audit-unavailable"}},
    }
    assert web.http.post(FEEDBACK, json=report()).status_code == 503
    assert web.call({}).status_code == 400
    assert web.http.get("/readyz").status_code == 503
    own.folder.unlink()
    wait_until(lambda: web.http.get("/readyz").status_code == 200)
    assert web.call(call()).json()["cards"]
    described = [event.get("outcomeDesc") for event in own.events()]
    assert described == ["degraded: audit-unavailable", None, "The request is not valid.", "answered"]


def test_many_calls_at_once_are_one_chain_in_few_writes(serve: Serve, own: Audited) -> None:
    web, together = serve(**own.settings), threading.Barrier(16)

    def one(_: int) -> int:
        together.wait()
        return web.call(call()).status_code

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(one, range(64))) == {200}
    assert len({event["id"] for event in own.events()}) == 64
    assert own.run("verify") == 0
    assert len(list(own.folder.iterdir())) == 1


def test_two_processes_beside_each_other_share_folder_and_database(serve: Serve, own: Audited) -> None:
    both = [serve(**own.settings), serve(**own.settings)]
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda n: both[n % 2].call(call()).status_code, range(20))) == {200}
    wait_until(lambda: own.delivered() == 20)
    assert len(own.events()) == 20
    assert len(list(own.folder.iterdir())) == 2


def test_an_export_of_a_period_holds_that_period(serve: Serve, own: Audited) -> None:
    web = serve(**own.settings)
    web.call(call())
    between = datetime.now(UTC).isoformat()
    body = call()
    web.call(body)
    assert body["hookInstance"] not in json.dumps(own.events("--until", between))
    (later,) = own.events("--since", between)
    assert body["hookInstance"] in json.dumps(later)
    assert own.events("--until", "2020-01-01") == []


def test_the_database_refuses_to_change_an_entry(serve: Serve, own: Audited) -> None:
    serve(**own.settings).call(call())
    wait_until(lambda: own.delivered() == 1)
    for statement in ("UPDATE audit_entry SET body = ''", "DELETE FROM audit_entry"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"), own.sql() as sql:
            sql.execute(statement)


def test_a_crash_leaves_its_event_too(serve: Serve, own: Audited, monkeypatch: pytest.MonkeyPatch) -> None:
    web = serve(**own.settings)

    def crash(*_: object) -> None:
        raise RuntimeError("canary-crash")

    monkeypatch.setattr("cds_hooks.call_body.read_hook_request", crash)
    assert web.call(call()).status_code == 500
    (event,) = own.events()
    assert (event["outcome"], details(event)["httpStatus"]) == ("8", ["500"])
    assert "canary" not in json.dumps(event)


def test_a_disk_that_hangs_makes_no_answer_late(serve: Serve, own: Audited, monkeypatch: pytest.MonkeyPatch) -> None:
    web = serve(deadline_ms=600, **own.settings)
    assert web.call(call()).json()["cards"]
    flush = audit_spool.os.fsync
    monkeypatch.setattr(audit_spool.os, "fsync", lambda file: (time.sleep(2), flush(file)))
    begun = time.monotonic()
    answer = web.call(call())
    assert time.monotonic() - begun < 1.5
    assert answer.json()["extension"]["org.dxspan.status"] == {"state": "degraded", "reason": "audit-unavailable"}


def test_what_is_counted(serve: Serve, own: Audited) -> None:
    def count(stage: str) -> float:
        return REGISTRY.get_sample_value("dxspan_audit_entries_total", {"stage": stage}) or 0.0

    kept, delivered = count("kept"), count("delivered")
    serve(**own.settings).call(call())
    wait_until(lambda: own.delivered() == 1)
    wait_until(lambda: count("delivered") > delivered)
    assert count("kept") == kept + 1
