"""Task events for Flower and celery-exporter, taken as those take them: by Celery's own receiver. Off unless set."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis

from tests.worker.conftest import ROOT, Queue, ask, chart_of, read, wait_for
from tests.worker.test_nothing_readable_in_redis import CANARY, every_command, spellings
from worker.broker import broker_app
from worker.client import Reading
from worker.settings import WorkerSettings

Events = list[dict[str, Any]]


@contextmanager
def watching(settings: WorkerSettings, *, wakeup: bool = False) -> Iterator[Events]:
    """Every event meanwhile. wakeup: ask the workers to tell of themselves, as Flower does when it starts."""
    seen: Events = []
    app, listening, ended = broker_app(settings), threading.Event(), threading.Event()

    def listen() -> None:
        with app.connection_for_read() as connection:
            receiver = app.events.Receiver(connection, handlers={"*": seen.append})
            with receiver.consumer_context(wakeup=wakeup) as (consuming, _, _):
                listening.set()
                while not ended.is_set():
                    try:
                        consuming.drain_events(timeout=0.1)
                    except TimeoutError:
                        continue

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    assert listening.wait(10)
    time.sleep(0.2)  # until Redis knows of the subscription
    yield seen
    ended.set()
    thread.join(10)


def kinds(events: Events, reading_of: str = "dxspan.read_chart") -> list[str]:
    ids = {event["uuid"] for event in events if event.get("name") == reading_of}
    return [event["type"] for event in events if event.get("uuid") in ids]


def test_e10_events_tell_of_a_task_and_not_of_its_chart(own_queue: Queue) -> None:
    settings = own_queue.settings(task_events=True)
    with every_command(own_queue) as commands, watching(settings) as events:
        own_queue.start_worker(DXSPAN_TASK_EVENTS="true")
        assert read(settings, chart_of(f"{CANARY} is read"), tenant="north").assessment is not None
        assert read(settings, chart_of(f"{CANARY} fails")).degraded == "reader-failed"
        assert ask(
            settings, lambda client: client.ask(CANARY, chart_of(CANARY), tenant="north", deadline=time.monotonic() + 5)
        ).answer
        wait_for(lambda: sum(event["type"] == "task-succeeded" for event in events) >= 3, seconds=10)
    assert sorted(kinds(events)) == sorted(2 * ["task-sent", "task-received", "task-started", "task-succeeded"])
    assert {"worker-online", "worker-heartbeat"} & {event["type"] for event in events}
    arguments = {(event["args"], event["kwargs"]) for event in events if "args" in event}
    assert arguments == {("<ref>", "{}")}
    assert {event["result"] for event in events if "result" in event} == {"None"}
    told = json.dumps(events, default=str).encode() + "\n".join(commands).encode()
    assert b"celeryev" in told
    for spelling in spellings(CANARY):
        assert spelling not in told


def test_canaries_are_no_events(own_queue: Queue) -> None:
    settings = own_queue.settings(task_events=True)
    own_queue.start_worker(DXSPAN_TASK_EVENTS="true")
    with watching(settings) as events:
        assert ask(settings, lambda client: client.canary(seconds=5)) is not None
        assert read(settings, chart_of("a chart")).assessment is not None
        wait_for(lambda: "task-succeeded" in kinds(events), seconds=10)
    assert kinds(events, "dxspan.canary") == []


def test_off_nothing_is_published(own_queue: Queue) -> None:
    with every_command(own_queue) as commands:
        own_queue.start_worker()
        assert read(own_queue.settings(), chart_of("a chart")).assessment is not None
    assert not any("celeryev" in command for command in commands)


def test_the_documented_line_lets_flower_see_tasks_and_nothing_of_a_chart(own_queue: Queue) -> None:
    """Exactly the line of docs/operations.md: events come, no refusal is logged, and no chart, reply or answer is read."""
    (rules,) = re.findall(r"^user dxspan-flower (.+)$", (ROOT / "docs/operations.md").read_text(), re.MULTILINE)
    assert ">PASSWORD" in rules.split()
    with own_queue.redis() as admin:
        admin.execute_command("ACL", "SETUSER", "dxspan-flower", "reset", *rules.replace("PASSWORD", "hush").split())
    flower = own_queue.settings(redis_url=f"redis://dxspan-flower:hush@127.0.0.1:{own_queue.server.port}/0")
    own_queue.start_worker(DXSPAN_TASK_EVENTS="true")
    with watching(flower, wakeup=True) as events:
        assert read(own_queue.settings(task_events=True), chart_of("a chart")).assessment is not None
        wait_for(lambda: len(kinds(events)) == 4, seconds=10)
    with own_queue.redis() as admin:
        assert [entry["object"] for entry in admin.acl_log()] == []
    with redis.Redis.from_url(flower.redis_url.get_secret_value()) as client:
        for command in (
            *(("GET", f"dxspan:{kind}:x") for kind in ("chart", "answer", "sentence", "last")),
            ("BRPOP", "dxspan:reply:x", "1"),
            ("BRPOP", "dxspan:fresh.v7", "1"),
            ("SET", "dxspan:model", "another"),
            ("KEYS", "*"),
            ("PUBLISH", "elsewhere", "words"),
        ):
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.execute_command(*command)


def rules_of(user: str) -> list[str]:
    """The access list of docs/queue.md for `user`, with what it says events need."""
    page = (ROOT / "docs/queue.md").read_text()
    (rules,) = re.findall(rf"^user {user} (.+)$", page, re.MULTILINE)
    (more,) = re.findall(r"^events: (.+)$", page, re.MULTILINE)
    return f"{rules} {more}".replace(">PASSWORD", ">hush").split()


def test_the_documented_access_list_suffices_with_what_it_adds_for_events(own_queue: Queue) -> None:
    with own_queue.redis() as admin:
        for user in ("dxspan-web", "dxspan-worker"):
            admin.execute_command("ACL", "SETUSER", user, "reset", *rules_of(user))
    place = f"127.0.0.1:{own_queue.server.port}/0"
    own_queue.start_worker(DXSPAN_REDIS_URL=f"redis://dxspan-worker:hush@{place}", DXSPAN_TASK_EVENTS="true")
    web = own_queue.settings(redis_url=f"redis://dxspan-web:hush@{place}", task_events=True)
    with watching(own_queue.settings()) as events:
        assert read(web, chart_of("a chart")).assessment is not None
        wait_for(lambda: len(kinds(events)) == 4, seconds=10)
    with own_queue.redis() as admin:
        assert [entry["object"] for entry in admin.acl_log()] == []


def test_a_web_process_that_may_not_publish_still_gets_its_answer(
    own_queue: Queue, caplog: pytest.LogCaptureFixture
) -> None:
    with own_queue.redis() as admin:
        rules = [rule for rule in rules_of("dxspan-web") if not rule.startswith("&") and rule != "+publish"]
        admin.execute_command("ACL", "SETUSER", "dxspan-web", "reset", *rules)
    own_queue.start_worker()
    web = own_queue.settings(redis_url=f"redis://dxspan-web:hush@127.0.0.1:{own_queue.server.port}/0", task_events=True)
    reading: Reading = read(web, chart_of(CANARY))
    assert reading.assessment is not None
    assert "could not be published: NoPermissionError" in caplog.text
    assert CANARY not in caplog.text
