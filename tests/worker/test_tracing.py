"""Spans of one process: off means off, texts stay out, a collector that is away costs nothing but spans."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.otlp_receiver import OtlpReceiver
from tests.worker.conftest import Queue, chart_of, read, wait_for
from tests.worker.plain_reader import PlainReader
from worker.in_process_client import InProcessClient
from worker.local_redis import free_port
from worker.tracing import carried, end_tracing, note, note_tenant, passed, span, start_tracing, tracing_on

CANARY = "Zq7note Erika Mustermann"


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[OtlpReceiver]:
    """This process sends spans to it."""
    with OtlpReceiver() as collector:
        for name, value in collector.environment.items():
            monkeypatch.setenv(name, value)
        start_tracing("dxspan-test")
        yield collector
        end_tracing()


def test_off_nothing_is_imported_carried_or_counted() -> None:
    # redis-py imports the metrics of an SDK that is installed, and uses them where a program asks for it alone.
    told = (
        "import sys, cds_hooks.app, worker.app, worker.queue_client; "
        "print([name for name in sys.modules if 'opentelemetry.sdk.trace' in name or 'opentelemetry.exporter' in name])"
    )
    assert subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True).stdout == "[]\n"
    assert not tracing_on()
    with span("a step"):
        note({"dxspan.state": "answered"})
        passed("another", 1.0)
    assert carried() == {}
    begun = time.perf_counter()
    for _ in range(10_000):
        with span("a step"):
            pass
    assert time.perf_counter() - begun < 0.5  # 50 microseconds a step would still be nothing: it is below one


def test_of_an_exception_its_class_is_told_and_never_its_text(receiver: OtlpReceiver) -> None:
    with pytest.raises(ValueError, match="Mustermann"), span("outer"), span("inner"):
        raise ValueError(CANARY)
    (outer, inner) = receiver.wait_for({"outer", "inner"})
    assert inner.parent == outer.id
    assert inner.attributes == outer.attributes == {"error.type": "ValueError"}
    assert inner.failed
    assert outer.failed
    assert b"Mustermann" not in b"".join(receiver.raw)


def test_what_is_not_listed_or_looks_like_text_is_left_out(receiver: OtlpReceiver) -> None:
    with span("a step"):
        note({"dxspan.state": CANARY, "dxspan.reason": "x" * 65, "dxspan.cards": 2, "dxspan.outcome": None})
        note({"patient": "pat-1"})  # type: ignore[dict-item]  # what mypy refuses is dropped as well
        note_tenant("hospital-a")  # no key to mark it with
    (one,) = receiver.wait_for({"a step"})
    assert one.attributes == {"dxspan.cards": 2}


def test_a_message_carries_an_id_and_nonsense_in_its_place_begins_a_trace_of_its_own(receiver: OtlpReceiver) -> None:
    with span("first"):
        sent = carried()
    assert set(sent) == {"traceparent"}
    with span("second", parent=sent):
        passed("waited", 1.5)
    for nonsense in ({}, {"traceparent": CANARY}, {"traceparent": "00-" + "0" * 32 + "-" + "0" * 16 + "-01"}):
        with span("alone", parent=nonsense):
            pass
    found = receiver.wait_for({"first", "second", "waited", "alone"})
    first = next(one for one in found if one.name == "first")
    waited = next(one for one in found if one.name == "waited")
    assert waited.parent == first.id
    assert 1.49e9 < waited.ended - waited.begun < 1.6e9
    assert all(one.parent == "" and one.trace != first.trace for one in found if one.name == "alone")


def test_reading_in_this_process_belongs_to_the_call_it_is_for(receiver: OtlpReceiver) -> None:
    async def one_call() -> None:
        client = InProcessClient(load_reader=PlainReader)
        with span("a call"):
            reading = await client.read(chart_of(CANARY), tenant="north", deadline=time.monotonic() + 5)
        assert reading.assessment is not None
        await client.close()

    asyncio.run(one_call())
    found = {one.name: one for one in receiver.wait_for({"a call", "read chart"})}
    assert found["read chart"].parent == found["a call"].id


def test_a_child_process_of_prefork_sends_its_spans_too(own_queue: Queue) -> None:
    with OtlpReceiver() as collector:
        own_queue.start_worker(DXSPAN_WORKER_POOL="prefork", **collector.environment)
        assert read(own_queue.settings(), chart_of("a chart")).assessment is not None
        collector.wait_for({"read chart", "queue wait"})


def test_a_reader_that_fails_with_the_notes_words_tells_none_of_them(own_queue: Queue) -> None:
    with OtlpReceiver() as collector:
        own_queue.start_worker(**collector.environment)
        assert read(own_queue.settings(), chart_of(f"{CANARY} fails")).degraded == "reader-failed"
        spans = collector.wait_for({"read chart", "queue wait"})
    (chart,) = (one for one in spans if one.name == "read chart")
    assert chart.attributes["dxspan.outcome"] == "failed"
    assert len(chart.attributes["dxspan.tenant"]) == 16
    assert b"Mustermann" not in b"".join(collector.raw)


def test_a_collector_that_is_away_is_told_in_the_log_and_costs_nothing_else(own_queue: Queue) -> None:
    nobody = f"http://user:Zq7secret@127.0.0.1:{free_port()}"
    worker = own_queue.start_worker(
        DXSPAN_TRACING="true",
        OTEL_EXPORTER_OTLP_ENDPOINT=nobody,
        OTEL_EXPORTER_OTLP_TIMEOUT="1",
        OTEL_BSP_SCHEDULE_DELAY="100",
    )
    for number in range(3):
        assert read(own_queue.settings(), chart_of(f"{CANARY} {number}")).assessment is not None
    wait_for(lambda: "opentelemetry" in worker.log, seconds=10)
    assert "Mustermann" not in worker.log
    assert "Zq7secret" not in worker.log
    assert Path(worker.log_file).stat().st_size < 20_000
