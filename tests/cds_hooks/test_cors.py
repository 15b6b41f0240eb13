"""Browser clients of listed origins can call us, also when something is wrong; others see no CORS at all."""

from __future__ import annotations

import httpx
import pytest

from tests.cds_hooks.charts import SERVICE, call
from tests.cds_hooks.conftest import Serve, Served

ORIGIN = "https://sandbox.example.org"
FEEDBACK = SERVICE + "/feedback"


@pytest.fixture(scope="module")
def open_to_sandbox(serve: Serve) -> Served:
    return serve(cors_origins=f"{ORIGIN}, http://localhost:8080", max_body_bytes=5000)


def cors_headers(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


@pytest.mark.parametrize(("path", "method"), [("/cds-services", "GET"), (SERVICE, "POST"), (FEEDBACK, "POST")])
def test_preflight_allows_the_token_header_everywhere(open_to_sandbox: Served, path: str, method: str) -> None:
    asked = {
        "origin": ORIGIN,
        "access-control-request-method": method,
        "access-control-request-headers": "authorization,content-type",
    }
    answer = open_to_sandbox.http.options(path, headers=asked)
    assert answer.status_code == 204
    assert cors_headers(answer) == {
        "access-control-allow-origin": ORIGIN,
        "access-control-allow-methods": "GET, POST, OPTIONS",
        "access-control-allow-headers": "authorization, content-type",
        "access-control-max-age": "600",
    }
    assert "Origin" in answer.headers["vary"]


def test_answers_carry_the_origin_and_no_credentials(open_to_sandbox: Served) -> None:
    answer = open_to_sandbox.call(call(), origin="http://localhost:8080")
    assert answer.status_code == 200
    assert cors_headers(answer) == {"access-control-allow-origin": "http://localhost:8080"}


def test_errors_carry_it_too(open_to_sandbox: Served) -> None:
    web = open_to_sandbox
    errors = {
        400: web.call({}, origin=ORIGIN),
        404: web.http.get("/nothing", headers={"origin": ORIGIN}),
        405: web.http.put(SERVICE, headers={"origin": ORIGIN}),
        412: web.call(call(prefetch=...), origin=ORIGIN),
        413: web.post(b" " * 6000, origin=ORIGIN),
        415: web.post(b"x", content_type="text/plain", origin=ORIGIN),
    }
    for status, answer in errors.items():
        assert answer.status_code == status
        assert cors_headers(answer) == {"access-control-allow-origin": ORIGIN}


def test_even_a_crash_carries_it(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    web = serve(cors_origins=ORIGIN)

    def crash(*_: object) -> None:
        raise RuntimeError("canary-crash")

    monkeypatch.setattr("cds_hooks.routes.read_feedback", crash)
    answer = web.http.post(FEEDBACK, json={}, headers={"origin": ORIGIN})
    assert answer.status_code == 500
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert "canary" not in answer.text
    assert cors_headers(answer) == {"access-control-allow-origin": ORIGIN}


def test_401_carries_it(serve: Serve, guarded: Served) -> None:
    assert guarded.call(call(), origin=ORIGIN).status_code == 401
    assert not cors_headers(guarded.call(call(), origin=ORIGIN)), "no origin is listed there"


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", ORIGIN + ".evil.example", ORIGIN.upper(), "http://sandbox.example.org", "*"],
)
def test_other_origins_see_nothing(open_to_sandbox: Served, origin: str) -> None:
    for method in ("GET", "OPTIONS"):
        headers = {"origin": origin, "access-control-request-method": "GET"}
        answer = open_to_sandbox.http.request(method, "/cds-services", headers=headers)
        assert answer.status_code == (200 if method == "GET" else 405)
        assert not cors_headers(answer)
        assert "Origin" in answer.headers["vary"], "a cache must not mix the two"


def test_a_plain_options_is_405(open_to_sandbox: Served) -> None:
    assert open_to_sandbox.http.options(SERVICE).status_code == 405
