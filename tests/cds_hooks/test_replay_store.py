"""A token id is new exactly once, in memory and in a real Redis, and in doubt nobody is let in."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator

import pytest

from cds_hooks.operation_outcome import Unavailable
from cds_hooks.replay_store import (
    REDIS_SECONDS,
    MemoryReplayStore,
    RedisReplayStore,
    ReplayStoreWithSpare,
    replay_store,
)
from worker.circuit_breaker import CircuitBreaker
from worker.local_redis import LocalRedis, ensure_server, free_port


@pytest.fixture(scope="module")
def redis_server() -> Iterator[LocalRedis]:
    with LocalRedis(ensure_server()) as running:
        yield running


def test_memory_knows_an_id_until_its_time_is_over() -> None:
    now = 0.0
    store = MemoryReplayStore(clock=lambda: now)

    async def run() -> None:
        nonlocal now
        assert await store.first_time("iss", "jti", 100)
        assert not await store.first_time("iss", "jti", 100)
        assert await store.first_time("other", "jti", 100)
        now = 101.0
        assert await store.first_time("iss", "jti", 100)

    asyncio.run(run())


def test_memory_refuses_when_full_and_recovers() -> None:
    now = 0.0
    store = MemoryReplayStore(capacity=2, clock=lambda: now)

    async def run() -> None:
        nonlocal now
        assert await store.first_time("iss", "1", 10)
        assert await store.first_time("iss", "2", 20)
        with pytest.raises(Unavailable):
            await store.first_time("iss", "3", 10)
        now = 11.0
        assert await store.first_time("iss", "3", 10)
        assert not await store.first_time("iss", "2", 10)

    asyncio.run(run())


def test_issuer_and_id_cannot_be_confused() -> None:
    store = MemoryReplayStore()

    async def run() -> None:
        assert await store.first_time("ab", "c", 10)
        assert await store.first_time("a", "bc", 10)

    asyncio.run(run())


def test_redis_accepts_an_id_once_among_many(redis_server: LocalRedis) -> None:
    async def run() -> None:
        stores = [RedisReplayStore(redis_server.url) for _ in range(4)]
        answers = await asyncio.gather(*(store.first_time("iss", "jti", 60) for store in stores * 5))
        assert answers.count(True) == 1
        assert all([await store.ready() for store in stores])
        for store in stores:
            await store.close()

    asyncio.run(run())


def test_redis_holds_no_id_in_clear_and_forgets(redis_server: LocalRedis) -> None:
    import redis

    async def run() -> None:
        store = RedisReplayStore(redis_server.url)
        assert await store.first_time("https://canary-issuer.example", "canary-jti", 77)
        await store.close()

    asyncio.run(run())
    with redis.Redis.from_url(redis_server.url) as client:
        keys = client.keys("*")
        assert b"canary" not in b"".join(keys)
        assert all(0 < client.ttl(key) <= 77 for key in keys)
        assert all(client.get(key) == b"" for key in keys)


def test_a_redis_that_is_not_there_is_unavailable_soon() -> None:
    async def run() -> None:
        store = RedisReplayStore(f"redis://127.0.0.1:{free_port()}/0")
        begun = time.monotonic()
        with pytest.raises(Unavailable):
            await store.first_time("iss", "jti", 60)
        assert not await store.ready()
        assert time.monotonic() - begun < 2
        await store.close()

    asyncio.run(run())


def test_the_settings_choose() -> None:
    assert isinstance(replay_store(None), MemoryReplayStore)
    assert isinstance(replay_store("redis://127.0.0.1:1/0"), RedisReplayStore)
    assert isinstance(replay_store("redis://127.0.0.1:1/0", spare=True), ReplayStoreWithSpare)


def test_a16_where_chosen_memory_is_the_spare_of_a_redis_that_is_gone() -> None:
    async def run() -> None:
        with LocalRedis(ensure_server()) as server:
            store = replay_store(server.url, spare=True)
            assert await store.first_time("iss", "seen by Redis", 60)
            assert not await store.first_time("iss", "seen by Redis", 60)
        begun = time.monotonic()
        assert not await store.first_time("iss", "seen by Redis", 60), "memory was told of it"
        assert await store.first_time("iss", "new", 60)
        assert not await store.first_time("iss", "new", 60)
        assert await store.ready()
        assert time.monotonic() - begun < 0.5
        await store.close()

    asyncio.run(run())


def test_a16_a_frozen_redis_is_waited_for_once_and_asked_again_later() -> None:
    async def run() -> None:
        with LocalRedis(ensure_server()) as server:
            first = RedisReplayStore(server.url)
            store = ReplayStoreWithSpare(first, breaker=CircuitBreaker(0.5))
            os.kill(server.pid, signal.SIGSTOP)
            begun = time.monotonic()
            assert await store.first_time("iss", "1", 60)
            assert time.monotonic() - begun < 2 * REDIS_SECONDS + 0.1
            begun = time.monotonic()
            assert await store.first_time("iss", "2", 60)
            assert time.monotonic() - begun < 0.1
            os.kill(server.pid, signal.SIGCONT)
            await asyncio.sleep(0.6)
            assert await store.first_time("iss", "3", 60)
            assert not await first.first_time("iss", "3", 60), "Redis was told again"
            await store.close()

    asyncio.run(run())


def test_a16_one_that_another_process_let_in_is_refused_while_redis_answers(redis_server: LocalRedis) -> None:
    async def run() -> None:
        one, other = (replay_store(redis_server.url, spare=True) for _ in range(2))
        assert await one.first_time("iss", "shared", 60)
        assert not await other.first_time("iss", "shared", 60)
        await one.close()
        await other.close()

    asyncio.run(run())
