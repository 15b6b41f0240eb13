"""Charts read per second by one worker and by two, in one run: one, then both, then the other alone.

Real workers, each bound to a core of its own, that remember no sentence; real readings of charts nobody has read. The sealed charts are put
into the queue at once, as the web process puts them there, and the time is taken until the last is answered.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.cold_charts import NO_MEMORY
from benchmarks.new_charts import ChartSource, NewChart
from benchmarks.processes import cpu_seconds
from benchmarks.section import Aim, Options, Section, alone
from benchmarks.service import Service, service
from worker.broker import broker_app
from worker.chart_digest import chart_digest, chart_json
from worker.composed_task import TaskComposer
from worker.kept_answers import chart_mark
from worker.messages import ReadRequest
from worker.queue_store import QueueStore
from worker.redis_connection import async_redis
from worker.settings import QueueSettings

CHARTS, NOTES = 40, 2
LIFE_SECONDS = 120
AIM = 1.8
"""Times the charts per second of one worker."""


@dataclass(frozen=True, slots=True)
class Drained:
    """One queue, read empty."""

    workers: int
    charts: int
    seconds: float
    cpu_seconds: float
    """Of all workers together."""

    @property
    def per_second(self) -> float:
        return self.charts / self.seconds


def measure(options: Options) -> list[Drained]:
    """One worker, two, the other one alone. Raises ValueError where a chart was not read."""
    source = ChartSource()
    charts = [source.new(NOTES) for _ in range(options.times(CHARTS, 4))]
    cores = sorted(os.sched_getaffinity(0))
    with service() as running:
        first = running.start_worker(NO_MEMORY, core=cores[0])
        _drain(running, [first], charts[:2])
        found = [_drain(running, [first], charts)]
        second = running.start_worker(NO_MEMORY, core=cores[-1])
        _drain(running, [first, second], charts[:4])
        found.append(_drain(running, [first, second], charts))
        running.stop(first)
        found.append(_drain(running, [second], charts))
    return found


def _drain(running: Service, workers: Sequence[int], charts: Sequence[NewChart]) -> Drained:
    settings = QueueSettings.model_validate({"redis_url": running.redis_url, "queue_key": running.queue_key})
    before = sum(map(cpu_seconds, workers))
    took = asyncio.run(_read_all(settings, charts))
    return Drained(len(workers), len(charts), took, sum(map(cpu_seconds, workers)) - before)


async def _read_all(settings: QueueSettings, charts: Sequence[NewChart]) -> float:
    store = QueueStore(
        async_redis(settings, connections=len(charts) + 1), settings.sealer, TaskComposer(broker_app(settings))
    )
    sealed = [(_asked(settings, one), one) for one in (chart.marked() for chart in charts)]
    try:
        begun = time.monotonic()
        for request, chart in sealed:
            await store.hand_over(request, chart_json(chart.chart()))
        replies = await asyncio.gather(*(store.reply(request, begun + LIFE_SECONDS) for request, _ in sealed))
        took = time.monotonic() - begun
    finally:
        await store.close()
    if any(reply is None or reply.assessment is None or reply.assessment.notes_unread for reply in replies):
        raise ValueError("a chart was not read to its end")
    return took


def _asked(settings: QueueSettings, chart: NewChart) -> ReadRequest:
    return ReadRequest(
        reading=secrets.token_hex(16),
        tenant="north",
        chart_mark=chart_mark(settings.sealer, "north", chart_digest(chart.chart())),
        wait_ms=LIFE_SECONDS * 1000,
        life_ms=LIFE_SECONDS * 1000,
    )


def section(options: Options) -> Section:
    """Measures, and says it."""
    found = measure(options)
    alone_rates = [drained.per_second for drained in found if drained.workers == 1]
    both = next(drained for drained in found if drained.workers == 2)
    ratio = both.per_second / (sum(alone_rates) / len(alone_rates))
    lines = [
        f"{found[0].charts} charts of {NOTES} notes of 3 kB that nobody has read, put into the queue at once; real workers, each bound",
        "to a core of its own, that remember no sentence. CPU a chart tells whether two workers hinder each other or whether others had the machine's cores.",
        "",
        "| workers | charts/s | CPU a chart |",
        "|---|---:|---:|",
        *(f"| {one.workers} | {one.per_second:.2f} | {1000 * one.cpu_seconds / one.charts:.0f} ms |" for one in found),
    ]
    return Section("More workers", lines, [Aim("charts/s of 2 workers, times those of 1", ratio, AIM, at_least=True)])


if __name__ == "__main__":
    sys.exit(alone(section, __doc__))
