"""Junk in the queue does not end a worker, is not run, and is not logged."""

from __future__ import annotations

import base64
import json
import pickle
from typing import Any

import pytest

from tests.worker.conftest import Queue, ask, chart_of, read, wait_for
from worker.messages import CANARY_TASK, FRESH_QUEUE, KEY_PREFIX, READ_TASK

LIST = f"{KEY_PREFIX}{FRESH_QUEUE}"


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return (print, ("BOOM",))


def message(body: bytes, *, task: str = READ_TASK, kind: str = "application/json") -> bytes:
    """An entry as kombu writes it."""
    properties = {"delivery_tag": "1", "body_encoding": "base64", "delivery_info": {"exchange": "", "routing_key": ""}}
    headers = {"task": task, "id": "1", "lang": "py", "argsrepr": "", "kwargsrepr": ""}
    entry = {
        "body": base64.b64encode(body).decode(),
        "content-type": kind,
        "content-encoding": "utf-8" if kind.endswith("json") else "binary",
        "headers": headers,
        "properties": properties,
    }
    return json.dumps(entry).encode()


def arguments(*args: object) -> bytes:
    return json.dumps([args, {}, {}]).encode()


JUNK: dict[str, bytes] = {
    "no JSON": b"CANARY-junk {",
    "no UTF-8": b"\xff\xfe\x00",
    "empty": b"",
    "a number": b"7",
    "a list": b'["CANARY-junk"]',
    "an object without fields": b'{"CANARY-junk": 1}',
    "deep": b"[" * 100_000,
    "body no base64": message(b"x").replace(b'"eA=="', b'"?CANARY-junk?"'),
    "body no JSON": message(b"CANARY-junk"),
    "no task": message(b'{"note": "CANARY-junk"}').replace(b'"task": "', b'"tusk": "'),
    "unknown task": message(arguments("CANARY-junk"), task="os.system"),
    "no message of ours": message(arguments({"note": "CANARY-junk"})),
    "too many arguments": message(arguments("CANARY-junk", "CANARY-junk")),
    "no canary of ours": message(arguments("CANARY-junk"), task=CANARY_TASK),
    "pickle": message(pickle.dumps(([Bomb()], {}, {})), kind="application/x-python-serialize"),
    "unknown serializer": message(b"CANARY-junk", kind="application/x-nobody-knows"),
    "pickle that calls itself JSON": message(pickle.dumps(([Bomb()], {}, {}))),
    "yaml": message(b"!!python/object/apply:print ['BOOM']", kind="application/x-yaml"),
}


@pytest.mark.parametrize("name", JUNK)
def test_f04_a_worker_survives_junk_and_reads_on(queue: Queue, name: str) -> None:
    worker = queue.workers[0]
    with queue.redis() as redis:
        redis.lpush(LIST, JUNK[name])
        assert read(queue.settings(), chart_of(f"after {name}")).assessment is not None
        wait_for(lambda: redis.llen(LIST) == 0, seconds=2)
    assert worker.process.poll() is None
    assert "CANARY-junk" not in worker.log
    assert "BOOM" not in worker.log


def test_a_canary_still_passes_after_all_of_it(queue: Queue) -> None:
    with queue.redis() as redis:
        redis.lpush(LIST, *JUNK.values())
    assert ask(queue.settings(), lambda client: client.canary(seconds=5)) is not None
