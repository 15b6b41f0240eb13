"""Row E10: one journey through every process, page and fault; of what is marked nothing is written anywhere.

Two web processes (one reads through the queue and asks for no token, one asks for tokens and cannot load its model), a
worker with the shipped model, a worker that can be broken, Redis, SQLite and a FHIR server, all real.
"""

from __future__ import annotations

import base64
import json
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import redis
from starlette.responses import Response

from tests.cds_hooks import tokens
from tests.cds_hooks.viewer.conftest import Visitor
from tests.cds_hooks.viewer.smart_server import CLIENT_ID, SignedIn, SmartServer
from tests.fhir_server import FHIR_JSON, Fault, FhirServer
from tests.journey.canaries import CANARIES, files_under, found_in, spellings
from tests.journey.marked_charts import NOTE, PATIENT_ID, USER, binary, call, document, patient, prefetch, problem, told
from tests.journey.processes import Processes, every_command, wait_until, wait_until_it_answers
from worker.local_redis import LocalRedis, ensure_server, free_port
from worker.payloads import new_queue_key

C = CANARIES
SERVICE = "/cds-services/dxspan-patient-view"


class Journey:
    """Everything that runs, and what came back outside 200."""

    def __init__(self, folder: Path, server: LocalRedis) -> None:
        self.folder, self.redis = folder, server
        self.processes = Processes(folder)
        self.refusals: dict[str, bytes] = {}
        self.pages: dict[str, bytes] = {}
        self.states: list[str] = []
        self.tokens: list[str] = []
        self.queue = {"DXSPAN_REDIS_URL": server.url, "DXSPAN_QUEUE_KEY": new_queue_key()}
        self.open, self.guarded, self.metrics = (f"http://127.0.0.1:{free_port()}" for _ in range(3))
        self.smart = SmartServer()
        self.shown: list[str] = []
        """The viewer's pages, which may say everything: they are the patient's own."""
        self.fhir = FhirServer([patient(), document(url=f"Binary/{C['attachment URL']}"), problem(), binary()])

    def start(self) -> None:
        """Two web processes and the shipped worker, ready to read."""
        keys = self.processes.work / "jwks.json"
        keys.write_text(json.dumps(tokens.key_set()))
        issuer = {tokens.ISSUER: {"tenant": "hospital-a", "jwks_file": str(keys)}}
        common = {
            "DXSPAN_DEVELOPMENT": "true",
            "DXSPAN_METRICS": "true",
            "DXSPAN_DEADLINE_MS": "2500",
            "DXSPAN_FEEDBACK_KEY": base64.b64encode(bytes(range(32))).decode(),
        }
        trust = {"DXSPAN_AUTH": "true", "DXSPAN_TRUSTED_ISSUERS": json.dumps(issuer)}
        where = {"DXSPAN_PUBLIC_BASE_URL": self.guarded, "DXSPAN_BUNDLE_PATH": str(self.processes.work / "no-model")}
        metrics = {"DXSPAN_WORKER_METRICS_PORT": self.metrics.rpartition(":")[2]}
        self.shipped = self.processes.start("worker", ["-m", "worker"], self.queue | metrics)
        viewer = {
            "DXSPAN_PUBLIC_BASE_URL": self.open,
            "DXSPAN_FHIR_SERVERS": f"{self.smart.url},{self.fhir.url}",
            "DXSPAN_VIEWER_CLIENTS": json.dumps({self.smart.url: {"tenant": "local", "client_id": CLIENT_ID}}),
        }
        self.web = self.processes.web("web", self.open, common | viewer | self.queue)
        self.processes.web("web-guarded", self.guarded, common | trust | where)
        for url in (self.open, self.guarded):
            wait_until_it_answers(url)
        with redis.Redis.from_url(self.redis.url) as client:
            client.config_set("rdbcompression", "no")  # what is packed could not be searched
            wait_until(lambda: bool(client.keys("*model*")), "a worker that announces its model")

    def post(self, body: Any, path: str = SERVICE, *, base: str = "", **headers: str) -> httpx.Response:
        """Sends `body`, bytes as they are; keeps what is not 200."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"content-type": "application/json", "x-canary": C["header"], **headers}
        answer = httpx.post((base or self.open) + path, content=content, headers=sent, trust_env=False, timeout=30)
        if answer.status_code != 200:
            self.refusals[f"refusal {len(self.refusals)} ({answer.status_code})"] = (
                answer.content + repr(answer.headers).encode()
            )
        elif "cards" in answer.text:
            self.states.append(answer.json()["extension"]["org.dxspan.status"]["state"])
        return answer

    def signed(self, body: Any, path: str = SERVICE, **changes: Any) -> httpx.Response:
        token = tokens.token(self.guarded + path, sub=C["client token"], **changes)
        self.tokens.append(token)
        return self.post(body, path, base=self.guarded, authorization=f"Bearer {token}")

    def fetching(self, fault: dict[str, Fault] | None = None, **changes: Any) -> httpx.Response:
        """A call without prefetch, with a token for the FHIR server."""
        self.fhir.faults = fault or {}
        granted = {"token_type": "Bearer", "expires_in": 300, "scope": "user/*.read", "subject": C["client token"]}
        body = {"fhirServer": self.fhir.url, "fhirAuthorization": granted | {"access_token": C["FHIR token"]}}
        return self.post(call(**({"prefetch": ...} | body | changes)))

    def keep_page(self, name: str, url: str) -> None:
        self.pages[name] = httpx.get(url, trust_env=False).content


def in_order(journey: Journey) -> None:
    """Calls as they should be, and feedback about their cards."""
    answer = journey.post(call())
    assert answer.json()["cards"], answer.text
    journey.post(call(hookInstance=answer.json()["cards"][0]["uuid"]))
    assert journey.fetching().json()["cards"]
    journey.signed(call())
    for kind in ("text/html", "text/rtf", "application/xml", "application/pdf"):
        journey.post(call(prefetch=prefetch(document(f"https://x/{C['note']}.html", kind=kind), document())))
    item = {
        "card": answer.json()["cards"][0]["uuid"],
        "outcome": "overridden",
        "outcomeTimestamp": "2026-11-23T10:00:00Z",
        "overrideReason": {
            "reason": {"code": "other", "display": C["comment"]},
            "userComment": f"{C['comment']} {NOTE}",
        },
    }
    for _ in range(2):
        assert journey.post({"feedback": [item]}, f"{SERVICE}/feedback").status_code == 200
    assert journey.signed({"feedback": [item]}, f"{SERVICE}/feedback").status_code == 200


def in_the_viewer(journey: Journey) -> None:
    """The card's link opened as an EHR opens it, each of its pages, and questions with marked words."""
    called = call(fhirServer=journey.smart.url)
    (card,) = journey.post(called).json()["cards"]
    (link,) = (link for link in card["links"] if link["type"] == "smart")
    signed_in = SignedIn(called["context"]["userId"], PATIENT_ID, link["appContext"])
    visitor = Visitor(journey.open)
    page = visitor.open(journey.smart.url, journey.smart.launch(signed_in))
    session = page.url.path
    asked = (visitor.ask(page, f"{C['comment']} fever?"), visitor.ask(page, f"{NOTE} {C['query']}"))
    pages = [page, visitor.get(f"{session}/summary"), visitor.get(f"{session}/questions?lang=zh"), *asked]
    journey.shown = [f"{one.status_code} {one.text}" for one in pages]
    for path in (
        f"{session}x",
        f"{session}/{C['query']}",
        f"/viewer/launch?iss={C['query']}&launch={C['client token']}",
    ):
        journey.refusals[f"the viewer's refusal {len(journey.refusals)}"] = visitor.get(path).content


