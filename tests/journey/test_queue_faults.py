"""Group G and F3 through real HTTP: whatever fails behind the web process, each call is a 200 within its deadline.

The web process is `dxspan-serve`; Redis is real and is refused, frozen, wiped and restarted; workers are processes and
are killed. They read with PlainReader, which does what the notes say.
"""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from benchmarks.calls_at_once import Answered, call_at_once
from tests.cds_hooks.charts import PATIENT_ID, SERVICE, call, condition, document, prefetch
from tests.fhir_server import searchset
from tests.journey.conftest import running
from tests.worker.conftest import Queue, Worker, wait_for
from worker.local_redis import LocalRedis, ensure_server, free_port
from worker.messages import DEAD_LETTERS_NAME, MODEL_VERSION_NAME

DEADLINE_SECONDS = 1.5
GRACE_SECONDS = 0.1
"""No answer may be later than the deadline by more than this; nothing is added for shared machines."""


def opened(**changes: Any) -> dict[str, Any]:
    """A call by another user each time: what one has seen in this encounter is not shown to them again."""
    return call(context={"userId": f"Practitioner/{uuid4()}", "patientId": PATIENT_ID}, **changes)


@dataclass
class Front:
    """A running web process in front of a queue."""

    port: int
    queue: Queue
    http: httpx.Client

    def ask(self, *notes: str, **changes: Any) -> Answered:
        """One call for a chart with these notes, newest first; it must be a 200 in time."""
        numbered = zip(range(len(notes), 0, -1), notes, strict=True)
        documents = [document(text, number=n, date=f"2026-11-{10 + n}T08:00:00Z") for n, text in numbered]
        body = opened(prefetch=prefetch(*documents, **changes))
        begun = time.perf_counter()
        answer = self.http.post(SERVICE, json=body)
        answered = Answered(answer.status_code, time.perf_counter() - begun, answer.json())
        assert answered.status == 200
        assert answered.seconds < DEADLINE_SECONDS + GRACE_SECONDS
        return answered

    @property
    def worker(self) -> Worker:
        """The one started last."""
        return self.queue.workers[-1]

    def counted(self, state: str = "", reason: str | None = None) -> float:
        """Answers counted so far: all, or those of one state and reason."""
        labels = rf'reason="{".*" if reason is None else reason}",state="{state or ".*"}"'
        found = re.findall(rf"^dxspan_answers_total\{{{labels}\}} (\S+)$", self.http.get("/metrics").text, re.MULTILINE)
        return sum(map(float, found))


@contextmanager
def front_of(queue: Queue, **variables: str) -> Iterator[Front]:
    port = free_port()
    environment = queue.environment | {
        "DXSPAN_FEEDBACK_DATABASE_URL": "sqlite://",
        "DXSPAN_DEADLINE_MS": str(int(DEADLINE_SECONDS * 1000)),
        "DXSPAN_METRICS": "true",
        "DXSPAN_BUNDLE_PATH": "/nowhere",  # the spare reader would be the real one
        **variables,
    }
    with (
        running(["-m", "cds_hooks", "--port", str(port), "--development"], environment),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as http,
    ):
        until = time.monotonic() + 30
        while True:
            with suppress(httpx.HTTPError):
                if http.get("/healthz").status_code == 200:
                    break
            assert time.monotonic() < until
            time.sleep(0.05)
        yield Front(port, queue, http)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """For faults that end with the call: one Redis, one worker that may use 3 GiB."""
    queue = Queue(LocalRedis(ensure_server()), tmp_path_factory.mktemp("queue"))
    queue.start_worker(PLAIN_MEMORY_MIB="3072")
    with front_of(queue) as front:
        front.ask("warm up")
        yield front
    queue.close()


@pytest.fixture(scope="module")
def breakable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    queue = Queue(LocalRedis(ensure_server()), tmp_path_factory.mktemp("breakable"))
    with front_of(queue) as front:
        yield front
    queue.close()


@pytest.fixture
def own(breakable: Front) -> Front:
    """For faults that last: a Redis, a worker and a web process that nobody else uses meanwhile, and that work."""
    if not breakable.queue.workers or breakable.worker.process.poll() is not None:
        breakable.queue.start_worker()
    asked_again(breakable, "warm up")
    return breakable


def asked_again(front: Front, note: str, *, seconds: float = 15) -> None:
    """Ask until a worker reads again."""
    wait_for(lambda: front.ask(f"{note} {time.monotonic()}").state == "answered", seconds=seconds)


def test_g01_g03_a_card_comes_back_and_the_same_chart_again_is_quick(shared: Front) -> None:
    first, again = shared.ask("takes 200 ms, then a card"), shared.ask("takes 200 ms, then a card")
    assert first.state == again.state == "answered"
    assert first.body["cards"][0]["detail"] == again.body["cards"][0]["detail"]
    assert again.seconds < 0.2 <= first.seconds


