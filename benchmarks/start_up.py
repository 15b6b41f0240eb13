"""Start-up time and resident memory of the web process (with and without a queue) and of a worker.

Beside them stands a bare Python that imports FastAPI and uvicorn, started in the same run.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

from benchmarks.processes import process, resident_mib, seconds_until_answers
from benchmarks.section import Options, Section, alone
from benchmarks.service import START_SECONDS, wait_until
from worker.local_redis import LocalRedis, ensure_server, free_port
from worker.payloads import new_queue_key


@dataclass(frozen=True, slots=True)
class StartUp:
    """Seconds until it answers, and MiB resident then."""

    what: str
    seconds: float
    memory_mib: float


def measure() -> list[StartUp]:
    """One start of each kind."""
    with LocalRedis(ensure_server()) as redis, tempfile.TemporaryDirectory() as folder:
        queue = {"DXSPAN_REDIS_URL": redis.url, "DXSPAN_QUEUE_KEY": new_queue_key()}
        lone = {"DXSPAN_FEEDBACK_DATABASE_URL": "sqlite://", "DXSPAN_AUDIT_FOLDER": folder}
        return [
            _bare(),
            _web("web process, queue configured: answers /healthz", {**queue, **lone}, "/healthz"),
            _web("web process, reading in process: ready to read", lone, "/readyz"),
            _worker("worker: a canary task is answered", queue),
        ]


def _bare() -> StartUp:
    port = free_port()
    with process(["-m", "benchmarks.serve_echo", str(port)]) as pid:
        seconds = seconds_until_answers(f"http://127.0.0.1:{port}/healthz", START_SECONDS)
        return StartUp("bare FastAPI: answers /healthz", seconds, resident_mib(pid))


def _web(what: str, environment: dict[str, str], path: str) -> StartUp:
    port = free_port()
    with process(["-m", "cds_hooks", "--port", str(port), "--development"], environment) as pid:
        seconds = seconds_until_answers(f"http://127.0.0.1:{port}{path}", START_SECONDS)
        return StartUp(what, seconds, resident_mib(pid))


def _worker(what: str, environment: dict[str, str]) -> StartUp:
    with process(["-m", "worker"], environment) as pid:
        began = time.perf_counter()
        check = [sys.executable, "-m", "worker", "--check"]
        # It gives up after some seconds, in which a busy machine may not have loaded the model.
        wait_until(
            lambda: not subprocess.run(check, env={**os.environ, **environment}, capture_output=True).returncode,
            START_SECONDS,
        )
        return StartUp(what, time.perf_counter() - began, resident_mib(pid))


def section(_: Options) -> Section:
    """Measures, and says it."""
    rows = [f"| {one.what} | {one.seconds:.2f} | {one.memory_mib:.0f} MiB |" for one in measure()]
    return Section("Start-up", ["| process | seconds | resident |", "|---|---:|---:|", *rows])


if __name__ == "__main__":
    sys.exit(alone(section, __doc__))