def out_of_order(journey: Journey) -> None:
    """Calls that are refused."""
    whole = json.dumps(call()).encode()
    forged = "\r\n\x1b[31m${jndi:ldap://" + C["query"] + "}"
    for body in (whole[:-5], whole + b"x", whole.replace(b'"hook"', b'"hookInstance"', 1), b"\xff" + whole):
        assert journey.post(body).status_code == 400
    journey.post(whole, **{"content-type": f"text/plain; x={C['header']}"})
    journey.post(call(prefetch=prefetch(patient=patient("somebody-else"))))
    theirs = document(f"{NOTE} of another patient") | {"subject": {"reference": f"Patient/x{PATIENT_ID}"}}
    journey.post(call(prefetch=prefetch(theirs, document())))
    journey.post(call(hookInstance=forged))
    journey.post(call(context={"userId": f"Patient/{USER}", "patientId": f"{PATIENT_ID}/{forged}"}))
    journey.post(call(), f"/cds-services/{C['query']}?patient={PATIENT_ID}")
    journey.post(call(), f"/{C['query']}?patient={PATIENT_ID}")
    journey.post({"feedback": [{"card": C["comment"], "outcome": NOTE}]}, f"{SERVICE}/feedback")
    journey.signed(call(), exp=1, iat=0)
    journey.signed(call(), iss=C["client token"])
    journey.signed(call(), headers={"kid": f"../{C['client token']}"})
    journey.signed(call(fhirServer=f"http://ehr.example.org/{C['attachment URL']}"))
    for header in (C["client token"], f"Bearer {C['client token']}", f"Bearer {C['client token'] * 5000}"):
        journey.post(call(), base=journey.guarded, authorization=header)


