"""Spans through the queue: a web process, Redis, the shipped worker and a collector, all real; nothing marked is in any."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from tests.journey.canaries import CANARIES, files_under, found_in
from tests.journey.marked_charts import NOTE, PATIENT_ID, call, patient, prefetch, told
from tests.journey.processes import Processes, every_command, wait_until, wait_until_it_answers
from tests.otlp_receiver import OtlpReceiver, Received
from worker.local_redis import LocalRedis, ensure_server, free_port
from worker.payloads import new_queue_key
from worker.tracing import ALLOWED

SERVICE = "/cds-services/dxspan-patient-view"
TENANT = "hospital-of-Zq7"
WEB = {"call", "gather notes", "look up", "send", "wait", "compose card", "remember"}
WORKER = {"queue wait", "read chart", "read sentences", "reason"}
SERVER, PRODUCER, CONSUMER = 2, 4, 5


@dataclass
class Traced:
    """A service whose processes send spans to `receiver`."""

    url: str
    receiver: OtlpReceiver
    folder: Path
    commands: list[str]

    def post(self, body: Any, path: str = SERVICE, **headers: str) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"content-type": "application/json"} | headers
        return httpx.post(self.url + path, content=content, headers=sent, trust_env=False, timeout=30)


def started(folder: Path, server: LocalRedis, receiver: OtlpReceiver, worker: str) -> tuple[Processes, str]:
    """`worker`: module of the worker."""
    processes, url = Processes(folder), f"http://127.0.0.1:{free_port()}"
    queue = {"DXSPAN_REDIS_URL": server.url, "DXSPAN_QUEUE_KEY": new_queue_key()} | receiver.environment
    processes.start("worker", ["-m", worker], queue)
    more = {"DXSPAN_DEVELOPMENT": "true", "DXSPAN_DEADLINE_MS": "2500", "DXSPAN_TENANT": TENANT}
    more |= {"FASTAPI_OTEL_AUTO_CONFIGURE": "true"}  # what FastAPI would send of itself: paths, queries, exceptions
    processes.web("web", url, queue | more)
    wait_until_it_answers(url)
    with redis.Redis.from_url(server.url) as client:
        wait_until(lambda: bool(client.keys("*model*")), "a worker that announces its model")
    return processes, url


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    folder = tmp_path_factory.mktemp("traces")
    with LocalRedis(ensure_server()) as server, OtlpReceiver() as receiver, every_command(server) as commands:
        processes, url = started(folder, server, receiver, "worker")
        try:
            yield Traced(url, receiver, folder, commands)
        finally:
            processes.close()


@pytest.fixture(scope="module")
def spans(traced: Traced) -> list[Received]:
    """Of one call that gets a card, in its own trace alone."""
    before = {one.trace for one in traced.receiver.spans}
    answer = traced.post(call())
    assert answer.json()["cards"], answer.text
    traced.receiver.wait_for(WEB | WORKER)
    return [one for one in traced.receiver.spans if one.trace not in before]


def named(spans: list[Received], name: str) -> Received:
    (found,) = (one for one in spans if one.name == name)
    return found


def test_one_call_is_one_trace_through_both_processes(spans: list[Received]) -> None:
    assert len({one.trace for one in spans}) == 1
    of_service = {
        service: {one.name for one in spans if one.service == service} for service in {one.service for one in spans}
    }
    assert of_service == {"dxspan-serve": WEB, "dxspan-worker": WORKER}
    assert (named(spans, "call").kind, named(spans, "send").kind) == (SERVER, PRODUCER)
    assert named(spans, "read chart").kind == CONSUMER


def test_each_step_lies_in_the_one_it_belongs_to(spans: list[Received]) -> None:
    parents = {one.name: next((other.name for other in spans if other.id == one.parent), "") for one in spans}
    assert parents == {
        "call": "",
        **dict.fromkeys(WEB - {"call"}, "call"),
        **dict.fromkeys(("queue wait", "read chart"), "send"),
        **dict.fromkeys(("read sentences", "reason"), "read chart"),
    }
    assert all(0 <= one.ended - one.begun < 30e9 for one in spans)
    assert named(spans, "read sentences").ended <= named(spans, "reason").begun
    assert named(spans, "wait").ended >= named(spans, "reason").ended


def test_a_span_says_what_is_listed_and_no_more(spans: list[Received]) -> None:
    assert {name for one in spans for name in one.attributes} <= ALLOWED
    told = named(spans, "call").attributes
    assert told["http.route"] == "/cds-services/{service_id}"
    assert (told["http.response.status_code"], told["dxspan.state"], told["dxspan.cards"]) == (200, "answered", 1)
    assert told["dxspan.tenant"] == named(spans, "read chart").attributes["dxspan.tenant"] != TENANT
    assert named(spans, "gather notes").attributes["dxspan.notes"] == 1
    assert named(spans, "read chart").attributes["dxspan.outcome"] == "read"


def test_a_callers_traceparent_and_tracestate_are_not_taken_up(traced: Traced) -> None:
    theirs = "a" * 32
    traced.post(call(), traceparent=f"00-{theirs}-{'b' * 16}-01", tracestate=f"x={CANARIES['header']}")
    time.sleep(0.5)
    assert theirs not in {one.trace for one in traced.receiver.spans}


def test_e10_nothing_marked_is_sent_nor_carried_in_the_queue(traced: Traced, spans: list[Received]) -> None:
    """Calls of every kind: answered, refused, failing, with marks wherever a caller can put them."""
    del spans  # the plain call has been made
    marked = CANARIES["query"]
    refused = [
        traced.post(call(prefetch=prefetch(patient=patient("somebody-else")))),
        traced.post(call(), f"/cds-services/{marked}?patient={PATIENT_ID}"),
        traced.post(call(context={"userId": f"Practitioner/{marked}", "patientId": f"{PATIENT_ID}/{marked}"})),
        traced.post(json.dumps(call()).encode()[:-3]),
        traced.post({"feedback": [{"card": marked, "outcome": NOTE}]}, f"{SERVICE}/feedback"),
        traced.post(call(prefetch={})),
    ]
    assert {answer.status_code for answer in refused} == {400, 404, 412}
    method = httpx.request(f"X{CANARIES['header']}", traced.url + SERVICE, trust_env=False)
    assert method.status_code in (400, 405)
    granted = {"token_type": "Bearer", "expires_in": 300, "scope": "user/*.read", "subject": CANARIES["client token"]}
    fetching = {
        "fhirServer": f"http://127.0.0.1:9/{marked}",
        "fhirAuthorization": granted | {"access_token": CANARIES["FHIR token"]},
    }
    assert (
        traced.post(call(prefetch=..., **fetching), authorization=f"Bearer {CANARIES['client token']}").status_code
        == 412
    )
    wait_until(lambda: sum(one.name == "call" for one in traced.receiver.spans) >= 8, "spans of the refused calls")
    statuses = {one.attributes.get("http.response.status_code") for one in traced.receiver.spans}
    assert {200, 400, 404, 412} <= statuses
    assert any(one.failed and one.attributes["error.type"] == "MissingData" for one in traced.receiver.spans)
    written = {
        "what was exported": b"".join(traced.receiver.raw),
        "the spans": repr(traced.receiver.spans).encode(),
        "every command Redis got": "\n".join(traced.commands).encode(),
        **files_under(traced.folder),
    }
    assert any("traceparent" in command for command in traced.commands)
    assert found_in(written) == []
    assert TENANT.encode() not in b"".join(traced.receiver.raw)


def test_a_collector_that_hangs_costs_no_answer(tmp_path: Path) -> None:
    with LocalRedis(ensure_server()) as server, OtlpReceiver(hangs=True) as receiver:
        processes, url = started(tmp_path, server, receiver, "tests.worker.app_with_plain_reader")
        hanging = Traced(url, receiver, tmp_path, [])
        try:
            hanging.post(told("the first"))
            wait_until(lambda: receiver.asked >= 2, "spans on their way from both processes")
            took = []
            for number in range(5):
                begun = time.monotonic()
                answer = hanging.post(told(f"chart {number}")).json()
                took.append(time.monotonic() - begun)
                assert answer["extension"]["org.dxspan.status"]["state"] != "degraded"
            assert max(took) < 1.5
            web = processes.running[1]
            begun = time.monotonic()
            web.terminate()
            assert web.wait(20) is not None
            assert time.monotonic() - begun < 10
        finally:
            processes.close()
