"""What a worker decides for one chart, with a real Redis and without a worker process."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from prometheus_client import REGISTRY

from nlp_core.chart import Chart
from tests.worker.conftest import Queue, chart_of
from tests.worker.plain_reader import MODEL_VERSION, PlainReader
from worker.app import create_celery_app
from worker.chart_digest import chart_digest, chart_json
from worker.chart_store import ChartStore
from worker.kept_answers import chart_mark
from worker.loaded_model import LoadedModel
from worker.local_redis import free_port
from worker.messages import (
    CANARY_TASK,
    DEAD_LETTERS_NAME,
    MODEL_VERSION_NAME,
    READ_TASK,
    Canary,
    ReadReply,
    ReadRequest,
    answer_name,
    attempts_name,
    chart_name,
    reply_name,
)
from worker.payloads import Sealer, new_queue_key
from worker.redis_connection import blocking_redis
from worker.tasks import ReadingDesk
from worker.watch import WORKER_TASKS

LIFE_MS = 120_000


@dataclass
class Desk:
    """A reading desk with what a test wants to see of it."""

    queue: Queue
    reader: PlainReader = field(default_factory=PlainReader)
    put_off: list[ReadRequest] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sealer = Sealer.from_setting(self.queue.key)
        self.redis = blocking_redis(self.queue.settings())
        store = ChartStore(self.redis, self.sealer, cache_seconds=900)
        self.desk = ReadingDesk(store, LoadedModel(lambda: self.reader), self.put_off.append)

    def lay_down(self, chart: Chart, *, wait: float = 2.0, age: float = 0.0, tenant: str = "north") -> ReadRequest:
        """A chart sealed `age` seconds ago by a caller who waits `wait` seconds, 0 = nobody."""
        mark = chart_mark(self.sealer, tenant, chart_digest(chart))
        request = ReadRequest(
            reading=secrets.token_hex(16), tenant=tenant, chart_mark=mark, wait_ms=int(wait * 1000), life_ms=LIFE_MS
        )
        sealed = self.sealer.seal(chart_json(chart), "chart", tenant, request.reading, mark)
        self.redis.set(chart_name(request.reading), sealed, px=LIFE_MS - int(age * 1000))
        return request

    def reply(self, request: ReadRequest) -> ReadReply | None:
        sealed = self.redis.lpop(reply_name(request.reading))
        if sealed is None:
            return None
        assert isinstance(sealed, bytes)
        return ReadReply.model_validate_json(self.sealer.open(sealed, "reply", request.tenant, request.reading))


@pytest.fixture
def desk(queue: Queue) -> Iterator[Desk]:
    desk = Desk(queue)
    yield desk
    desk.redis.close()


def test_a_chart_is_read_answered_kept_and_deleted(desk: Desk) -> None:
    request = desk.lay_down(chart_of("read me"))
    assert desk.desk.handle(request) == "read"
    reply = desk.reply(request)
    assert reply is not None
    assert reply.assessment is not None
    assert reply.assessment.model_version == MODEL_VERSION
    assert not desk.redis.exists(chart_name(request.reading), attempts_name(request.chart_mark))


def test_g13_a_task_delivered_twice_is_read_and_answered_once(desk: Desk) -> None:
    request = desk.lay_down(chart_of("delivered twice"))
    assert [desk.desk.handle(request), desk.desk.handle(request)] == ["read", "gone"]
    assert desk.redis.llen(reply_name(request.reading)) == 1
    assert desk.reader.readings == 1


def test_g13_the_same_chart_asked_for_twice_is_read_once(desk: Desk) -> None:
    first, second = desk.lay_down(chart_of("asked twice")), desk.lay_down(chart_of("asked twice"))
    assert [desk.desk.handle(first), desk.desk.handle(second)] == ["read", "cached"]
    reply = desk.reply(second)
    assert reply is not None
    assert reply.cached


def test_g14_a_task_far_past_its_deadline_is_dropped(desk: Desk) -> None:
    request = desk.lay_down(chart_of("stale"), wait=1, age=62)
    assert desk.desk.handle(request) == "stale"
    assert desk.reader.readings == 0
    assert not desk.redis.exists(chart_name(request.reading))


def test_g14_a_task_somewhat_late_waits_until_no_fresh_one_does(desk: Desk) -> None:
    request = desk.lay_down(chart_of("somewhat late"), wait=1, age=3)
    assert desk.desk.handle(request) == "later"
    assert desk.put_off == [request.model_copy(update={"wait_ms": 0})]
    assert desk.desk.handle(desk.put_off[0]) == "read"
    assert desk.reply(request) is None


def test_g14_a_precomputed_chart_has_no_deadline(desk: Desk) -> None:
    assert desk.desk.handle(desk.lay_down(chart_of("precomputed"), wait=0, age=100)) == "read"


def test_g17_age_is_told_by_redis_so_that_clocks_apart_do_no_harm(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    request = desk.lay_down(chart_of("sealed by a web server two minutes ahead"), wait=1)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 120)
    assert desk.desk.handle(request) == "read"


def test_g04_a_chart_cut_short_is_answered_at_once_and_read_whole_later(desk: Desk) -> None:
    request = desk.lay_down(chart_of("newest", "takes 400 ms"), wait=0.3)
    assert desk.desk.handle(request) == "partial"
    reply = desk.reply(request)
    assert reply is not None
    assert reply.assessment is not None
    assert reply.assessment.notes_unread == 1
    assert not [key for key in desk.redis.keys(answer_name("*")) if desk.redis.ttl(key) > 900]
    assert desk.desk.handle(desk.put_off[0]) == "read"


def test_a_chart_of_which_nothing_was_read_in_time_is_not_answered_as_empty(desk: Desk) -> None:
    request = desk.lay_down(chart_of("takes 500 ms"), wait=0.2)
    assert desk.desk.handle(request) == "partial"
    assert desk.reply(request) is None


def test_g12_a_chart_that_failed_twice_is_not_read_a_third_time(desk: Desk) -> None:
    outcomes = [desk.desk.handle(desk.lay_down(chart_of("poison: fails"))) for _ in range(3)]
    assert outcomes == ["failed", "failed", "quarantined"]
    assert desk.reader.readings == 2


def test_g12_a_quarantined_chart_is_a_dead_letter_by_its_mark_alone_and_once(desk: Desk) -> None:
    before = REGISTRY.get_sample_value("dxspan_dead_letters_total") or 0
    requests = [desk.lay_down(chart_of("dead letter: fails")) for _ in range(4)]
    assert [desk.desk.handle(request) for request in requests] == ["failed", "failed", "quarantined", "quarantined"]
    letters = desk.redis.lrange(DEAD_LETTERS_NAME, 0, -1)
    assert isinstance(letters, list)
    assert letters.count(requests[0].chart_mark.encode()) == 1
    assert {len(letter) for letter in letters} == {64}
    assert REGISTRY.get_sample_value("dxspan_dead_letters_total") == before + 1


def test_g12_the_quarantine_lasts_as_long_as_the_chart_keeps_its_mark(desk: Desk) -> None:
    request = desk.lay_down(chart_of("fails, once"))
    assert desk.desk.handle(request) == "failed"
    assert 86_000 < int(desk.redis.ttl(attempts_name(request.chart_mark))) <= 86_400


def test_g12_a_chart_that_took_two_workers_down_is_not_read_a_third_time(desk: Desk) -> None:
    request = desk.lay_down(chart_of("two workers died of this"))
    desk.redis.set(attempts_name(request.chart_mark), 2)
    assert desk.desk.handle(request) == "quarantined"
    reply = desk.reply(request)
    assert reply is not None
    assert reply.degraded == "reader-failed"


def test_a_chart_that_is_read_at_last_has_a_clean_record(desk: Desk) -> None:
    request = desk.lay_down(chart_of("one worker died of this"))
    desk.redis.set(attempts_name(request.chart_mark), 1)
    assert desk.desk.handle(request) == "read"
    assert not desk.redis.exists(attempts_name(request.chart_mark))


def test_f01_a_chart_claimed_for_another_tenant_cannot_be_opened(desk: Desk) -> None:
    request = desk.lay_down(chart_of("of the north"), tenant="north")
    assert desk.desk.handle(request.model_copy(update={"tenant": "south"})) == "unreadable"
    assert desk.reader.readings == 0


def test_a_chart_under_another_chart_s_mark_cannot_be_opened_and_so_not_poison_its_cache(desk: Desk) -> None:
    request = desk.lay_down(chart_of("one chart"))
    assert desk.desk.handle(request.model_copy(update={"chart_mark": "b" * 64})) == "unreadable"


def test_a_chart_sealed_with_another_key_cannot_be_opened(desk: Desk) -> None:
    request = desk.lay_down(chart_of("sealed elsewhere"))
    desk.redis.set(chart_name(request.reading), Sealer.from_setting(new_queue_key()).seal(b"{}", "chart"), ex=60)
    assert desk.desk.handle(request) == "unreadable"


def test_a_chart_of_another_form_is_refused(desk: Desk) -> None:
    request = desk.lay_down(chart_of("of another version"))
    sealed = desk.sealer.seal(b'{"patient": "Erika"}', "chart", request.tenant, request.reading, request.chart_mark)
    desk.redis.set(chart_name(request.reading), sealed, ex=60)
    assert desk.desk.handle(request) == "unreadable"


def test_nothing_of_a_reading_stays_without_an_end(desk: Desk) -> None:
    for wait in (2.0, 0.0):
        desk.desk.handle(desk.lay_down(chart_of(f"kept for a while {wait}"), wait=wait))
    desk.desk.handle(desk.lay_down(chart_of("kept though it fails")))
    lasting = {key for key in desk.redis.keys("dxspan:*") if desk.redis.ttl(key) == -1}
    assert all(b"_kombu.binding" in key for key in lasting), lasting


def outcomes() -> dict[str, float]:
    """`dxspan_worker_tasks_total` so far, by outcome."""
    (metric,) = WORKER_TASKS.collect()
    return {sample.labels["outcome"]: sample.value for sample in metric.samples if sample.name.endswith("_total")}


def test_a_task_counts_its_outcome_and_raises_nothing_whatever_it_is_given(desk: Desk) -> None:
    app = create_celery_app(desk.queue.settings(), PlainReader)
    request = desk.lay_down(chart_of("as a task"))
    before = outcomes()
    app.tasks[READ_TASK](request.model_dump())
    for junk in ("chest pain", None, {"version": 99}, {}):
        app.tasks[READ_TASK](junk)
        app.tasks[CANARY_TASK](junk)
    after = outcomes()
    assert after["read"] == before.get("read", 0) + 1
    assert after["unreadable"] == before.get("unreadable", 0) + 4


def test_a_redis_that_fails_during_a_task_is_counted_and_raises_nothing(desk: Desk) -> None:
    unreachable = desk.queue.settings(redis_url=f"redis://127.0.0.1:{free_port()}/0")
    app = create_celery_app(unreachable, PlainReader)
    request = desk.lay_down(chart_of("Redis fails"))
    before = outcomes().get("failed", 0)
    app.tasks[READ_TASK](request.model_dump())
    assert outcomes()["failed"] == before + 1


def test_a_canary_is_answered(desk: Desk) -> None:
    app = create_celery_app(desk.queue.settings(), PlainReader)
    canary = Canary(reading=secrets.token_hex(16))
    app.tasks[CANARY_TASK](canary.model_dump())
    assert desk.redis.lpop(reply_name(canary.reading)) == b"alive"


def test_g16_a_worker_that_starts_announces_its_model(desk: Desk) -> None:
    desk.redis.set(MODEL_VERSION_NAME, "older+000000000000", ex=60)
    desk.desk.warm_up()
    assert desk.redis.get(MODEL_VERSION_NAME) == MODEL_VERSION.encode()


def test_a_worker_that_cannot_announce_its_model_still_reads(queue: Queue, caplog: pytest.LogCaptureFixture) -> None:
    unreachable = blocking_redis(queue.settings(redis_url=f"redis://127.0.0.1:{free_port()}/0"))
    store = ChartStore(unreachable, Sealer.from_setting(queue.key), cache_seconds=900)
    ReadingDesk(store, LoadedModel(PlainReader), print).warm_up()
    assert "could not announce the model" in caplog.text


def test_a_worker_that_cannot_load_its_model_leaves(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> PlainReader:
        raise OSError("no bundle here")

    app = create_celery_app(desk.queue.settings(), broken)
    with pytest.raises(SystemExit):
        app.Worker()
    assert "no bundle here" in caplog.text


def test_d13_a_chart_read_without_its_encoder_is_answered_and_read_anew_next_time(desk: Desk) -> None:
    chart = chart_of("breaks the encoder")
    for readings in (1, 2):
        request = desk.lay_down(chart)
        assert desk.desk.handle(request) == "read"
        reply = desk.reply(request)
        assert reply is not None
        assert reply.assessment is not None
        assert [part.why for part in reply.assessment.partly_read] == ["model"]
        assert desk.reader.readings == readings
        assert not desk.redis.exists(chart_name(request.reading)), "nobody needs it any more"
