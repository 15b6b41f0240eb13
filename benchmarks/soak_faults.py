"""The stack of a soak, kept running as a service manager would, and the faults: each breaks one part and mends it again.

Knows processes and signals. A fault is a word, how it begins, and how it ends. A process that ends, killed by a fault or by
itself (a worker that takes no tasks any more), is started again a moment later.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import redis

from worker.local_redis import LocalRedis, ensure_server, free_port
from worker.payloads import new_queue_key

ROOT = Path(__file__).resolve().parents[1]
RESTART_SECONDS = 1.0
"""As `RestartSec` of a systemd unit."""
WEB = "web"


@dataclass
class Stack:
    """Redis, workers and the web process, each of which a fault may replace."""

    log_folder: Path
    server: LocalRedis = field(default_factory=lambda: LocalRedis(ensure_server()))
    key: str = field(default_factory=new_queue_key)
    port: int = field(default_factory=free_port)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    """By name: `web`, `worker 1`, ..."""
    ended: Counter[str] = field(default_factory=Counter)
    """How often a process ended and was started again, by name and exit status."""
    commands: dict[str, Callable[[], subprocess.Popen[bytes]]] = field(default_factory=dict)
    """What starts each of them."""
    enough: threading.Event = field(default_factory=threading.Event)
    """Set: nothing is started again."""

    @property
    def environment(self) -> dict[str, str]:
        return {"DXSPAN_REDIS_URL": self.server.url, "DXSPAN_QUEUE_KEY": self.key}

    @property
    def logs(self) -> bytes:
        """Everything the processes have written so far."""
        return b"".join(path.read_bytes() for path in self.log_folder.glob("*.log"))

    def start(self, workers: int, web: Mapping[str, str]) -> None:
        for number in range(1, workers + 1):
            name = f"worker {number}"
            self.commands[name] = partial(self._run, name, ["-m", "benchmarks.soak", "--worker"], {})
        self.commands[WEB] = partial(
            self._run, WEB, ["-m", "cds_hooks", "--port", str(self.port), "--development"], web
        )
        for name, command in self.commands.items():
            self.running[name] = command()

    def supervise(self, until: float) -> None:
        """Starts again whatever ends, until then (`time.monotonic()`)."""
        while time.monotonic() < until and not self.enough.is_set():
            for name, process in list(self.running.items()):
                if process.poll() is not None:
                    self.ended[f"{name}, status {process.returncode}"] += 1
                    self.enough.wait(RESTART_SECONDS)
                    self.running[name] = self.commands[name]()
            self.enough.wait(0.2)

    def close(self) -> None:
        for child in self.running.values():
            with suppress(ProcessLookupError):
                os.kill(child.pid, signal.SIGCONT)
            child.kill()
            child.wait()
        self.server.stop()

    def _run(self, name: str, arguments: list[str], more: Mapping[str, str]) -> subprocess.Popen[bytes]:
        with (self.log_folder / f"{name}-{time.monotonic_ns()}.log").open("wb") as log:
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
    stack.running["worker 1"].kill()  # `supervise` starts it again
    return lambda: None


def hang_worker(stack: Stack) -> Callable[[], None]:
    process = stack.running["worker 1"]
    os.kill(process.pid, signal.SIGSTOP)
    return lambda: os.kill(process.pid, signal.SIGCONT)


FAULTS: dict[str, Callable[[Stack], Callable[[], None]]] = {
    "Redis frozen": freeze,
    "Redis restarted": restart,
    "Redis wiped": wipe,
    "worker killed": kill_worker,
    "worker hung": hang_worker,
}
