"""A message composed without a socket is the message Celery's own producer would have sent."""

from __future__ import annotations

import json
import time
from typing import Any

from tests.worker.conftest import Queue
from worker.broker import broker_app, send
from worker.composed_task import TaskComposer
from worker.messages import CANARY_TASK, KEY_PREFIX, LATER_QUEUE, Canary

CANARY = Canary(reading="0" * 32)


def without_what_differs_each_time(entry: dict[str, Any]) -> dict[str, Any]:
    entry["properties"].pop("delivery_tag")
    return entry


def test_it_is_what_kombus_redis_transport_writes(own_queue: Queue) -> None:
    app = broker_app(own_queue.settings())
    send(app, CANARY_TASK, CANARY, queue=LATER_QUEUE)
    name, entry = TaskComposer(app).compose(CANARY_TASK, CANARY, queue=LATER_QUEUE)
    with own_queue.redis() as client:
        (sent,) = client.lrange(name, 0, -1)
    assert name == f"{KEY_PREFIX}{LATER_QUEUE}"
    assert without_what_differs_each_time(json.loads(entry)) == without_what_differs_each_time(json.loads(sent))


def test_each_message_is_a_new_one(own_queue: Queue) -> None:
    tasks = TaskComposer(broker_app(own_queue.settings()))
    entries = [json.loads(tasks.compose(CANARY_TASK, CANARY, queue=LATER_QUEUE)[1]) for _ in range(3)]
    assert len({entry["properties"]["delivery_tag"] for entry in entries}) == 3


def test_composing_waits_for_nothing(own_queue: Queue) -> None:
    settings = own_queue.settings(redis_url="redis://192.0.2.1/0")  # an address that nobody answers
    tasks = TaskComposer(broker_app(settings))
    tasks.compose(CANARY_TASK, CANARY, queue=LATER_QUEUE)
    begun = time.monotonic()
    for _ in range(20):
        tasks.compose(CANARY_TASK, CANARY, queue=LATER_QUEUE)
    assert time.monotonic() - begun < 0.2