def test_g04_late_work_is_degraded_counted_and_answers_the_next_call(shared: Front) -> None:
    before = shared.counted("degraded", "deadline")
    assert shared.ask("takes 1700 ms").reason == "deadline"
    assert shared.counted("degraded", "deadline") == before + 1
    wait_for(lambda: shared.ask("takes 1700 ms").state == "answered", seconds=10)


def test_g02_the_last_card_stands_in_until_the_newer_note_is_read(shared: Front) -> None:
    old, newer = "Chest pain since the morning.", "takes 1700 ms, a newer note"
    first = shared.ask(old)
    assert first.body["cards"], first.body
    card = first.body["cards"][0]
    stale = shared.ask(newer, old)
    assert (stale.state, stale.reason) == ("degraded", "deadline")
    marked = stale.body["cards"][0]
    assert "newer note not yet read" in marked["summary"]
    assert stale.body["extension"]["org.dxspan.status"]["computed"]
    assert marked["extension"]["org.dxspan.assessment"] == card["extension"]["org.dxspan.assessment"]
    assert "suggestions" not in marked

    def read() -> bool:
        fresh = shared.ask(newer, old)
        return fresh.state == "answered" and "not yet read" not in fresh.body["cards"][0]["summary"]

    wait_for(read, seconds=10)


def test_g02_no_last_card_when_the_problem_list_has_changed_or_by_setting(shared: Front) -> None:
    old = "Chest pain since noon."
    assert shared.ask(old).body["cards"]
    problems = searchset([condition("Angina")])
    assert shared.ask("takes 1700 ms, newer", old, problems=problems).body["cards"] == []
    with front_of(shared.queue, DXSPAN_LAST_CARD_SECONDS="0") as front:
        front.ask(old)
        assert front.ask("takes 1800 ms, newer still", old).body["cards"] == []


