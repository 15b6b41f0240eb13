"""One line and one count for every request, by route and never by path."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client import REGISTRY

from tests.cds_hooks.charts import SERVICE, call
from tests.cds_hooks.conftest import Serve, Served

Lines = Callable[[], list[dict[str, Any]]]


def requests(log_lines: Lines, count: int = 1) -> list[dict[str, Any]]:
    """The lines of `count` requests; a line is written a moment after its answer was sent."""
    until = time.monotonic() + 5
    while True:
        lines = [line for line in log_lines() if line["event"] == "request"]
        if len(lines) >= count or time.monotonic() > until:
            return lines
        time.sleep(0.01)


def test_a_call_is_one_line(web: Served, log_lines: Lines) -> None:
    body = call()
    web.call(body)
    (line,) = requests(log_lines)
    assert (line["method"], line["route"], line["status"]) == ("POST", "/cds-services/{service_id}", 200)
    assert (line["tenant"], line["hookInstance"]) == ("local", body["hookInstance"])
    assert line["ms"] >= 0


def test_paths_queries_and_headers_stay_out(web: Served, log_lines: Lines) -> None:
    web.http.get("/cds-services/canary-path?patient=canary-query", headers={"x-canary": "canary-header"})
    web.http.get("/canary%0d%0a{fake}")
    assert len(requests(log_lines, 2)) == 2
    assert "canary" not in str(log_lines())


def test_a_call_with_a_bad_instance_does_not_log_it(web: Served, log_lines: Lines) -> None:
    web.call(call(hookInstance="canary\r\n${jndi:x}"))
    assert "canary" not in str(log_lines())


def test_responses_are_counted_by_route_and_status(web: Served) -> None:
    def count() -> float:
        labels = {"route": "/cds-services/{service_id}", "status": "415"}
        return REGISTRY.get_sample_value("dxspan_responses_total", labels) or 0.0

    before = count()
    web.http.post(SERVICE)
    assert count() == before + 1


def test_a_crash_is_a_500_without_a_word_of_it(serve: Serve, monkeypatch: pytest.MonkeyPatch, log_lines: Lines) -> None:
    web = serve()

    def crash(*_: object) -> None:
        raise RuntimeError("canary-crash")

    monkeypatch.setattr("cds_hooks.call_body.read_hook_request", crash)
    answer = web.call(call())
    assert answer.status_code == 500
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert "canary" not in answer.text
    assert "Traceback" not in answer.text
    assert "canary" not in str(log_lines())
    assert requests(log_lines)[0]["status"] == 500
    assert web.http.get("/healthz").status_code == 200


def test_f7_metrics_are_served_only_where_set(serve: Serve, web: Served) -> None:
    assert web.http.get("/metrics").status_code == 404
    text = serve(metrics=True).http.get("/metrics").text
    assert "dxspan_answers_total" in text
    assert "local" not in text
