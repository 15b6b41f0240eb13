"""The real service for a benchmark: Redis, workers and web processes that ask an EHR for signed tokens.

Knows how to start and stop them and when the workers have nothing left to do. Everything runs on this machine, with
the feedback database and the audit trail as files of a temporary folder, as in an installation of one machine.
"""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis

from benchmarks.calls_at_once import Answered
from benchmarks.ehr import Ehr
from benchmarks.processes import ended, process, seconds_until_answers, wait_until_idle
from benchmarks.steady_calls import Timed, call_steadily
from worker.local_redis import LocalRedis, ensure_server, free_port
from worker.messages import FRESH_QUEUE, KEY_PREFIX, LATER_QUEUE, MODEL_VERSION_NAME
from worker.payloads import new_queue_key

START_SECONDS = 240.0
"""Loading a model takes seconds, on a busy machine a minute."""


@dataclass(frozen=True, slots=True)
class Web:
    """A web process and how to call it."""

    port: int
    pid: int
    ehr: Ehr

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def signed(self, bodies: list[dict[str, Any]]) -> list[bytes]:
        return self.ehr.signed(bodies, self.base_url)

    def call(self, body: dict[str, Any]) -> Timed:
        """One call, alone."""
        return call_steadily(self.port, self.signed([body]), 1.0)[0]


@dataclass
class Service:
    """What is running."""

    running: ExitStack
    folder: Path
    queue: dict[str, str]
    redis: redis.Redis
    ehr: Ehr = field(init=False)

    def __post_init__(self) -> None:
        self.ehr = Ehr(self.folder)

    def start_worker(self, environment: dict[str, str] | None = None, *, core: int | None = None) -> int:
        """Start one, on `core` alone, and wait until it has loaded its model; its process id."""
        self.redis.delete(MODEL_VERSION_NAME)
        pid = self.running.enter_context(process(["-m", "worker"], self.queue | (environment or {}), core=core))
        wait_until(lambda: bool(self.redis.exists(MODEL_VERSION_NAME)), START_SECONDS)
        return pid

    def start_web(self, environment: dict[str, str] | None = None) -> Web:
        """Start one and wait until it is ready and has loaded what it loads beside serving."""
        port = free_port()
        base = f"http://127.0.0.1:{port}"
        folder = self.folder / str(port)
        folder.mkdir()
        settings = {
            "DXSPAN_FEEDBACK_DATABASE_URL": f"sqlite:///{folder}/feedback.db",
            "DXSPAN_AUDIT_FOLDER": str(folder / "audit"),
            "DXSPAN_CALLS_PER_SECOND": "0",
        }
        environment = self.queue | self.ehr.environment(base) | settings | (environment or {})
        pid = self.running.enter_context(process(["-m", "cds_hooks", "--port", str(port)], environment))
        seconds_until_answers(f"{base}/readyz", START_SECONDS)
        wait_until_idle(pid)
        return Web(port, pid, self.ehr)

    def stop(self, pid: int) -> None:
        """End a worker as a service manager would, and wait until it is gone."""
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: ended(pid), START_SECONDS)

    @property
    def redis_url(self) -> str:
        return self.queue["DXSPAN_REDIS_URL"]

    @property
    def queue_key(self) -> str:
        return self.queue["DXSPAN_QUEUE_KEY"]

    def wait_for_idle_workers(self, seconds: float = 60.0) -> None:
        """Until no chart waits or is being read. Raises TimeoutError."""
        lists = [f"{KEY_PREFIX}{queue}" for queue in (FRESH_QUEUE, LATER_QUEUE)]
        wait_until(
            lambda: not any(self.redis.llen(name) for name in lists) and not self.redis.hlen(f"{KEY_PREFIX}unacked"),
            seconds,
        )


@contextmanager
def service() -> Iterator[Service]:
    """A Redis of its own, nothing else started yet."""
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalRedis(ensure_server()) as server,
        redis.Redis.from_url(server.url) as client,
        ExitStack() as running,
    ):
        queue = {"DXSPAN_REDIS_URL": server.url, "DXSPAN_QUEUE_KEY": new_queue_key()}
        yield Service(running, Path(folder), queue, client)


def state_of(answer: Timed) -> str:
    """`answered`, `silent`, `degraded`, or the status of anything but a 200."""
    answered = Answered(answer.status, answer.milliseconds / 1000, answer.body)
    return answered.state if answer.status == 200 else str(answer.status)


def wait_until(happens: Callable[[], bool], seconds: float) -> None:
    """Raises TimeoutError."""
    until = time.monotonic() + seconds
    while not happens():
        if time.monotonic() > until:
            raise TimeoutError(f"nothing happened for {seconds:.0f} s")
        time.sleep(0.02)
