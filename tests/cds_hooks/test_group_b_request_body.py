"""Group B of the fault matrix: bad bodies, over real HTTP. Each test names its row."""

from __future__ import annotations

import gzip
import json
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cds_hooks.charts import PATIENT_ID, SERVICE, authorization, call, condition, document, patient, prefetch
from tests.cds_hooks.conftest import Serve, Served
from tests.cds_hooks.raw_http import exchange, head
from tests.fhir_server import FhirServer, searchset
from worker.local_redis import free_port

JSON_TYPE = "content-type: application/json"


def refused(answer: httpx.Response, status: int) -> dict[str, Any]:
    """The issue of a refusal that has the status and an OperationOutcome."""
    assert answer.status_code == status, answer.text
    outcome = answer.json()
    assert outcome["resourceType"] == "OperationOutcome"
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    issue: dict[str, Any] = outcome["issue"][0]
    assert issue["severity"] == "error"
    assert issue["details"]["text"]
    return issue


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b'"hook"', b"hook", b'{"hook": "patient-view"', b"{'hook': 1}", b'{"hook": 1,}', b"7"]
)
def test_b01_empty_or_malformed_json_is_400(web: Served, body: bytes) -> None:
    refused(web.post(body), 400)


def test_b02_one_byte_over_the_limit_is_413(serve: Serve) -> None:
    small = serve(max_body_bytes=20_000)
    assert small.post(b" " * 20_000).status_code == 400
    refused(small.post(b" " * 20_001), 413)


def test_b02_chunked_without_length_over_the_limit_is_413(serve: Serve) -> None:
    small = serve(max_body_bytes=20_000)

    def chunks() -> Iterator[bytes]:
        for _ in range(30):
            yield b" " * 1000

    answer = small.http.post(SERVICE, content=chunks(), headers={"content-type": "application/json"})
    refused(answer, 413)


def test_b02_a_promise_of_far_too_much_is_413_before_a_byte_is_sent(web: Served) -> None:
    answer = exchange(web.port, head(SERVICE, JSON_TYPE, "content-length: 99999999999"))
    assert answer.status == 413
    assert answer.seconds < 1


def test_b04_a_client_that_hangs_up_leaves_nothing_behind(web: Served) -> None:
    with socket.create_connection(("127.0.0.1", web.port)) as connection:
        connection.sendall(head(SERVICE, JSON_TYPE, "content-length: 1000") + b"{")
    assert web.call(call()).status_code == 200


@pytest.fixture
def plain_process() -> Iterator[tuple[int, int]]:
    """Port and process id of a web process alone in its process."""
    port = free_port()
    script = Path(__file__).with_name("serve_plain.py")
    process = subprocess.Popen([sys.executable, str(script), str(port)], stdout=subprocess.DEVNULL)
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False)
            break
        except httpx.ConnectError:
            time.sleep(0.05)
    yield port, process.pid
    process.terminate()
    process.wait(10)


def _peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def _settled_peak_mb(pid: int) -> float:
    """The peak once nothing is being imported any more."""
    seen = [0.0]
    until = time.monotonic() + 20
    while time.monotonic() < until and seen.count(seen[-1]) < 10:
        time.sleep(0.1)
        seen.append(_peak_mb(pid))
    return seen[-1]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak of memory from /proc")
def test_b02_memory_stays_within_the_limit_and_ten_megabytes(plain_process: tuple[int, int]) -> None:
    port, pid = plain_process
    before = _settled_peak_mb(pid)

    def chunks() -> Iterator[bytes]:
        for _ in range(500):
            yield b" " * 100_000

    try:
        answer = httpx.post(
            f"http://127.0.0.1:{port}{SERVICE}",
            content=chunks(),
            headers={"content-type": "application/json"},
            trust_env=False,
        )
        assert answer.status_code == 413
    except httpx.TransportError:
        pass  # the server closes the connection while the rest is still being sent
    assert _peak_mb(pid) - before <= 20


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "gzip, gzip", "zstd"])
def test_b03_compressed_bodies_are_415(web: Served, encoding: str) -> None:
    packed = gzip.compress(json.dumps(call()).encode())
    refused(web.post(packed, content_encoding=encoding), 415)


def test_b03_a_bomb_is_415_without_being_inflated(web: Served) -> None:
    begun = time.monotonic()
    refused(web.post(gzip.compress(b" " * 50_000_000), content_encoding="gzip"), 415)
    assert time.monotonic() - begun < 2


