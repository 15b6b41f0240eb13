"""E10: of a chart that goes through the queue nothing can be read in Redis, on its way there, or in a log."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis

from tests.worker.conftest import Queue, chart_of, read
from worker.client import Reading
from worker.messages import FRESH_QUEUE, KEY_PREFIX, answer_name, chart_name, reply_name

CANARY = "Qz7Erika-Mustermann-4711"
LONGEST_SECONDS = {chart_name(""): 120, reply_name(""): 30, answer_name(""): 900}


def spellings(canary: str) -> set[bytes]:
    """The canary as it might stand in Redis or a log: plain, in base64 at each offset, in hex, in UTF-16, reversed."""
    plain = canary.encode()
    encoded = {base64.b64encode(b"\0" * shift + plain)[4:-4] for shift in range(3)}
    return {plain, plain.hex().encode(), canary.encode("utf-16-le"), plain[::-1], *encoded}


@contextmanager
def every_command(queue: Queue) -> Iterator[list[str]]:
    """Collects all commands Redis gets meanwhile, through MONITOR: also what lives for a millisecond."""
    seen: list[str] = []
    with queue.redis() as watcher, watcher.monitor() as monitor:
        reader = threading.Thread(target=lambda: _collect(monitor, seen), daemon=True)
        reader.start()
        yield seen
        with queue.redis() as client:
            client.echo("the end")
        reader.join(5)


def _collect(monitor: Any, seen: list[str]) -> None:
    for command in monitor.listen():
        seen.append(command["command"])
        if "the end" in command["command"]:
            return


WHOLE: dict[str, tuple[str, ...]] = {
    "string": ("GET", "{}"),
    "list": ("LRANGE", "{}", "0", "-1"),
    "set": ("SMEMBERS", "{}"),
    "hash": ("HGETALL", "{}"),
    "zset": ("ZRANGE", "{}", "0", "-1", "WITHSCORES"),
    "stream": ("XRANGE", "{}", "-", "+"),
}
"""How all of a key is read, by its type."""


def call(client: redis.Redis, *command: Any) -> Any:
    return client.execute_command(*command)  # type: ignore[no-untyped-call]  # redis-py is typed in part


def everything_kept(client: redis.Redis) -> bytes:
    """All keys and values of every type, as their own command tells them and as Redis dumps them."""
    parts: list[Any] = []
    for key in client.scan_iter(count=1000):
        kind = call(client, "TYPE", key).decode()
        if kind != "none":  # gone since the scan; the commands seen by MONITOR tell of it
            command = [key if word == "{}" else word for word in WHOLE[kind]]
            parts += [key, call(client, *command), client.dump(key)]
    return repr(parts).encode()


def test_a_canary_that_is_there_is_found(own_queue: Queue) -> None:
    with every_command(own_queue) as commands, own_queue.redis() as client:
        client.set("string", base64.b64encode(b"x" + CANARY.encode()))
        client.hset("hash", mapping={"field": CANARY})
        client.xadd("stream", {"field": CANARY[::-1]})
        kept = everything_kept(client)
    assert sum(spelling in kept for spelling in spellings(CANARY)) == 3
    assert sum(spelling in "\n".join(commands).encode() for spelling in spellings(CANARY)) == 3


@pytest.fixture(params=["read", "fails", "deadline", "no worker"])
def outcome(request: pytest.FixtureRequest, own_queue: Queue) -> tuple[str, Queue, Reading, list[str], bytes]:
    """One chart with the canary in every text, sent through a Redis of its own to the outcome named."""
    kind = request.param
    if kind != "no worker":
        own_queue.start_worker()
    behaviour = {"fails": "fails", "deadline": "takes 300 ms"}.get(kind, "")
    with every_command(own_queue) as commands, own_queue.redis() as client:
        seconds = 0.2 if kind in ("deadline", "no worker") else 5
        reading = read(own_queue.settings(), chart_of(f"{CANARY} {behaviour}"), seconds=seconds)
        kept = everything_kept(client)
    return kind, own_queue, reading, commands, kept


def test_e10_no_canary_in_redis_in_its_dump_in_any_command_or_in_a_log(
    outcome: tuple[str, Queue, Reading, list[str], bytes],
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    kind, queue, reading, commands, kept = outcome
    assert reading.degraded == {"read": None, "fails": "reader-failed"}.get(kind, "deadline")
    with queue.redis() as client:
        client.config_set("save", "3600 1")
        client.save()
    dump = b"".join(path.read_bytes() for path in queue.server.folder.iterdir())
    logs = "".join(worker.log for worker in queue.workers) + caplog.text + "".join(capfd.readouterr())
    assert len(commands) > 3
    assert len(dump) > 100
    for spelling in spellings(CANARY):
        assert spelling not in kept
        assert spelling not in dump
        assert spelling not in "\n".join(commands).encode()
        assert spelling not in logs.encode()


def test_every_sealed_key_ends_by_itself(own_queue: Queue) -> None:
    with own_queue.redis() as client:
        read(own_queue.settings(), chart_of("waits for a worker"), seconds=0.2)
        (waiting,) = client.keys(chart_name("*"))
        assert 0 < client.ttl(waiting) <= 120
        own_queue.start_worker()
        read(own_queue.settings(), chart_of("is read"))
        for name, longest in LONGEST_SECONDS.items():
            lives = [client.ttl(key) for key in client.scan_iter(f"{name}*")]
            assert all(0 < life <= longest or life == -2 for life in lives), name  # -2: gone since the scan
        assert client.keys(answer_name("*"))


def test_the_message_in_the_queue_says_nothing_but_the_reference(own_queue: Queue) -> None:
    read(own_queue.settings(), chart_of(CANARY), seconds=0.2)
    with own_queue.redis() as client:
        (entry,) = client.lrange(f"{KEY_PREFIX}{FRESH_QUEUE}", 0, -1)
    message = json.loads(entry)
    (arguments, named, _) = json.loads(base64.b64decode(message["body"]))
    assert message["headers"]["argsrepr"] == "<ref>"
    assert message["headers"]["ignore_result"] is True
    assert set(arguments[0]) == {"version", "reading", "tenant", "chart_mark", "wait_ms", "life_ms"}
    assert named == {}
