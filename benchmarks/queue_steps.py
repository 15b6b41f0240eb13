"""The queue's steps in Redis without Celery: look up, seal, push; pop, note, fetch, answer, acknowledge; wait for the reply.

Knows the stores of both sides as they are and leaves out what Celery adds between them: composing, its loop and its tracing.
For comparison alone: nobody brings a task back whose worker died here.
"""

from __future__ import annotations

import secrets
import time
from typing import NoReturn

from nlp_core.chart import Chart
from worker.chart_digest import chart_digest, chart_json
from worker.chart_store import ChartStore
from worker.composed_task import TaskComposer
from worker.kept_answers import chart_mark
from worker.loaded_model import ChartReader
from worker.messages import KEY_PREFIX, Message, ReadRequest
from worker.payloads import Sealer
from worker.queue_store import QueueStore
from worker.redis_connection import async_redis, blocking_redis
from worker.settings import QueueSettings

LIST = f"{KEY_PREFIX}steps"
NOTED, NOTED_SINCE = f"{LIST}:noted", f"{LIST}:noted-since"
LIFE_MS = 30_000


class PlainMessages(TaskComposer):
    """A message is the request itself."""

    events = ()

    def __init__(self) -> None:
        """Without Celery."""

    def compose(self, task: str, message: Message, *, queue: str) -> tuple[str, str]:
        del task, queue
        return LIST, message.model_dump_json()


def store(settings: QueueSettings) -> QueueStore:
    """The web process's side."""
    return QueueStore(async_redis(settings, connections=8), settings.sealer, PlainMessages())


async def read(through: QueueStore, sealer: Sealer, chart: Chart) -> None:
    """One chart there and back. Raises RuntimeError where no answer came."""
    mark = chart_mark(sealer, "north", chart_digest(chart))
    await through.look_up("north", mark)
    request = ReadRequest(
        reading=secrets.token_hex(16), tenant="north", chart_mark=mark, wait_ms=LIFE_MS, life_ms=LIFE_MS
    )
    await through.hand_over(request, chart_json(chart))
    if await through.reply(request, time.monotonic() + LIFE_MS / 1000) is None:
        raise RuntimeError("no reply came")


def work(settings: QueueSettings, reader: ChartReader) -> NoReturn:
    """The worker's side, until the process is killed."""
    client = blocking_redis(settings)
    desk = ChartStore(client, settings.sealer, cache_seconds=settings.cache_seconds)
    while True:
        popped = client.brpop([LIST], 1)
        if not popped:
            continue
        request = ReadRequest.model_validate_json(popped[1])
        with client.pipeline() as pipe:
            pipe.zadd(NOTED_SINCE, {request.reading: time.time()})
            pipe.hset(NOTED, request.reading, popped[1])
            pipe.execute()
        picked = desk.pick_up(request, reader.model_version)
        if picked and isinstance(picked.content, Chart):
            desk.answer(request, reader.assess(picked.content))
        with client.pipeline() as pipe:
            pipe.zrem(NOTED_SINCE, request.reading)
            pipe.hdel(NOTED, request.reading)
            pipe.execute()