def test_b04_half_a_body_then_silence_is_closed(serve: Serve) -> None:
    hasty = serve(body_timeout_seconds=1)
    body = json.dumps(call()).encode()
    answer = exchange(hasty.port, head(SERVICE, JSON_TYPE, f"content-length: {len(body)}"), body[: len(body) // 2])
    assert answer.status == 408
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert answer.seconds < 3


def test_b04_no_setting_lets_a_body_take_longer_than_ten_seconds() -> None:
    from cds_hooks.settings import Settings

    assert Settings(development=True).body_timeout_seconds <= 10
    with pytest.raises(ValueError, match="body_timeout_seconds"):
        Settings(development=True, body_timeout_seconds=11)


def test_b04_half_a_header_then_silence_is_closed(web: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cds_hooks.http_server.HEADER_SECONDS", 0.5)
    assert exchange(web.port, b"POST /cds-services HTTP/1.1\r\nhost: x\r\ncontent-").seconds < 3
    assert exchange(web.port).seconds < 3
    whole = head("/healthz", method="GET")
    assert exchange(web.port, whole, b"GET /hea", pause=0.2).seconds < 3


@pytest.mark.parametrize("depth", [500, 20_000, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_b05_deep_nesting_is_400_at_once(web: Served, depth: int, opening: bytes, closing: bytes) -> None:
    body = opening * depth + b"1" + closing * depth
    begun = time.monotonic()
    refused(web.post(body), 400)
    assert time.monotonic() - begun < 0.3, "the row says 50 ms of the server's time; this also counts the way there"


def test_b05_the_depth_check_itself_takes_less_than_fifty_milliseconds() -> None:
    from cds_hooks import strict_json

    body = b"[" * 100_000
    begun = time.perf_counter()
    with pytest.raises(strict_json.NotStrictJson):
        strict_json.loads(body)
    assert time.perf_counter() - begun < 0.05


@pytest.mark.parametrize("digits", [5_000, 200_000])
def test_b06_huge_integers_are_400(web: Served, digits: int) -> None:
    refused(web.post(b'{"hook": ' + b"9" * digits + b"}"), 400)
    refused(web.post(b'{"hook": -' + b"9" * digits + b"}"), 400)


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"1" * 400 + b".5"])
def test_b07_numbers_that_are_none_are_400(web: Served, number: bytes) -> None:
    body = json.dumps(call()).encode()[:-1] + b', "extension": {"x": ' + number + b"}}"
    refused(web.post(body), 400)


def test_b08_a_key_twice_is_400(web: Served) -> None:
    body = json.dumps(call()).encode()
    refused(web.post(b'{"hook": "patient-view", ' + body[1:]), 400)
    inner = body.replace(b'"patientId"', b'"patientId": "other", "patientId"')
    refused(web.post(inner), 400)


def test_b09_a_lone_surrogate_in_a_text_is_repaired(web: Served) -> None:
    body = json.dumps(call(prefetch=prefetch(problems=searchset([condition("pain MARK end")]))))
    answer = web.post(body.replace("MARK", "\\ud800").encode())
    assert answer.status_code == 200
    assert web.reader.charts[-1].problems[0].text == "pain � end"


def test_b09_a_surrogate_pair_is_kept(web: Served) -> None:
    body = json.dumps(call(prefetch=prefetch(problems=searchset([condition("pain \U0001f600 \U00020000")]))))
    assert "\\ud83d\\ude00" in body
    assert web.post(body.replace("pain", "pain\\udc00").encode()).status_code == 200
    assert web.reader.charts[-1].problems[0].text == "pain� \U0001f600 \U00020000"


def test_b09_surrogates_encoded_as_bytes_in_a_note_are_repaired(web: Served) -> None:
    broken = document()
    broken["content"][0]["attachment"]["data"] = "cGFpbiDtoIAgZW5k"  # b"pain \xed\xa0\x80 end"
    answer = web.call(call(prefetch=prefetch(broken)))
    assert answer.status_code == 200
    assert answer.json()["cards"][0]["detail"].startswith("pain �")


def test_b09_a_lone_surrogate_in_an_id_is_400(web: Served) -> None:
    body = json.dumps(call()).replace(f'"patientId": "{PATIENT_ID}"', '"patientId": "\\ud800"')
    refused(web.post(body.encode()), 400)


def test_b10_control_bidi_and_zero_width_characters_do_not_move_a_note(web: Served) -> None:
    text = "a\x00b\x07c \u202edorsal\u202c pain\u200b \ufefffever"
    answer = web.call(call(prefetch=prefetch(document(text))))
    assert answer.status_code == 200
    assert web.reader.charts[-1].notes[0].text == text, "readers skip them; offsets count them"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "utf-8-sig"])
def test_b11_other_encodings_are_400(web: Served, encoding: str) -> None:
    body = json.dumps(call(extension={"de": "Kopfschmerz, Übelkeit"}), ensure_ascii=False)
    refused(web.post(body.encode(encoding)), 400)


@pytest.mark.parametrize("media", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "", "json"])
def test_b12_other_media_types_are_415(web: Served, media: str) -> None:
    refused(web.post(json.dumps(call()).encode(), content_type=media), 415)


