"""The operators' page over HTTP: off unless set, closed without its token, and true to what the process does."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from cds_hooks.app import create_app
from cds_hooks.http_server import server
from cds_hooks.settings import Settings
from tests.cds_hooks.charts import PATIENT_ID, call, document, prefetch
from tests.cds_hooks.conftest import Serve, Served
from tests.cds_hooks.stand_ins import PlainCards, PlainFeedback
from tests.server_thread import ServerThread
from worker.local_redis import LocalRedis, ensure_server, free_port
from worker.queue_client import QueueClient
from worker.settings import QueueSettings

TOKEN = "operators-token-of-a-test-0123456789"
PAGES = ("/operators", "/operators/static/operators.css", "/operators/static/operators.js")


def basic(token: str, user: str = "anyone") -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()}


@pytest.fixture(scope="module")
def watched(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> Served:
    switches = tmp_path_factory.mktemp("switches") / "switches.yaml"
    switches.write_text(
        "switches:\n  - {mode: shadow, tenant: hospital-b, reason: canary-reason, since: 2026-11-24T10:00:00Z}\n"
    )
    return serve(operators_token=TOKEN, switches_file=switches)


def page(served: Served, query: str = "") -> str:
    answer = served.http.get(f"/operators{query}", headers=basic(TOKEN))
    assert answer.status_code == 200
    return answer.text


@pytest.mark.parametrize("path", PAGES)
def test_f07_without_a_token_set_there_is_no_page(web: Served, path: str) -> None:
    assert web.http.get(path).status_code == 404
    assert web.http.get(path, headers=basic("")).status_code == 404


@pytest.mark.parametrize("path", PAGES)
def test_f07_it_is_closed_to_whoever_lacks_the_token(
    watched: Served, path: str, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    wrong = [basic(TOKEN[:-1]), basic(TOKEN + "x"), basic(""), {"authorization": f"Bearer {TOKEN[1:]}"}]
    wrong += [
        {"authorization": "Basic canary-no-base64"},
        {"authorization": "Basic " + base64.b64encode(b"\xff:\xff").decode()},
    ]
    for headers in ({}, {"authorization": f"Digest {TOKEN}"}, *wrong):
        answer = watched.http.get(path, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Basic ")
        assert len(answer.content) < 200
        assert answer.headers["cache-control"] == "no-store"
    refused = [line for line in log_lines() if line.get("kind") == "operators-refused"]
    assert len(refused) == len(wrong), "asking without one is how a browser begins"
    assert TOKEN[1:] not in str(log_lines())
    assert "canary" not in str(log_lines())
    assert watched.http.get(path, headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert watched.http.get(path, headers=basic(TOKEN, user="")).status_code == 200
    assert watched.http.post(path, headers=basic(TOKEN)).status_code == 405


def test_f07_a_token_too_short_to_be_one_stops_the_start() -> None:
    with pytest.raises(ValueError, match="24 characters") as error:
        Settings(development=True, operators_token="short-canary")
    assert "canary" not in str(error.value)


def test_the_page_may_load_its_own_files_alone_and_is_kept_nowhere(watched: Served) -> None:
    answer = watched.http.get("/operators", headers=basic(TOKEN))
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "<script>" not in answer.text
    assert not re.search(r"\son\w+=|style=", answer.text)
    size = sum(len(watched.http.get(path, headers=basic(TOKEN)).content) for path in PAGES)
    assert size < 200_000


def test_what_the_process_answers_stands_on_it_and_nothing_of_a_patient(watched: Served) -> None:
    def count(what: str) -> int:
        found = re.search(rf"<td>{what}</td><td class=\"number\">(\d+)</td>", page(watched))
        return int(found[1]) if found else 0

    before = count("silent</td><td>no finding in the notes speaks for any diagnosis")
    for number, text in enumerate(("Canary-note fever", "silence: no_finding Canary-note", "degraded: overloaded")):
        who = {"patientId": PATIENT_ID, "userId": f"Practitioner/canary-{number}"}
        body = call(prefetch=prefetch(document(text)), context=who)
        assert watched.call(body).status_code == 200
    assert count("silent</td><td>no finding in the notes speaks for any diagnosis") == before + 1
    shown = page(watched)
    assert "too many charts are waiting" in shown
    assert "anary" not in shown, "neither a word of a chart, nor an id, nor a switch's reason"
    assert PATIENT_ID not in shown
    assert TOKEN not in shown
    assert "hospital-b" in shown
    assert "plain+0" in shown, "the model of the last reading"


def test_it_speaks_chinese_and_falls_back_to_the_settings_language(watched: Served) -> None:
    assert '<html lang="zh">' in page(watched, "?lang=zh")
    assert "运维" in page(watched, "?lang=zh")
    assert '<html lang="en">' in page(watched, "?lang=%3Cb%3E")


def test_a_store_that_is_away_is_told_and_a_client_that_reads_here_has_no_queue(serve: Serve) -> None:
    served = serve(operators_token=TOKEN)
    assert "Circuit breaker" not in page(served)
    served.feedback.available = False
    shown = page(served)
    assert "Feedback waits on disk meanwhile" in shown
    assert "Something is broken" in shown


@pytest.fixture(scope="module")
def queued() -> Iterator[tuple[httpx.Client, LocalRedis]]:
    """A web process in front of a real Redis without workers."""
    port = free_port()
    with LocalRedis(ensure_server()) as redis:
        queue = QueueSettings(redis_url=redis.url, queue_key=base64.b64encode(bytes(32)).decode())
        client = QueueClient(queue)
        settings = Settings(development=True, public_base_url=f"http://127.0.0.1:{port}", operators_token=TOKEN)
        app = create_app(
            settings, client, cards=PlainCards(), feedback=PlainFeedback(), background=[lambda: _canary(client)]
        )
        with (
            ServerThread(server(app, host="127.0.0.1", port=port)),
            httpx.Client(
                base_url=f"http://127.0.0.1:{port}", headers=basic(TOKEN), trust_env=False, timeout=30
            ) as http,
        ):
            yield http, redis


async def _canary(client: QueueClient) -> None:
    await client.canary(seconds=0.2)


def test_g9_silent_workers_and_a_redis_that_is_gone_are_red_with_what_to_do(
    queued: tuple[httpx.Client, LocalRedis],
) -> None:
    http, redis = queued
    until = time.monotonic() + 20
    while "no worker answers" not in http.get("/operators").text and time.monotonic() < until:
        time.sleep(0.1)
    shown = http.get("/operators").text
    assert "docs/operations.md#worker-down" in shown
    assert "docs/operations.md#redis-down" not in shown
    assert "1 of " in shown, "the canary still waits in the queue"
    redis.stop()
    shown = http.get("/operators").text
    assert "docs/operations.md#redis-down" in shown
    assert "does not answer" in shown
    assert "could not be learned" in shown, "the queue's length is not known, which is not none"
