"""Questions about a chart through a real Redis and a real worker, and in this process: answered, or said why not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.worker.conftest import Queue, ask, chart_of
from tests.worker.plain_reader import PlainReader
from worker.client import Answered, AskingClient
from worker.in_process_client import InProcessClient
from worker.local_redis import LocalRedis, ensure_server
from worker.messages import KEY_PREFIX

SECRET = "Canary-dry cough"


def asked(queue: Queue, question: str, *texts: str, seconds: float = 5.0, **options: object) -> Answered:
    return ask(queue.settings(), lambda it: put(it, question, *texts, seconds=seconds), **options)


async def put(client: AskingClient, question: str, *texts: str, seconds: float = 5.0) -> Answered:
    return await client.ask(question, chart_of(*texts), tenant="north", deadline=time.monotonic() + seconds)


def said_why(answered: Answered) -> str | None:
    """A reader that stops just in time says how much it left: the same as no answer in time."""
    late = answered.answer and answered.answer.notes_unread
    return "deadline" if late else answered.degraded


@pytest.fixture(scope="module")
def working(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Queue]:
    folder = tmp_path_factory.mktemp("questions")
    queue = Queue(LocalRedis(ensure_server()), folder)
    queue.start_worker()
    yield queue
    queue.close()


def test_a_worker_answers_in_the_chart_s_words(working: Queue) -> None:
    found = asked(working, SECRET, "nothing here", f"{SECRET} since Monday").answer
    assert found is not None
    assert (found.found_in, found.quote, found.reference) == ("chart", SECRET, "DocumentReference/1")


def test_what_the_notes_do_not_hold_is_answered_nowhere(working: Queue) -> None:
    found = asked(working, "fever", SECRET).answer
    assert found is not None
    assert (found.found_in, found.notes_read) == ("nowhere", 1)


def test_neither_question_nor_chart_nor_answer_is_readable_or_kept(working: Queue) -> None:
    asked(working, SECRET, SECRET)
    with working.redis() as client:
        names = [name.decode() for name in client.keys(f"{KEY_PREFIX}*")]
    assert not [name for name in names if ":question:" in name or ":reply:" in name]
    assert "Canary" not in working.workers[0].log


@pytest.mark.parametrize(
    ("text", "seconds", "why"), [("takes 3000 ms", 0.3, "deadline"), ("fails", 5.0, "reader-failed")]
)
def test_a_question_that_could_not_be_answered_says_why(working: Queue, text: str, seconds: float, why: str) -> None:
    begun = time.monotonic()
    assert said_why(asked(working, "fever", text, seconds=seconds)) == why
    assert time.monotonic() - begun < seconds + 2


def test_without_redis_the_reader_of_this_process_answers(tmp_path: Path) -> None:
    queue = Queue(LocalRedis(ensure_server()), tmp_path)
    queue.close()
    assert asked(queue, "fever", "a note").degraded == "queue-unavailable"

    async def with_spare() -> Answered:
        from worker.queue_client import QueueClient

        spare = InProcessClient(load_reader=PlainReader)
        client = QueueClient(queue.settings(), fallback=spare)
        try:
            assert (await put(client, SECRET, SECRET)).degraded == "queue-unavailable"
            while not spare.ready:
                await asyncio.sleep(0.01)
            return await put(client, SECRET, SECRET)
        finally:
            await client.close()

    found = asyncio.run(with_spare()).answer
    assert found is not None
    assert found.quote == SECRET


@pytest.mark.parametrize(
    ("text", "seconds", "why"), [("takes 900 ms", 0.2, "deadline"), ("fails", 5.0, "reader-failed")]
)
def test_in_this_process_a_question_that_could_not_be_answered_says_why(text: str, seconds: float, why: str) -> None:
    async def run() -> tuple[Answered, Answered]:
        client = InProcessClient(load_reader=PlainReader)
        first = await put(client, "fever", text)
        while not client.ready:
            await asyncio.sleep(0.01)
        second = await put(client, "fever", text, seconds=seconds)
        await client.close()
        return first, second

    first, second = asyncio.run(run())
    assert first.degraded == "loading"
    assert said_why(second) == why
