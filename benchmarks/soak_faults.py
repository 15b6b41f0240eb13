"""The faults of a soak: each breaks one part of a running stack and mends it again.

Knows processes and signals. A fault is a word, how it begins, and how it ends.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import redis

from worker.local_redis import LocalRedis, ensure_server, free_port
from worker.payloads import new_queue_key

ROOT = Path(__file__).resolve().parents[1]


@dataclass
class Stack:
    """Redis, workers and the web process, each of which a fault may replace."""

    log_folder: Path
    server: LocalRedis = field(default_factory=lambda: LocalRedis(ensure_server()))
    key: str = field(default_factory=new_queue_key)
    port: int = field(default_factory=free_port)
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    web: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        return {"DXSPAN_REDIS_URL": self.server.url, "DXSPAN_QUEUE_KEY": self.key}

    @property
    def logs(self) -> bytes:
        """Everything the processes have written so far."""
        return b"".join(path.read_bytes() for path in self.log_folder.glob("*.log"))

    def start(self, workers: int, web: Mapping[str, str]) -> None:
        for _ in range(workers):
            self.workers.append(self.start_worker())
        arguments = ["-m", "cds_hooks", "--port", str(self.port), "--development"]
        self.web = self._run("web", arguments, web)

    def start_worker(self) -> subprocess.Popen[bytes]:
        return self._run(f"worker-{time.monotonic_ns()}", ["-m", "benchmarks.soak", "--worker"], {})

    def close(self) -> None:
        for child in (*self.workers, self.web):
            if child:
                with suppress(ProcessLookupError):
                    os.kill(child.pid, signal.SIGCONT)
                child.kill()
                child.wait()
        self.server.stop()

    def _run(self, name: str, arguments: list[str], more: Mapping[str, str]) -> subprocess.Popen[bytes]:
        with (self.log_folder / f"{name}.log").open("wb") as log:
            environment = {**os.environ, **self.environment, **more}
            command = [sys.executable, *arguments]
            return subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log)


def freeze(stack: Stack) -> Callable[[], None]:
    os.kill(stack.server.pid, signal.SIGSTOP)
    return lambda: os.kill(stack.server.pid, signal.SIGCONT)


def restart(stack: Stack) -> Callable[[], None]:
    old = stack.server
    old.stop()

    def mend() -> None:
        stack.server = LocalRedis(old.server, port=old.port, password=old.password)

    return mend


def wipe(stack: Stack) -> Callable[[], None]:
    with redis.Redis.from_url(stack.server.url) as client:
        client.flushall()
    return lambda: None


def kill_worker(stack: Stack) -> Callable[[], None]:
    stack.workers[0].kill()
    stack.workers[0].wait()

    def mend() -> None:
        stack.workers[0] = stack.start_worker()

    return mend


def hang_worker(stack: Stack) -> Callable[[], None]:
    os.kill(stack.workers[0].pid, signal.SIGSTOP)
    return lambda: os.kill(stack.workers[0].pid, signal.SIGCONT)


FAULTS: dict[str, Callable[[Stack], Callable[[], None]]] = {
    "Redis frozen": freeze,
    "Redis restarted": restart,
    "Redis wiped": wipe,
    "worker killed": kill_worker,
    "worker hung": hang_worker,
}
