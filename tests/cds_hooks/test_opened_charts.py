"""A chart opened again is not read again, and nobody can tell by the answer; nothing is met by whom it is not meant for."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from cds_hooks import gather_notes, strict_json
from cds_hooks.build_cards import CardBuilder
from cds_hooks.opened_charts import OpenedCharts, Source, size_of
from cds_hooks.services import PATIENT_VIEW
from nlp_core.chart import Chart, Fact
from nlp_core.note import Note
from nlp_core.read_chart import ReadChart
from tests.cds_hooks.charts import (
    SERVICE,
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
from tests.cds_hooks.statuses import unread
from tests.fhir_server import FhirServer, searchset

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The patient of each chart whose resources were read, in this process."""
    found: list[str] = []
    real = gather_notes.select_chart

    def noted(resources: Any, *, patient_id: str, **more: Any) -> Any:
        found.append(patient_id)
        return real(resources, patient_id=patient_id, **more)

    monkeypatch.setattr(gather_notes, "select_chart", noted)
    return found


def chart(**more: Any) -> dict[str, Any]:
    """A prefetch that is long enough to be told apart, unlike any other test's."""
    return prefetch(document(f"Cough for {uuid.uuid4()} days."), problems=searchset([condition("asthma")]), **more)


def opened(sent: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A call of a reader who has not seen the chart."""
    context = {"userId": f"Practitioner/{uuid.uuid4()}", "patientId": "pat-1"}
    return call(prefetch=sent, **({"context": context} | changes))


# The answer is the same


def test_a_chart_opened_again_is_read_once_and_answered_to_the_same_bytes(serve: Serve, readings: list[str]) -> None:
    remembering, forgetting = serve(), serve(opened_charts=0)
    sent = chart(vitalSigns=None, laboratory=searchset([{"resourceType": "Observation", "id": "o"}]))
    for again in range(3):
        body = opened(sent)
        readings.clear()
        answers = [web.call(body) for web in (remembering, forgetting)]
        assert answers[0].content == answers[1].content
        assert answers[0].json()["cards"]
        assert unread(answers[0]) == unread(answers[1])
        assert len(readings) == (2 if again == 0 else 1), "once by whom remembers, each time by the other"
        assert told(remembering.reader.charts[-1]) == told(forgetting.reader.charts[-1])
        assert abs(remembering.reader.charts[-1].as_of - datetime.now(UTC)) < timedelta(seconds=60)


def test_the_shipped_cards_are_the_same_bytes(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks.serve_without_reading import InstantClient

    fixed = CardBuilder(public_base_url="http://127.0.0.1", now=lambda: NOW)
    webs = serve(), serve(opened_charts=0)
    for web in webs:
        monkeypatch.setattr(web.reader, "read", InstantClient().read)
        monkeypatch.setattr(type(web.cards), "__call__", lambda _, *given: fixed(*given))
    sent = chart()
    for _ in range(2):
        body = opened(sent)
        first, second = (web.call(body) for web in webs)
        assert first.content == second.content
        assert first.json()["cards"][0]["suggestions"]


def test_what_is_known_is_not_even_parsed(web: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = chart()
    web.call(opened(sent))
    parsed: list[int] = []
    real = strict_json.loads
    monkeypatch.setattr(strict_json, "loads", lambda body, **more: parsed.append(len(body)) or real(body, **more))
    assert web.call(opened(sent)).json()["cards"]
    assert max(parsed) < len(json.dumps(sent)) / 2


@pytest.mark.parametrize("service", ["dxspan-patient-view", "dxspan-record-summary"])
def test_both_services_read_a_chart_once(serve: Serve, readings: list[str], service: str) -> None:
    web = serve(record_summary=True)
    sent = chart()
    assert web.call(opened(sent)).status_code == 200
    assert web.http.post(f"/cds-services/{service}", json=opened(sent)).status_code == 200
    assert len(readings) == 1


def test_b20_what_should_not_happen_is_told_each_time(web: Served, log_lines: Lines, readings: list[str]) -> None:
    sent = chart(medications=searchset([document(number=9, of="somebody-else") | {"resourceType": "Procedure"}]))
    sent["documents"]["entry"].append({"resource": document(number=8, of="somebody-else")})
    for _ in range(3):
        web.call(opened(sent))
    assert len(readings) == 1
    assert [line["kind"] for line in log_lines() if "kind" in line] == ["other-patient-resource"] * 3


def test_b19_the_same_prefetch_for_another_patient_is_refused_each_time(web: Served) -> None:
    sent = chart()
    assert web.call(opened(sent)).status_code == 200
    other = {"userId": "Practitioner/7", "patientId": "pat-2"}
    for _ in range(2):
        assert web.call(opened(sent, context=other)).status_code == 400


# What is different is read anew


def test_a_changed_byte_is_read_anew(web: Served, readings: list[str]) -> None:
    body = json.dumps(opened(chart())).encode()
    for sent in (body, body.replace(b"asthma", b"asthmb"), body.replace(b'"entry": ', b'"entry":  ', 1)):
        web.post(with_fresh_reader(sent))
        web.post(with_fresh_reader(sent))
    assert len(readings) == 3
    assert {problem.text for seen in web.reader.charts[-4:-2] for problem in seen.problems} == {"asthmb"}


def test_f01_another_tenant_never_meets_a_chart(serve: Serve, key_file: Path, readings: list[str]) -> None:
    issuers = {name: {"tenant": f"hospital-{name}", "jwks_file": key_file} for name in ("a", "b")}
    web = serve(auth=True, trusted_issuers=issuers)
    sent = chart()
    for issuer in ("a", "b", "a", "b"):
        assert web.signed(opened(sent), iss=issuer).status_code == 200
    assert len(readings) == 2
    assert web.reader.tenants == ["hospital-a", "hospital-b"] * 2


def test_another_fhir_server_is_another_source(web: Served, readings: list[str]) -> None:
    sent = chart()
    for server in ("http://127.0.0.1:1/one", "http://127.0.0.1:1/two", "http://127.0.0.1:1/two"):
        assert web.call(opened(sent, fhirServer=server)).status_code == 200
    assert len(readings) == 2


def test_what_a_server_gave_is_asked_for_again(web: Served) -> None:
    sent = prefetch(linked_document("Binary/b1"), problems=...)
    del sent["problems"]
    for text in ("first text", "second text"):
        with FhirServer([patient(), binary(text, "b1")]) as fhir:
            answer = fetching(web, fhir, sent)
            assert web.reader.charts[-1].notes[0].text == text
            assert answer.status_code == 200
            assert all(any(kind in path for path in fhir.paths()) for kind in ("Binary", "Condition"))


def test_a_server_that_need_not_be_asked_is_not(web: Served, readings: list[str]) -> None:
    sent = chart()
    with FhirServer([patient()]) as fhir:
        for _ in range(3):
            assert fetching(web, fhir, sent).status_code == 200
        assert fhir.paths() == []
    assert len(readings) == 1


def test_a_faulty_rest_is_refused_though_the_prefetch_is_known(web: Served) -> None:
    sent = chart()
    web.call(opened(sent))
    body = json.dumps(opened(sent))
    for faulty in (
        body.replace('"hook": ', '"hook": "patient-view", "hook": ', 1),
        body.replace('"patient-view"', "NaN", 1),
        body[:-1],
        body + "x",
    ):
        assert web.post(faulty.encode()).status_code == 400


# How much is kept, and how long


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def source(number: int, tenant: str = "a", **changes: Any) -> Source:
    about = {"patient_id": "p", "base_url": "", "templates": PATIENT_VIEW.prefetch, "allow_restricted": False}
    return Source(tenant=tenant, mark=bytes([number]), served=False, **(about | changes))


def read(text: str = "Cough.") -> ReadChart:
    return ReadChart(Chart(as_of=NOW, notes=(Note(reference="DocumentReference/1", text=text),)))


def test_the_least_recently_opened_goes_first() -> None:
    charts = OpenedCharts(2, 2**20, 60)
    for number in (1, 2):
        charts.keep(source(number), read())
    assert charts.find(source(1), NOW)
    charts.keep(source(3), read())
    assert [charts.find(source(number), NOW) is not None for number in (1, 2, 3)] == [True, False, True]
    assert charts.held == (2, 2 * size_of(read().chart))


def test_memory_is_bounded() -> None:
    charts = OpenedCharts(1000, 500_000, 60)
    for number in range(200):
        charts.keep(source(number), read("x" * 20_000))
    assert 15 <= charts.held[0] <= 25
    assert charts.held[1] <= 500_000
    charts.keep(source(201), read("x" * 600_000))
    assert charts.find(source(201), NOW) is None, "larger than all that may be kept"
    assert charts.held[0] >= 15, "and it costs the others nothing"


@pytest.mark.parametrize(("most", "size"), [(0, 2**20), (9, 0)])
def test_none_is_kept_where_none_may_be(most: int, size: int) -> None:
    charts = OpenedCharts(most, size, 60)
    charts.keep(source(1), read())
    assert charts.held == (0, 0)
    assert not charts.known("a", bytes([1]))


def test_a_chart_has_its_time_however_often_it_is_opened() -> None:
    clock = Clock()
    charts = OpenedCharts(9, 2**20, 60, clock=clock)
    charts.keep(source(1), read())
    for clock.seconds in (30, 59):
        assert charts.find(source(1), NOW)
        assert charts.known("a", bytes([1]))
    clock.seconds = 60
    assert charts.find(source(1), NOW) is None
    assert not charts.known("a", bytes([1]))


@pytest.mark.parametrize(
    "changes",
    [{"tenant": "b"}, {"patient_id": "q"}, {"base_url": "x"}, {"allow_restricted": True}, {"templates": ()}],
)
def test_another_source_is_not_this_one(changes: dict[str, Any]) -> None:
    charts = OpenedCharts(9, 2**20, 60)
    charts.keep(source(1), read())
    assert charts.find(source(1, **changes), NOW) is None


async def opened_and_closed(charts: OpenedCharts) -> None:
    running = asyncio.create_task(charts.run())
    await asyncio.sleep(0.05)
    running.cancel()


def test_what_has_had_its_time_goes_by_itself_and_all_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cds_hooks.opened_charts.SWEEP_SECONDS", 0.001)
    clock = Clock()
    charts = OpenedCharts(9, 2**20, 60, clock=clock)
    charts.keep(source(1), read())
    clock.seconds = 30
    charts.keep(source(2), read())
    clock.seconds = 70
    asyncio.run(opened_and_closed(charts))
    assert charts.held == (1, size_of(read().chart))
    asyncio.run(charts.close())
    assert charts.held == (0, 0)


def test_marks_are_of_one_process_alone() -> None:
    assert OpenedCharts(1, 1, 1).mark(b"x") != OpenedCharts(1, 1, 1).mark(b"x")


def test_facts_count_too() -> None:
    fact = Fact(kind="laboratory", reference="Observation/1", text="K")
    assert size_of(Chart(as_of=NOW, facts=(fact,) * 50)) > 100_000


def told(seen: Chart) -> Chart:
    """Without what moves with the clock."""
    return seen.model_copy(update={"as_of": NOW})


def with_fresh_reader(body: bytes) -> bytes:
    document = json.loads(body)
    head, _, tail = body.partition(document["hookInstance"].encode())
    return head + str(uuid.uuid4()).encode() + tail


def fetching(web: Served, fhir: FhirServer, sent: dict[str, Any]) -> httpx.Response:
    return web.http.post(SERVICE, json=opened(sent, fhirServer=fhir.url, fhirAuthorization=authorization()))
