"""Reading ahead: offered where a setting says so, answered at once and never with a card, dropped before anything else."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY

from cds_hooks import precompute
from cds_hooks.outcome import STATUS_EXTENSION
from tests.cds_hooks import tokens
from tests.cds_hooks.charts import call, document, prefetch
from tests.cds_hooks.conftest import Serve, Served
from tests.cds_hooks.spelled_out import eventually
from worker.chart_digest import chart_digest

START = "/cds-services/dxspan-encounter-start"
BOOK = "/cds-services/dxspan-appointment-book"
Resource = dict[str, Any]


@pytest.fixture(scope="module")
def web(serve: Serve) -> Served:
    return serve(precompute=True)


def begins(**changes: Any) -> Resource:
    context = {"userId": "Practitioner/doc-7", "patientId": "pat-1", "encounterId": "enc-1"}
    return call(**({"hook": "encounter-start", "context": context} | changes))


def booked(*starts: Any, **changes: Any) -> Resource:
    entries = [{"resource": {"resourceType": "Appointment", "start": start}} for start in starts]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    context = {"userId": "Practitioner/doc-7", "patientId": "pat-1", "appointments": bundle}
    return call(**({"hook": "appointment-book", "context": context} | changes))


def reason(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["cards"] == []
    status = body["extension"][STATUS_EXTENSION]
    assert status["state"] == "silent"
    return str(status["reason"])


def counted(outcome: str) -> float:
    return REGISTRY.get_sample_value("dxspan_precompute_total", {"outcome": outcome}) or 0.0


def test_it_is_offered_where_configured_alone(web: Served, serve: Serve) -> None:
    hooks = [entry["hook"] for entry in web.http.get("/cds-services").json()["services"]]
    assert hooks == ["patient-view", "encounter-start", "appointment-book"]
    plain = serve()
    assert len(plain.http.get("/cds-services").json()["services"]) == 1
    assert plain.http.post(START, json=begins()).status_code == 404


def test_the_chart_read_ahead_is_the_one_that_is_opened(web: Served) -> None:
    note = document(f"Fever since Monday. {uuid.uuid4()}")
    before = len(web.reader.ahead)
    assert reason(web.http.post(START, json=begins(prefetch=prefetch(note)))) == "precomputing"
    eventually(lambda: len(web.reader.ahead) == before + 1)
    web.call(call(prefetch=prefetch(note)))
    tenant, ahead = web.reader.ahead[-1]
    assert tenant == web.reader.tenants[-1]
    assert chart_digest(ahead) == chart_digest(web.reader.charts[-1])


def test_nothing_is_shown_or_remembered_as_shown(web: Served) -> None:
    shown = len(web.feedback.shown)
    reason(web.http.post(START, json=begins()))
    reason(web.http.post(BOOK, json=booked()))
    assert len(web.feedback.shown) == shown


def test_a_visit_that_is_far_off_is_not_read_for(web: Served) -> None:
    now = datetime.now(UTC)
    soon, far = (now + timedelta(hours=1)).isoformat(), (now + timedelta(days=3)).isoformat()
    assert reason(web.http.post(BOOK, json=booked(far))) == "not-soon"
    assert reason(web.http.post(BOOK, json=booked(far, soon))) == "precomputing"
    assert reason(web.http.post(BOOK, json=booked("no date"))) == "precomputing"
    assert reason(web.http.post(BOOK, json=booked({}))) == "precomputing"


def test_a_context_without_what_its_hook_requires_is_400(web: Served) -> None:
    bare = {"userId": "Practitioner/doc-7", "patientId": "pat-1"}
    missing = web.http.post(START, json=begins(context=bare))
    assert missing.status_code == 400
    assert "context.encounterId" in missing.text
    missing = web.http.post(BOOK, json=booked(context=bare))
    assert missing.status_code == 400
    assert "context.appointments" in missing.text
    assert web.http.post(START, json=call()).status_code == 400


def test_what_cannot_be_gathered_or_handed_over_is_counted_and_logged_without_a_word_of_it(
    web: Served, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    no_data, failed, shed = counted("no-data"), counted("failed"), counted("shed")
    assert reason(web.http.post(START, json=begins(prefetch={}))) == "precomputing"
    eventually(lambda: counted("no-data") == no_data + 1)
    web.http.post(START, json=begins(prefetch=prefetch(document("raises canary-note"))))
    eventually(lambda: counted("failed") == failed + 1)
    web.reader.takes_ahead = False
    try:
        web.http.post(START, json=begins())
        eventually(lambda: counted("shed") == shed + 1)
    finally:
        web.reader.takes_ahead = True
    assert "canary-" not in str(log_lines())


def test_it_is_dropped_first_when_much_is_in_hand(web: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precompute, "MOST_AT_ONCE", 0)
    assert reason(web.http.post(START, json=begins())) == "shed"


def test_its_quota_is_its_own(serve: Serve) -> None:
    web = serve(precompute=True, calls_per_second=0.2)
    assert web.http.post(START, json=begins()).status_code == 200
    assert web.http.post(BOOK, json=booked()).status_code == 429
    assert web.call(call()).status_code == 200


def test_a01_without_a_token_nothing_is_read_ahead(serve: Serve, key_file: Path) -> None:
    issuers = {tokens.ISSUER: {"tenant": "hospital-a", "jwks_file": key_file, "jku": tokens.JKU}}
    web = serve(auth=True, precompute=True, trusted_issuers=issuers)
    assert web.http.post(START, json=begins()).status_code == 401
    assert web.signed(begins(), START).status_code == 200
    eventually(lambda: [tenant for tenant, _ in web.reader.ahead] == ["hospital-a"])


def test_a_tenant_that_is_switched_off_is_not_read_ahead(serve: Serve, tmp_path: Path) -> None:
    file = tmp_path / "switches.yaml"
    file.write_text('switches:\n- {mode: "off", reason: test, since: "2026-11-01T00:00:00Z"}\n')
    web = serve(precompute=True, switches_file=file)
    assert reason(web.http.post(START, json=begins())) == "switched-off"
    assert web.reader.ahead == []