def faulty_fhir(journey: Journey) -> None:
    """A FHIR server that says what it should not."""
    said = f"{C['what the FHIR server says']} {NOTE}"
    issue = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "x", "diagnostics": said}]}
    spoken = Response(json.dumps(issue), 500, media_type=FHIR_JSON)
    assert journey.fetching({"DocumentReference": spoken}).status_code == 412
    assert journey.fetching({"Patient": Response(json.dumps(issue), media_type=FHIR_JSON)}).status_code == 412
    assert journey.fetching({"Patient": "other-patient"}).status_code == 412
    journey.fetching({"Condition": Response(f"<html>{said}</html>", media_type="text/html")})
    journey.fetching({"Condition": Response(said, 302, {"location": f"http://127.0.0.1:9/{C['query']}"})})
    journey.fetching({"Binary": Response(said, 404)})
    journey.fetching(fhirServer=f"http://127.0.0.1:{free_port()}/{C['attachment URL']}")
    journey.fetching(fhirServer="http://127.0.0.1:9/x\r\n" + C["query"])


def broken_workers(journey: Journey) -> None:
    """A worker killed while a chart waits and another while it reads; a note that fails every reader."""
    journey.shipped.send_signal(signal.SIGSTOP)
    waiting = threading.Thread(target=journey.post, args=(told("waits"),))
    waiting.start()
    time.sleep(0.3)
    journey.shipped.kill()
    breakable = journey.processes.start("worker-breakable", ["-m", "tests.worker.app_with_plain_reader"], journey.queue)
    waiting.join()
    wait_until(lambda: journey.post(told(f"alive {uuid4()}")).json()["cards"] != [], "the second worker")
    for _ in range(3):
        journey.post(told("fails"))
    reading = threading.Thread(target=journey.post, args=(told("takes 1500 ms"),))
    reading.start()
    time.sleep(0.5)
    breakable.kill()
    reading.join()


def without_redis(journey: Journey) -> None:
    """Redis killed after it wrote its dump: the web process reads by itself."""
    with redis.Redis.from_url(journey.redis.url) as client:
        client.save()
        client.echo("the end of Redis")
        time.sleep(0.1)
    shutil.copytree(journey.redis.folder, journey.folder / "redis")
    journey.redis.stop()
    wait_until(lambda: "degraded" not in journey.post(call()).text, "an answer without Redis", pause=0.5)


