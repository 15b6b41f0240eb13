"""Rows F6 and F7: nothing a caller writes becomes a line of the log, and what is not for everybody is closed."""

from __future__ import annotations

import io
import json
import logging
import time
from collections.abc import Iterator

import pytest

from tests.cds_hooks import tokens
from tests.cds_hooks.charts import SERVICE, call, document, prefetch
from tests.cds_hooks.conftest import Serve, Served
from worker.json_log import JsonLines

FORGED = (
    "x\r\n{\"level\": \"critical\", \"event\": \"forged\"}",
    "x\nINFO forged",
    "\x1b[31mforged\x1b[0m\x07",
    "${jndi:ldap://forged.example.org/x}",
    "%n%s%x{forged}",
    "\u2028forged\u2029\u0085",
    "\u202eforged",
    '"},{"event":"forged"',
)  # fmt: skip


@pytest.fixture
def raw_log() -> Iterator[io.StringIO]:
    """What dxspan-serve would write meanwhile, byte for byte."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


def assert_honest(stream: io.StringIO, requests: int) -> None:
    """Every line is JSON of ours in plain ASCII, and what was forged is in none of them."""
    until = time.monotonic() + 5
    while stream.getvalue().count('"event": "request"') < requests:  # the line follows the answer
        assert time.monotonic() < until
        time.sleep(0.01)
    log = stream.getvalue()
    assert log.endswith("\n")
    for line in log.splitlines():
        assert line.isascii()
        assert line.isprintable()
        assert {"time", "level", "logger", "event"} <= json.loads(line).keys()
    assert "forged" not in log


@pytest.mark.parametrize("forged", FORGED)
def test_f06_ids_and_fields_of_a_call_write_no_line(web: Served, raw_log: io.StringIO, forged: str) -> None:
    context = call()["context"]
    calls = [
        call(hook=forged),
        call(hookInstance=forged),
        call(context=context | {"patientId": forged}),
        call(context=context | {"userId": f"Practitioner/{forged}"}),
        call(context=context | {"encounterId": forged}),
        call(fhirServer=f"https://{forged}"),
        call(prefetch=prefetch(document(forged), **{forged: None})),
        {forged: forged},
    ]
    for body in calls:
        assert web.call(body).status_code in (200, 400)
    assert_honest(raw_log, len(calls))


@pytest.mark.parametrize("forged", FORGED)
def test_f06_claims_and_headers_of_a_token_write_no_line(guarded: Served, raw_log: io.StringIO, forged: str) -> None:
    for changes in ({"iss": forged}, {"tenant": forged}, {"jti": forged * 20}, {"sub": forged}):
        assert guarded.signed(call(), **changes).status_code in (200, 401)
    assert guarded.http.post(SERVICE, json=call(), headers=tokens.bearer(tokens.token(forged))).status_code == 401
    for name in ("kid", "jku", "typ", "x5u"):
        assert guarded.signed(call(), headers={name: forged}).status_code == 401
    assert_honest(raw_log, 9)


@pytest.mark.parametrize(
    "path", ["/%0d%0aforged", "/cds-services/%1b[31mforged", "/?x=${jndi:forged}", "/forged%E2%80%A8"]
)
def test_f06_paths_write_no_line(web: Served, raw_log: io.StringIO, path: str) -> None:
    web.http.get(path, headers={"user-agent": "forged", "x-forwarded-for": "forged", "referer": "forged"})
    assert_honest(raw_log, 1)


CLOSED = [
    "/docs",
    "/redoc",
    "/openapi.json",
    "/metrics",
    "/docs/oauth2-redirect",
    "/flower",
    "/admin",
    "/debug",
    "/static/",
    "/.env",
]


@pytest.mark.parametrize("path", CLOSED)
def test_f07_a_production_process_has_no_door_but_its_own(guarded_production: Served, path: str) -> None:
    for method in ("GET", "HEAD", "POST"):
        assert guarded_production.http.request(method, path).status_code in (404, 405)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_f07_health_says_a_word_and_nothing_of_the_inside(guarded_production: Served, path: str) -> None:
    answer = guarded_production.http.get(path)
    assert answer.json() == {"status": "ok"}
    assert "server" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"


def test_f07_documents_and_metrics_open_by_setting_alone(serve: Serve, web: Served) -> None:
    assert web.http.get("/openapi.json").status_code == 200, "a developer's"
    assert web.http.get("/docs").status_code == 404, "the page itself would load a script from elsewhere"
    assert web.http.get("/metrics").status_code == 404
    assert serve(docs=False).http.get("/openapi.json").status_code == 404
    assert serve(metrics=True).http.get("/metrics").status_code == 200


@pytest.fixture(scope="module")
def guarded_production(serve: Serve, key_file: object) -> Served:
    issuer = {"tenant": "hospital-a", "jwks_file": key_file}
    return serve(development=False, public_base_url="https://cds.example.org", trusted_issuers={tokens.ISSUER: issuer})