def test_b12_a_missing_media_type_is_415(web: Served) -> None:
    refused(web.http.post(SERVICE, content=json.dumps(call()).encode()), 415)


def test_b12_another_charset_is_415_and_utf_8_is_fine(web: Served) -> None:
    refused(web.post(b"{}", content_type="application/json; charset=utf-16"), 415)
    body = json.dumps(call()).encode()
    assert web.post(body, content_type='Application/JSON; charset="UTF-8"').status_code == 200


def test_b13_another_hook_is_400(web: Served) -> None:
    issue = refused(web.call(call(hook="order-select")), 400)
    assert issue["expression"] == ["hook"]
    refused(web.call(call(hook=7)), 400)
    refused(web.call(call(hook=...)), 400)


@pytest.mark.parametrize(
    "path",
    ["/cds-services/nothing", "/cds-services/..%2fhealthz", "/cds-services/dxspan-patient-view/", "/cds-services/",
     "/cds-services/dxspan-patient-view%00", "/CDS-services/dxspan-patient-view", "/cds-services/a/b/c"],
)  # fmt: skip
def test_b14_unknown_services_are_404(web: Served, path: str) -> None:
    refused(web.post(json.dumps(call()).encode(), path), 404)


@pytest.mark.parametrize("instance", ["", "7", "not-a-uuid", "d1577c69dfbe44adba6d3e05e953b2ea", 7, None, ["x"], ...])
def test_b15_a_hook_instance_that_is_no_uuid_is_400(web: Served, instance: Any) -> None:
    issue = refused(web.call(call(hookInstance=instance)), 400)
    assert issue["expression"] == ["hookInstance"]


def test_b15_the_same_call_again_gets_the_same_answer(web: Served) -> None:
    body = call()
    first = web.call(body)
    readings = len(web.reader.charts)
    again = web.call(body)
    assert first.status_code == again.status_code == 200
    assert again.content == first.content
    assert len(web.reader.charts) == readings, "it was not read twice"


def test_b15_the_same_instance_with_another_body_is_a_new_call(web: Served) -> None:
    body = call()
    web.call(body)
    changed = web.call(body | {"prefetch": prefetch(document("Now short of breath."))})
    assert changed.json()["cards"][0]["detail"] == "Now short of breath."


BAD_IDS = [
    "",
    "x" * 65,
    "Patient/1",
    "../x",
    "..",
    ".",
    "1&_include=*",
    "1?x",
    "a b",
    "1#",
    "1\n",
    "ü",
    7,
    None,
    ["1"],
    ...,
]


@pytest.mark.parametrize("identifier", BAD_IDS)
def test_b16_ids_that_are_none_are_400_and_reach_no_url(web: Served, identifier: Any) -> None:
    context = {"userId": "Practitioner/1", "patientId": identifier}
    with FhirServer([patient()]) as fhir:
        body = call(
            context={key: value for key, value in context.items() if value is not ...},
            fhirServer=fhir.url,
            fhirAuthorization=authorization(),
            prefetch=...,
        )
        issue = refused(web.call(body), 400)
    assert issue["expression"] == ["context.patientId"]
    assert not fhir.asked


def test_b16_an_encounter_id_is_checked_too_but_may_be_empty(web: Served) -> None:
    context = {"userId": "Practitioner/1", "patientId": PATIENT_ID}
    refused(web.call(call(context=context | {"encounterId": "../x"})), 400)
    assert web.call(call(context=context | {"encounterId": ""})).status_code == 200
    assert web.call(call(context=context | {"encounterId": None})).status_code == 200


@pytest.mark.parametrize(
    "user", ["doc-7", "Device/1", "Practitioner/", "Practitioner/a/b", "practitioner/1", "", 7, ...]
)
def test_b17_users_of_other_types_are_400(web: Served, user: Any) -> None:
    context = {"userId": user, "patientId": PATIENT_ID}
    issue = refused(web.call(call(context={k: v for k, v in context.items() if v is not ...})), 400)
    assert issue["expression"] == ["context.userId"]


