"""How long a reading that does nothing takes through the queue, beside a bare Redis round trip and a plain Celery task.

Knows a Redis and workers of its own on this machine, and three ways of the same 8 kB there and back. Bare: push to a
process that pops and pushes back, pop. Plain: the shortest Celery task that acknowledges late, its text in clear.
Queue: the whole of `QueueClient.read`, with look-up, sealing, Celery, opening and reply. Steps: the same steps in Redis, sealed the
same, noted as being worked on and acknowledged late, by a loop without Celery: what of the queue's time is our own asking.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import secrets
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import redis
import redis.asyncio
from celery import Celery

from benchmarks import queue_steps
from benchmarks.asked_nothing import AskedNothing
from benchmarks.section import Aim, Options, Section, alone
from nlp_core.assessment import Assessment
from nlp_core.chart import Chart
from nlp_core.note import Note
from worker.__main__ import main as worker_main
from worker.local_redis import LocalRedis, ensure_server
from worker.payloads import new_queue_key
from worker.queue_client import QueueClient
from worker.settings import QueueSettings

TURNS = 500
WARM_UP = 50
IN_A_ROW = 25
TEXT = "x" * 8_000
ROLES = ("--echo", "--plain", "--worker", "--steps")
AIM = 4.0
"""Times a bare round trip."""


class NoOpReader(AskedNothing):
    """Reads nothing, at once."""

    model_version = "no-op+000000000000"

    def assess(self, chart: Chart, *, deadline: float | None = None) -> Assessment:
        del deadline
        return Assessment(
            language="en", notes_read=len(chart.notes), model_version=self.model_version, knowledge_version="none"
        )


def measure(turns: int = TURNS) -> dict[str, float]:
    """Milliseconds at the median by way, `queue p95`, and the ratios of the queue's median to the others."""
    with LocalRedis(ensure_server()) as server:
        settings = QueueSettings.model_validate({"redis_url": server.url, "queue_key": new_queue_key()})
        helpers = [_start(settings, role) for role in ROLES]
        try:
            return asyncio.run(_measure(settings, turns))
        finally:
            for helper in helpers:
                helper.kill()


async def _measure(settings: QueueSettings, turns: int) -> dict[str, float]:
    client = QueueClient(settings)
    bare = redis.asyncio.Redis.from_url(settings.redis_url.get_secret_value(), socket_timeout=None)
    plain = _plain_app(settings.redis_url.get_secret_value())
    steps = queue_steps.store(settings)
    charts = map(_chart, itertools.count())
    same = _chart(-1)
    ways: dict[str, Callable[[], Awaitable[None]]] = {
        "bare": lambda: _there_and_back(bare),
        "plain": lambda: _plain_task(plain, bare),
        "queue": lambda: _read(client, next(charts)),
        "steps": lambda: queue_steps.read(steps, settings.sealer, next(charts)),
        "cached": lambda: _read(client, same),
    }
    try:
        times = await _timed(ways, turns)
    finally:
        await client.close()
        await steps.close()
        await bare.aclose()
    figures = {f"{name} p50": statistics.median(values) for name, values in times.items()}
    figures["queue p95"] = statistics.quantiles(times["queue"], n=20)[18]
    figures["queue / bare"] = figures["queue p50"] / figures["bare p50"]
    figures["plain / bare"] = figures["plain p50"] / figures["bare p50"]
    figures["steps / bare"] = figures["steps p50"] / figures["bare p50"]
    figures["queue / plain"] = figures["queue p50"] / figures["plain p50"]
    return figures


async def _timed(ways: Mapping[str, Callable[[], Awaitable[None]]], turns: int) -> dict[str, list[float]]:
    """Milliseconds of each of `turns` by way, after some that do not count; the ways take turns, so noise hits them alike."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(-(-(turns + WARM_UP) // IN_A_ROW)):
        for name, once in ways.items():
            for _ in range(IN_A_ROW):
                begun = time.perf_counter()
                await once()
                times[name].append((time.perf_counter() - begun) * 1000)
    return {name: values[WARM_UP:] for name, values in times.items()}


async def _there_and_back(client: redis.asyncio.Redis) -> None:
    await client.lpush("bare:there", TEXT)
    await client.blpop(["bare:back"], 30)


async def _plain_task(app: Celery, client: redis.asyncio.Redis) -> None:
    reply = secrets.token_hex(8)
    app.send_task("plain", [reply, TEXT])
    await client.blpop([reply], 30)


async def _read(client: QueueClient, chart: Chart) -> None:
    reading = await client.read(chart, tenant="north", deadline=time.monotonic() + 30)
    if reading.assessment is None:
        raise RuntimeError(f"the queue did not answer: {reading.degraded}")


def _chart(turn: int) -> Chart:
    note = Note(reference="DocumentReference/1", text=f"{turn} {TEXT}")
    return Chart(as_of=datetime(2026, 11, 23, tzinfo=UTC), notes=(note,))


def _plain_app(url: str) -> Celery:
    app = Celery("plain", broker=url, set_as_current=False)
    app.conf.update(task_ignore_result=True, task_acks_late=True, worker_prefetch_multiplier=1)
    return app


def _start(settings: QueueSettings, role: str) -> subprocess.Popen[bytes]:
    variables = {
        "DXSPAN_REDIS_URL": settings.redis_url.get_secret_value(),
        "DXSPAN_QUEUE_KEY": settings.queue_key.get_secret_value(),
    }
    command = [sys.executable, "-m", "benchmarks.queue_round_trip", role]
    return subprocess.Popen(command, env=os.environ | variables, stderr=subprocess.DEVNULL)


def _help(role: str) -> int:
    """What a helping process does until it is killed."""
    if role == "--worker":
        return worker_main([], load_reader=NoOpReader)
    if role == "--steps":
        queue_steps.work(QueueSettings.from_environment(), NoOpReader())
    url = os.environ["DXSPAN_REDIS_URL"]
    client = redis.Redis.from_url(url, socket_timeout=None)
    if role == "--plain":
        app = _plain_app(url)

        def plain(reply: str, text: str) -> None:
            client.rpush(reply, text)

        app.task(plain, name="plain")
        app.finalize()
        options: dict[str, Any] = {"without_gossip": True, "without_mingle": True, "without_heartbeat": True}
        app.Worker(pool="solo", loglevel="ERROR", quiet=True, **options).start()
    while True:
        popped = client.brpop(["bare:there"], 0)
        client.lpush("bare:back", popped[1] if popped else b"")


def section(options: Options) -> Section:
    """Measures, and says it."""
    figures = measure(options.times(TURNS, 20))
    lines = [
        "A reading that does nothing, 8 kB of notes, through Redis and a worker, one after another. Bare: a Redis round trip between two",
        "processes (push, pop, push, pop). Plain: the shortest Celery task that acknowledges late, its text in clear. Steps: all that the",
        "queue asks of Redis, sealed the same and acknowledged late, by a loop without Celery. Cached: an answer that is kept. Medians.",
        "",
        "| figure | value |",
        "|---|---:|",
        *(f"| {name} | {value:.2f}{'' if '/' in name else ' ms'} |" for name, value in figures.items()),
    ]
    return Section("The queue", lines, [Aim("queue, times a bare round trip", figures["queue / bare"], AIM)])


if __name__ == "__main__":
    helping = len(sys.argv) > 1 and sys.argv[1] in ROLES
    sys.exit(_help(sys.argv[1]) if helping else alone(section, __doc__))
