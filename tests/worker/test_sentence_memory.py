"""What is remembered of sentences: for whom, how much, how long, and that no word of them lies in Redis."""

from __future__ import annotations

import pytest
from prometheus_client import REGISTRY

from tests.worker.conftest import Queue
from worker.local_redis import free_port
from worker.payloads import Sealer
from worker.redis_connection import blocking_redis
from worker.sentence_memory import ENTRY_BYTES, GaveWay, MarkedReadings, SentenceMemory
from worker.shared_sentences import PLACE_BYTES, SHARED_SECONDS, RedisSentences

TEXT = "Canary chest pain on stairs."


def counted() -> dict[str, float]:
    """Sentences so far, by what answered."""
    return {
        found: REGISTRY.get_sample_value("dxspan_sentences_total", {"found": found}) or 0.0
        for found in ("chart", "memory", "encoder")
    }


def memory(**options: object) -> SentenceMemory:
    return SentenceMemory(MarkedReadings(2**20, 60), **options)  # type: ignore[arg-type]  # passed on as they are


def shared(queue: Queue, *, mebibytes: float = 1, url: str | None = None) -> RedisSentences:
    settings = queue.settings(**({"redis_url": url} if url else {}))
    client = blocking_redis(settings, seconds=SHARED_SECONDS)
    return RedisSentences(client, settings.sealer, most_bytes=int(mebibytes * 2**20), seconds=60)


def test_a_tenant_recalls_what_it_read_and_nobody_elses() -> None:
    kept = memory()
    with kept.reading("north"):
        kept.keep("model 1", {TEXT: b"reading"})
        assert kept.recall("model 1", [TEXT, "Other."]) == [b"reading", None]
        assert kept.recall("model 2", [TEXT]) == [None]
    with kept.reading("south"):
        assert kept.recall("model 1", [TEXT]) == [None]


def test_what_notes_copy_of_each_other_is_answered_once_and_counted_apart() -> None:
    kept = memory()
    with kept.reading("north"):
        kept.keep("model 1", {TEXT: b"reading"})
        before = counted()
        said = kept.recall("model 1", [TEXT, "Other.", TEXT, "Other.", TEXT])
        assert said == [b"reading", None, b"reading", None, b"reading"]
        since = {found: count - before[found] for found, count in counted().items()}
    assert since == {"chart": 3, "memory": 1, "encoder": 1}


def test_outside_of_a_reading_nothing_is_kept_or_recalled() -> None:
    kept = memory()
    kept.keep("model 1", {TEXT: b"reading"})
    with kept.reading("north"):
        assert kept.recall("model 1", [TEXT]) == [None]
        kept.keep("model 1", {TEXT: b"reading"})
    assert kept.recall("model 1", [TEXT]) == [None]


def test_the_memory_is_bounded_in_bytes_and_the_least_used_goes_first() -> None:
    kept = MarkedReadings(3 * (100 + ENTRY_BYTES), 60)
    for mark in "abc":
        kept.put(mark, bytes(100))
    assert kept.get("a") is not None
    kept.put("d", bytes(100))
    assert [mark for mark in "abcd" if kept.get(mark) is not None] == ["a", "c", "d"]
    kept.put("e", bytes(10_000))
    assert kept.get("e") is None


def test_what_is_too_old_is_forgotten() -> None:
    now = 0.0
    kept = MarkedReadings(1000, 60, clock=lambda: now)
    kept.put("a", b"reading")
    now = 59.0
    assert kept.get("a") == b"reading"
    now = 60.0
    assert kept.get("a") is None


def test_a_reading_gives_way_before_its_next_note() -> None:
    kept = memory()
    with kept.reading("north", lambda: True), pytest.raises(GaveWay):
        kept.recall("model 1", [TEXT])


def test_workers_share_through_redis_sealed_and_for_a_while(queue: Queue) -> None:
    sealer = Sealer.from_setting(queue.key)
    first, second = (memory(sealer=sealer, shared=shared(queue)) for _ in range(2))
    with first.reading("north"):
        first.keep("model 1", {TEXT: b"canary reading"})
    with second.reading("south"):
        assert second.recall("model 1", [TEXT]) == [None]
    with second.reading("north"):
        assert second.recall("model 1", [TEXT, "Other."]) == [b"canary reading", None]
    with queue.redis() as client:
        names = list(client.scan_iter("dxspan:sentence:*"))
        assert names
        for name in names:
            value = client.get(name) or b""
            assert b"anary" not in name + value
            assert 0 < client.ttl(name) <= 60


def test_redis_never_holds_more_than_was_granted(own_queue: Queue) -> None:
    kept = shared(own_queue, mebibytes=4 * PLACE_BYTES / 2**20)
    sealer = Sealer.from_setting(own_queue.key)
    marks = [sealer.mark("sentence", str(number)) for number in range(100)]
    kept.keep("north", {mark: bytes(PLACE_BYTES - 100) for mark in marks})
    kept.keep("north", {marks[0]: bytes(PLACE_BYTES)})
    with own_queue.redis() as client:
        assert len(client.keys("dxspan:sentence:*")) == 4
    recalled = kept.recall("north", marks)
    assert 1 <= sum(reading is not None for reading in recalled) <= 4


def test_what_lies_there_and_is_not_ours_is_not_recalled(own_queue: Queue) -> None:
    kept = shared(own_queue)
    mark = Sealer.from_setting(own_queue.key).mark("sentence", "one")
    kept.keep("north", {mark: b"reading"})
    with own_queue.redis() as client:
        (name,) = client.keys("dxspan:sentence:*")
        client.set(name, b"junk of another kind, long enough to be sealed")
    assert kept.recall("north", [mark]) == [None]


def test_while_redis_is_away_readings_go_on_alone(own_queue: Queue) -> None:
    kept = memory(shared=shared(own_queue, url=f"redis://127.0.0.1:{free_port()}/0"))
    with kept.reading("north"):
        kept.keep("model 1", {TEXT: b"reading"})
        assert kept.recall("model 1", [TEXT, "Other."]) == [b"reading", None]
