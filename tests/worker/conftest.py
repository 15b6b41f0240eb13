"""A real Redis on a free port and real worker processes for the tests of this folder."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest
import redis

from nlp_core.chart import Chart
from nlp_core.note import Note
from worker.client import Reading
from worker.local_redis import LocalRedis, ensure_server
from worker.messages import MODEL_VERSION_NAME
from worker.payloads import new_queue_key
from worker.queue_client import QueueClient
from worker.settings import WorkerSettings

ROOT = Path(__file__).resolve().parents[2]
T = TypeVar("T")


def chart_of(*texts: str) -> Chart:
    """A chart with one note per text, newest first."""
    notes = tuple(Note(reference=f"DocumentReference/{i}", text=text) for i, text in enumerate(texts))
    return Chart(as_of=datetime(2026, 11, 23, 9, 30, tzinfo=UTC), age_years=54.3, sex="female", notes=notes)


@dataclass
class Worker:
    """A running worker process."""

    process: subprocess.Popen[bytes]
    log_file: Path

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


@dataclass
class Queue:
    """A Redis of its own with whatever workers a test starts on it."""

    server: LocalRedis
    folder: Path
    key: str = field(default_factory=new_queue_key)
    workers: list[Worker] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        return {"DXSPAN_REDIS_URL": self.server.url, "DXSPAN_QUEUE_KEY": self.key}

    def settings(self, **changes: object) -> WorkerSettings:
        values = {"redis_url": self.server.url, "queue_key": self.key, **changes}
        return WorkerSettings.model_validate(values)

    def redis(self) -> redis.Redis:
        return redis.Redis.from_url(self.server.url)

    def start_worker(self, *, module: str = "tests.worker.app_with_plain_reader", **variables: str) -> Worker:
        """Start a worker and wait until it has announced its model. `module`: `worker` is the one that is shipped."""
        with self.redis() as client:
            client.delete(MODEL_VERSION_NAME)
            log_file = self.folder / f"worker-{len(self.workers)}.log"
            with log_file.open("wb") as log:
                process = subprocess.Popen(
                    [sys.executable, "-m", module],
                    env=os.environ | self.environment | variables,
                    cwd=ROOT,
                    stdout=log,
                    stderr=log,
                )
            worker = Worker(process, log_file)
            self.workers.append(worker)
            wait_for(lambda: bool(client.exists(MODEL_VERSION_NAME)) or process.poll() is not None, seconds=60)
        assert process.poll() is None, worker.log
        return worker

    def close(self) -> None:
        for worker in self.workers:
            worker.stop()
        self.server.stop()


def wait_for(happens: Callable[[], bool], *, seconds: float) -> None:
    """Poll until `happens()`; fails the test after `seconds`."""
    until = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < until, f"waited {seconds} s in vain"
        time.sleep(0.01)


def ask(settings: WorkerSettings, work: Callable[[QueueClient], Awaitable[T]], **options: object) -> T:
    """Run `work` with a client of its own in an event loop of its own."""

    async def run() -> T:
        client = QueueClient(settings, **options)  # type: ignore[arg-type]  # passed on as they are
        try:
            return await work(client)
        finally:
            await client.close()

    return asyncio.run(run())


def read(settings: WorkerSettings, chart: Chart, *, seconds: float = 5.0, tenant: str = "north") -> Reading:
    """One reading by a client of its own."""
    return ask(settings, lambda client: client.read(chart, tenant=tenant, deadline=time.monotonic() + seconds))


@pytest.fixture
def own_queue(tmp_path: Path) -> Iterator[Queue]:
    """A Redis for one test, which may freeze or kill it."""
    queue = Queue(LocalRedis(ensure_server()), tmp_path)
    yield queue
    queue.close()


@pytest.fixture(scope="session")
def queue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Queue]:
    """A Redis with one worker, shared by the tests that break neither."""
    queue = Queue(LocalRedis(ensure_server()), tmp_path_factory.mktemp("queue"))
    queue.start_worker()
    yield queue
    queue.close()