@pytest.mark.parametrize("kind", ["Practitioner", "PractitionerRole", "Patient", "RelatedPerson"])
def test_b17_the_four_types_are_taken(web: Served, kind: str) -> None:
    assert web.call(call(context={"userId": f"{kind}/1", "patientId": PATIENT_ID})).status_code == 200


def test_b18_a_missing_required_key_without_token_is_412_naming_it(web: Served) -> None:
    supplied = prefetch()
    del supplied["documents"]
    issue = refused(web.call(call(prefetch=supplied)), 412)
    assert issue["expression"] == ["prefetch.documents"]
    assert "documents" in issue["diagnostics"]


def test_b18_a_missing_required_key_is_fetched_with_a_token(web: Served) -> None:
    supplied = prefetch()
    del supplied["documents"]
    with FhirServer([document("Fetched note.")]) as fhir:
        answer = web.call(call(prefetch=supplied, fhirServer=fhir.url, fhirAuthorization=authorization()))
    assert answer.json()["cards"][0]["detail"] == "Fetched note."
    assert fhir.paths() == ["/fhir/DocumentReference"]


@pytest.mark.parametrize("value", [None, {"resourceType": "Bundle", "type": "searchset", "total": 0}])
def test_b18_null_and_an_empty_bundle_are_no_data(web: Served, value: Any) -> None:
    answer = web.call(call(prefetch=prefetch(documents=value)))
    assert answer.status_code == 200
    assert answer.json()["cards"] == []
    assert answer.json()["extension"]["org.dxspan.status"] == {"state": "silent", "reason": "no_note"}


def test_b18_an_operation_outcome_is_not_asked_again(web: Served) -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
    with FhirServer([document()]) as fhir:
        access = {"fhirServer": fhir.url, "fhirAuthorization": authorization()}
        refused(web.call(call(prefetch=prefetch(documents=outcome), **access)), 412)
        optional = web.call(call(prefetch=prefetch(problems=outcome), **access))
    assert not fhir.asked
    assert optional.status_code == 200
    assert optional.json()["extension"]["org.dxspan.status"]["unread"] == [
        {"what": "problems", "reason": "not-available", "count": 1}
    ]
    assert not web.reader.charts[-1].problems_available


@pytest.mark.parametrize(
    "wrong", [condition("asthma"), searchset([condition("asthma")]), "note", 7, [document()], {"a": 1}]
)
def test_b18_the_wrong_resource_is_as_good_as_none(web: Served, wrong: Any) -> None:
    refused(web.call(call(prefetch=prefetch(documents=wrong))), 412)
    with FhirServer([document("Fetched note.")]) as fhir:
        access = {"fhirServer": fhir.url, "fhirAuthorization": authorization()}
        answer = web.call(call(prefetch=prefetch(documents=wrong), **access))
    assert answer.json()["cards"][0]["detail"] == "Fetched note."


def test_b19_the_prefetched_patient_is_another_one(web: Served, log_lines: Callable[[], list[dict[str, Any]]]) -> None:
    readings = len(web.reader.charts)
    issue = refused(web.call(call(prefetch=prefetch(patient=patient("someone-else")))), 400)
    assert issue["expression"] == ["prefetch.patient"]
    assert len(web.reader.charts) == readings
    events = [line for line in log_lines() if line["event"] == "security"]
    assert [event["kind"] for event in events] == ["wrong-patient-prefetch"]
    assert "someone-else" not in json.dumps(log_lines())


def test_b20_a_note_of_another_patient_is_ignored_and_counted(web: Served) -> None:
    mine, other = document("My own note."), document("Canary of another.", number=2, of="someone-else")
    answer = web.call(call(prefetch=prefetch(mine, other)))
    assert answer.json()["cards"][0]["detail"] == "My own note."
    assert "Canary" not in answer.text
    unread = answer.json()["extension"]["org.dxspan.status"]["unread"]
    assert {"what": "DocumentReference", "reason": "other-patient", "count": 1} in unread


def test_b21_ten_thousand_entries_are_cut_to_the_newest(serve: Serve) -> None:
    web = serve(max_entries=300, deadline_ms=20_000)
    notes = [document(f"note {n}", number=n, date=f"20{10 + n % 16}-01-{1 + n % 28:02}") for n in range(10_000)]
    answer = web.call(call(prefetch=prefetch(*notes)))
    assert answer.status_code == 200
    chart = web.reader.charts[-1]
    assert 0 < len(chart.notes) <= 300
    assert {note.date.year for note in chart.notes if note.date} == {2025}
    unread = answer.json()["extension"]["org.dxspan.status"]["unread"]
    assert {"what": "documents", "reason": "over-limit", "count": 9_700} in unread


