"""`dxspan-worker`: starts a worker, or with --check asks whether one is alive.

Knows the command line and what to say when something is missing. The worker itself is Celery's.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence
from typing import Any

import redis
from celery import Celery, signals
from pydantic import ValidationError

from worker.app import create_celery_app
from worker.broker import celery_queue
from worker.crash_output import keep_crashes_quiet
from worker.json_log import set_up_log
from worker.loaded_model import LoadReader
from worker.messages import FRESH_QUEUE, KEY_PREFIX, LATER_QUEUE
from worker.own_canary import OwnCanary, own_queue, watch_itself
from worker.queue_client import QueueClient
from worker.redis_connection import blocking_redis
from worker.settings import QueueSettings, WorkerSettings
from worker.tracing import end_tracing, start_tracing

log = logging.getLogger("worker")

MISSING = 2
"""Exit status when a setting or Redis is missing."""


def main(arguments: Sequence[str] | None = None, *, load_reader: LoadReader | None = None) -> int:
    """Returns the exit status: 0 ended as asked, 1 no worker alive (--check), 2 a setting or Redis is missing."""
    parser = argparse.ArgumentParser(
        prog="dxspan-worker",
        description="Reads charts from the queue. Needs DXSPAN_REDIS_URL and DXSPAN_QUEUE_KEY (docs/queue.md).",
    )
    parser.add_argument("--check", action="store_true", help="send a canary task through the workers, then end")
    options = parser.parse_args(arguments)
    set_up_log(sys.stderr)
    keep_crashes_quiet()
    try:
        return (
            check(QueueSettings.from_environment())
            if options.check
            else work(WorkerSettings.from_environment(), load_reader)
        )
    except ValidationError as invalid:
        print(_explained(invalid), file=sys.stderr)
        return MISSING


def check(settings: QueueSettings, *, seconds: float = 10.0) -> int:
    """0 when a worker took a task within `seconds`, else 1. For liveness probes: a ping would not tell."""

    async def ask() -> float | None:
        client = QueueClient(settings)
        try:
            return await client.canary(seconds=seconds)
        finally:
            await client.close()

    took = asyncio.run(ask())
    if took is None:
        print(f"no worker took a task within {seconds:.0f} s")
        return 1
    print(f"a worker answered in {took * 1000:.0f} ms")
    return 0


def work(settings: WorkerSettings, load_reader: LoadReader | None = None) -> int:
    """Run a worker until it is told to stop; returns its exit status."""
    try:
        _greet(blocking_redis(settings, seconds=2.0), settings)
    except redis.RedisError as fault:
        place = settings.redis_place
        print(
            f"dxspan-worker: Redis at {place} does not answer ({type(fault).__name__}), see DXSPAN_REDIS_URL",
            file=sys.stderr,
        )
        return MISSING
    _offer_metrics(settings)
    if settings.tracing:
        start_tracing("dxspan-worker", settings.sealer)
    app = create_celery_app(settings, load_reader)
    app.finalize()
    own = watched_queue(app, settings)
    queues = [own, FRESH_QUEUE] if settings.worker_queues == "fresh" else [own, FRESH_QUEUE, LATER_QUEUE]
    worker = app.Worker(
        queues=queues,
        pool=settings.worker_pool,
        concurrency=settings.worker_concurrency,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=not settings.task_events,
        task_events=settings.task_events,
        loglevel="WARNING",
        quiet=True,
    )
    worker.start()
    end_tracing()
    return int(worker.exitcode or 0)


def watched_queue(app: Celery, settings: WorkerSettings) -> str:
    """A queue of this worker alone, first in its order, through which it watches itself from when it is ready."""
    queue = own_queue()
    app.amqp.queues.add(celery_queue(queue))

    def begin(**_: Any) -> None:
        watch_itself(OwnCanary(blocking_redis(settings), app, queue))

    signals.worker_ready.connect(begin, weak=False)
    return queue


def _greet(client: redis.Redis, settings: WorkerSettings) -> None:
    """The banner. Raises Redis's errors when it does not answer."""
    version = client.info("server")["redis_version"]
    log.info("dxspan-worker: Redis %s at %s, keys %s*", version, settings.redis_place, KEY_PREFIX)
    log.info("pool %s of %d, queues %s", settings.worker_pool, settings.worker_concurrency, settings.worker_queues)
    log.info("sealed charts stay %d s at most, answers %d s", settings.payload_seconds, settings.cache_seconds)
    if settings.travels_in_clear:
        log.warning("Redis is reached without TLS: passwords cross the network in clear; use rediss:// (docs/queue.md)")


def _offer_metrics(settings: WorkerSettings) -> None:
    if settings.worker_metrics_port:
        from prometheus_client import start_http_server

        address = settings.worker_metrics_address
        start_http_server(settings.worker_metrics_port, addr=address)
        log.info("metrics at http://%s:%d/metrics", address, settings.worker_metrics_port)


def _explained(invalid: ValidationError) -> str:
    """One line per setting, without its value."""
    lines = ["dxspan-worker cannot start:"]
    for error in invalid.errors(include_input=False, include_url=False):
        lines.append(f"  DXSPAN_{'_'.join(map(str, error['loc'])).upper()}: {error['msg']}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