def test_g07_a_wiped_redis_is_read_anew_and_feedback_is_not_lost(shared: Front, tmp_path: Path) -> None:
    database = tmp_path / "feedback.db"
    with front_of(shared.queue, DXSPAN_FEEDBACK_DATABASE_URL=f"sqlite:///{database}") as front:
        card = front.ask("before the flood").body["cards"][0]
        report = {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-11-23T10:00:00Z"}
        wait_for(
            lambda: front.http.post(f"{SERVICE}/feedback", json={"feedback": [report]}).status_code == 200, seconds=5
        )
        kept = database.stat().st_size
        with shared.queue.redis() as client:
            client.flushall()
        after = front.ask("before the flood")
        assert (after.state, after.reason) == ("silent", "dismissed"), "what the user said outlives the queue"
        assert database.stat().st_size >= kept > 0


@pytest.mark.parametrize("fault", ["fails", "eats memory"])
def test_g12_a_poison_note_or_one_that_exhausts_the_worker_is_degraded_and_not_read_a_third_time(
    shared: Front, tmp_path: Path, fault: str
) -> None:
    note = f"touches {tmp_path}/marks then {fault}"
    before = shared.counted("degraded", "reader-failed")
    assert [shared.ask(note).reason for _ in range(3)] == ["reader-failed"] * 3
    assert (tmp_path / "marks").read_text() == "xx"
    assert shared.counted("degraded", "reader-failed") == before + 3
    with shared.queue.redis() as client:
        letters = client.lrange(DEAD_LETTERS_NAME, 0, -1)
    assert isinstance(letters, list)
    assert all(re.fullmatch(rb"[0-9a-f]{64}", letter) for letter in letters)
    assert letters
    assert shared.ask("the next one").state == "answered", "the worker lives on"


def test_f03_two_hundred_users_open_one_patient_and_it_is_read_once(shared: Front, tmp_path: Path) -> None:
    body = prefetch(document(f"touches {tmp_path}/marks takes 100 ms"))
    before = shared.counted()
    answers = call_at_once(shared.port, [opened(prefetch=body) for _ in range(200)])
    all_in_time(answers)
    assert shared.counted() == before + 200
    assert {answer.state for answer in answers} <= {"answered", "degraded"}
    assert sum(answer.state == "answered" for answer in answers) > 0
    assert (tmp_path / "marks").read_text() == "x"


def test_g15_more_charts_at_once_than_can_be_read_are_all_answered_in_time(shared: Front) -> None:
    """150 here; 500 by `python -m benchmarks.charts_at_once`."""
    before = shared.counted()
    bodies = [opened(prefetch=prefetch(document(f"takes 50 ms, chart {number}"))) for number in range(150)]
    answers = call_at_once(shared.port, bodies)
    all_in_time(answers)
    assert shared.counted() == before + 150
    assert {answer.reason for answer in answers if answer.state == "degraded"} <= {"overloaded", "deadline"}
    assert any(answer.state == "answered" for answer in answers)
    asked_again(shared, "after the storm")


def all_in_time(answers: list[Answered]) -> None:
    assert {answer.status for answer in answers} == {200}
    assert max(answer.seconds for answer in answers) < DEADLINE_SECONDS + GRACE_SECONDS


def test_g05_a_redis_that_refuses_and_is_restarted(own: Front) -> None:
    old = own.queue.server
    old.stop()
    refused = own.ask("while it is away")
    assert (refused.state, refused.reason) == ("degraded", "queue-unavailable")
    assert refused.seconds < 0.5
    assert own.http.get("/readyz").status_code == 200, "it still answers calls"
    before = own.counted("degraded", "queue-unavailable")
    assert own.ask("and again").reason == "queue-unavailable"
    assert own.counted("degraded", "queue-unavailable") == before + 1
    own.queue.server = LocalRedis(old.server, port=old.port, password=old.password)
    asked_again(own, "restarted and empty")  # G7
    assert own.worker.process.poll() is None


def test_g06_a_frozen_redis(own: Front) -> None:
    os.kill(own.queue.server.pid, signal.SIGSTOP)
    frozen = own.ask("frozen")
    assert (frozen.state, frozen.reason) == ("degraded", "queue-unavailable")
    assert frozen.seconds < 0.6, "half a second for the row, a tenth for HTTP"
    assert own.ask("still frozen").seconds < 0.3
    os.kill(own.queue.server.pid, signal.SIGCONT)
    asked_again(own, "thawed")


def test_g06_a_redis_that_freezes_in_the_middle_of_a_call(own: Front) -> None:
    threading.Timer(0.3, os.kill, (own.queue.server.pid, signal.SIGSTOP)).start()
    assert own.ask("takes 900 ms").reason in ("deadline", "queue-unavailable")
    os.kill(own.queue.server.pid, signal.SIGCONT)


def test_g08_g12_notes_that_kill_their_worker_and_the_worker_that_is_left_does_not_try_again(own: Front) -> None:
    """Each death is a deadline in time; the third worker meets the chart's record and leaves it unread."""
    for _ in range(2):
        assert own.ask("kills").reason == "deadline"
        assert own.worker.process.wait(5) == -signal.SIGKILL
        own.queue.start_worker()
    assert own.ask("kills").reason == "reader-failed"
    assert own.worker.process.poll() is None
    assert own.ask("the next one").state == "answered"


def test_g09_killed_and_hung_workers_are_deadlines_in_time_and_told(own: Front) -> None:
    worker = own.worker.process
    os.kill(worker.pid, signal.SIGSTOP)
    assert own.ask("hung").reason == "deadline"
    worker.kill()
    assert own.ask("dead").reason == "deadline"
    assert own.http.get("/readyz").json()["workers"] in ("alive", "silent")
    own.queue.start_worker()
    asked_again(own, "replaced")


def test_g13_the_same_call_twice_at_once_is_one_card(shared: Front, tmp_path: Path) -> None:
    body = opened(prefetch=prefetch(document(f"touches {tmp_path}/marks takes 100 ms")))
    one, other = call_at_once(shared.port, [body, body])
    assert one.body == other.body
    assert one.body["cards"]
    assert (tmp_path / "marks").read_text() == "x"


def test_g14_what_nobody_waits_for_any_more_does_not_hold_up_the_next_call(own: Front) -> None:
    worker = own.worker.process
    os.kill(worker.pid, signal.SIGSTOP)
    slow = [opened(prefetch=prefetch(document(f"takes 900 ms {number}"))) for number in range(8)]
    assert {answer.reason for answer in call_at_once(own.port, slow)} == {"deadline"}
    os.kill(worker.pid, signal.SIGCONT)
    time.sleep(0.3)  # a moment to look at those that are too late: none is read while a fresh one waits
    asked_again(own, "fresh", seconds=4)


def test_g16_a_worker_with_another_model_answers_anew(own: Front) -> None:
    old_model = own.ask("read by two models").body["cards"][0]
    own.worker.stop()
    own.queue.start_worker(PLAIN_MODEL="newer+111111111111")
    new_model = own.ask("read by two models").body["cards"][0]
    assert "plain+000000000000" in str(old_model["extension"])
    assert "newer+111111111111" in str(new_model["extension"])
    own.worker.stop()
    with own.queue.redis() as client:
        client.set(MODEL_VERSION_NAME, "third+222222222222")
    assert own.ask("read by two models").body["cards"] == [], "neither a kept answer nor a last card of another model"