def test_b21_next_links_lead_to_the_registered_server_only(web: Served) -> None:
    first = searchset([document("First page.")])
    with FhirServer([document("First page."), document("Second page.", number=2)], page_size=1) as fhir:
        access = {"fhirServer": fhir.url, "fhirAuthorization": authorization()}
        first["link"] = [{"relation": "next", "url": f"{fhir.url}/DocumentReference?patient={PATIENT_ID}&page=1"}]
        web.call(call(prefetch=prefetch(documents=first), **access))
        assert {note.text for note in web.reader.charts[-1].notes} == {"First page.", "Second page."}
        fhir.asked.clear()
        for elsewhere in (f"{fhir.url}evil/x", f"http://127.0.0.1:{fhir.port}/other", "http://127.0.0.2/fhir/x"):
            first["link"] = [{"relation": "next", "url": elsewhere}]
            answer = web.call(call(prefetch=prefetch(documents=first), **access))
            assert {note.text for note in web.reader.charts[-1].notes} == {"First page."}
            unread = answer.json()["extension"]["org.dxspan.status"]["unread"]
            assert unread == [{"what": "documents", "reason": "not-available", "count": 1}]
        assert not fhir.asked


def test_b22_unknown_fields_and_extensions_are_ignored(web: Served) -> None:
    body = call(extension={"com.example": 1}, colour="blue", __proto__={"hook": "x"})
    body["context"] |= {"__proto__": {}, "selections": [], "extension": {"a": [1]}}
    body["prefetch"] |= {"somebodyElsesKey": {"resourceType": "Canary"}, "constructor": None}
    assert web.call(body).status_code == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "TRACE", "PATCH", "GET"])
def test_b23_other_methods_are_405(web: Served, method: str) -> None:
    answer = web.http.request(method, SERVICE)
    refused(answer, 405)
    assert answer.headers["allow"] == "POST"


def test_b23_preflight_from_an_unknown_origin_gets_no_cors_headers(serve: Serve) -> None:
    web = serve(cors_origins="https://sandbox.example.org")
    asked = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    for answer in (web.http.options(SERVICE, headers=asked), web.call(call(), origin="https://evil.example")):
        assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_b24_length_beside_chunked_is_400_at_the_edge(web: Served) -> None:
    both = head(SERVICE, JSON_TYPE, "content-length: 4", "transfer-encoding: chunked")
    answer = exchange(web.port, both + b"4\r\nnull\r\n0\r\n\r\n")
    assert answer.status == 400
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert "connection: close" in answer.headers


@pytest.mark.parametrize(
    "lines", [("content-length: 4", "content-length: 5"), ("transfer-encoding: chunked, identity",)]
)
def test_b24_other_ambiguous_lengths_are_400(web: Served, lines: tuple[str, ...]) -> None:
    assert exchange(web.port, head(SERVICE, JSON_TYPE, *lines) + b"null\r\n").status == 400


def test_b25_a_hundred_thousand_keys_are_answered_quickly(web: Served) -> None:
    body = json.dumps(call(extension={f"k{number}": number for number in range(100_000)})).encode()
    begun = time.monotonic()
    answer = web.post(body)
    assert answer.status_code in (200, 413)
    assert time.monotonic() - begun < 1.0, "the row says 500 ms; this machine's cores are shared"


def test_no_refusal_repeats_the_input(web: Served) -> None:
    canary = "CANARY-7Q"
    bodies = [
        call(hookInstance=canary),
        call(context={"userId": canary, "patientId": f"{canary}/.."}),
        call(fhirServer=canary, fhirAuthorization={"access_token": canary}),
        call(prefetch={canary: canary}),
        {canary: canary},
    ]
    for body in bodies:
        answer = web.call(body)
        assert answer.status_code in (400, 412)
        assert canary not in answer.text
    assert canary not in web.post(f'{{"{canary}'.encode()).text
    assert canary not in web.post(b"{}", f"/cds-services/{canary}").text


def test_an_upper_case_or_urn_instance_is_a_uuid_too(web: Served) -> None:
    for instance in (str(uuid.uuid4()).upper(), uuid.uuid4().urn):
        assert web.call(call(hookInstance=instance)).status_code == 200