def crash(journey: Journey) -> None:
    """The web process aborts with charts in its memory, on a machine that lets it write them."""
    journey.keep_page("metrics of the web process", f"{journey.open}/metrics")
    journey.web.send_signal(signal.SIGABRT)
    assert journey.web.wait(10) == -signal.SIGABRT


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Journey, list[str]]]:
    """The whole way, walked once."""
    folder = tmp_path_factory.mktemp("journey")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("tests.fhir_server.TOKEN", C["FHIR token"])
        with LocalRedis(ensure_server(), extra=["slowlog-log-slower-than 0"]) as server:
            walked = Journey(folder, server)
            try:
                with walked.fhir, walked.smart, every_command(server) as commands:
                    walked.start()
                    in_order(walked)
                    in_the_viewer(walked)
                    out_of_order(walked)
                    faulty_fhir(walked)
                    walked.keep_page("metrics of the worker", f"{walked.metrics}/metrics")
                    broken_workers(walked)
                    without_redis(walked)
                    crash(walked)
                    yield walked, commands
            finally:
                walked.processes.close()


def test_the_search_finds_a_canary_in_any_spelling() -> None:
    for canary in C.values():
        for spelling in spellings(canary):
            assert found_in({"somewhere": b"x" + spelling + b"x"})
    assert not found_in({"somewhere": b"nothing of it"})


def test_e10_nothing_that_is_marked_is_written_anywhere(journey: tuple[Journey, list[str]]) -> None:
    walked, commands = journey
    written = {
        **files_under(walked.folder),
        **walked.refusals,
        **walked.pages,
        "every command Redis got": "\n".join(commands).encode(),
    }
    signatures = [token.rpartition(".")[2] for token in walked.tokens]
    assert found_in(written, signatures) == []


def test_e10_the_journey_went_where_it_should(journey: tuple[Journey, list[str]]) -> None:
    """So that the search above searched something."""
    walked, commands = journey
    names = {path.partition("/")[0] for path in files_under(walked.folder)}
    assert {"logs", "redis", "work"} <= names
    assert {"answered", "degraded"} <= set(walked.states)
    refused = {name.partition("(")[2][:3] for name in walked.refusals}
    assert {"400", "401", "403", "404", "412", "415"} <= refused
    assert [shown[:4] for shown in walked.shown] == ["200 "] * 5
    assert C["note"] in walked.shown[0]
    assert "fever 38.6" in walked.shown[3]
    assert any("LPUSH" in command for command in commands)
    assert any("the end of Redis" in command for command in commands)
    logs = {name: text.decode() for name, text in files_under(walked.folder).items() if name.startswith("logs/")}
    assert "quarantined" in logs["logs/worker-breakable"]
    assert "reader failed" in logs["logs/worker-breakable"]
    for kind in ("wrong-patient-prefetch", "wrong-patient-fetched", "other-patient-resource"):
        assert kind in logs["logs/web"]
    assert "token-refused" in logs["logs/web-guarded"]
    assert (walked.folder / "work" / "var" / "dxspan-feedback.db").stat().st_size > 1000
    assert b"dxspan_answers_total" in walked.pages["metrics of the web process"]
    assert b"dxspan_worker_tasks_total" in walked.pages["metrics of the worker"]


def test_e10_no_file_is_written_but_those_that_are_known(journey: tuple[Journey, list[str]]) -> None:
    """A library that keeps notes of its own under $HOME, or in the folder for temporary files, would show here."""
    walked, _ = journey
    known = {"jwks.json", "dxspan-feedback.db", "dxspan-feedback.db-wal", "dxspan-feedback.db-shm"}
    trail = walked.processes.work / "var" / "audit"
    written = [path for path in walked.processes.work.rglob("*") if path.is_file()]
    assert {path.name for path in written if not path.is_relative_to(trail)} <= known
    of_the_trail = {path.name for path in written if path.is_relative_to(trail)}
    assert all(name in ("head.json", "lock") or name.endswith(".ndjson") for name in of_the_trail)


def test_e10_a_crash_leaves_no_image_of_the_memory(journey: tuple[Journey, list[str]]) -> None:
    walked, _ = journey
    assert not [path for path in walked.folder.rglob("*") if path.name.startswith("core")]
