"""The product's processes in a folder of their own, each writing to a file there, and everything Redis is told."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import redis

from worker.local_redis import LocalRedis

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 90.0


def wait_until(happens: Callable[[], bool], what: str, *, pause: float = 0.05) -> None:
    until = time.monotonic() + PATIENCE
    while not happens():
        assert time.monotonic() < until, f"waited in vain: {what}"
        time.sleep(pause)


def wait_until_it_answers(url: str) -> None:
    def answers() -> bool:
        with suppress(httpx.TransportError):
            return httpx.get(f"{url}/healthz", trust_env=False).status_code == 200
        return False

    wait_until(answers, url)


class Processes:
    """Starts them in `folder/work`, with `folder/logs` for their output; `close` kills what is left."""

    def __init__(self, folder: Path) -> None:
        self.work, self._logs = folder / "work", folder / "logs"
        for made in (self.work, self._logs):
            made.mkdir()
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, name: str, arguments: list[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        clean = {key: value for key, value in os.environ.items() if not key.startswith("DXSPAN_")}
        own = {"PYTHONPATH": str(ROOT), "TMPDIR": str(self.work), "HOME": str(self.work), **environment}
        with (self._logs / name).open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                env=clean | own,
                cwd=self.work,
                stdout=log,
                stderr=log,
                preexec_fn=allow_core_files,
            )
        self.running.append(process)
        return process

    def web(self, name: str, url: str, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """A dxspan-serve at `url`."""
        return self.start(name, ["-m", "cds_hooks", "--port", url.rpartition(":")[2]], environment)

    def close(self) -> None:
        for process in self.running:
            process.kill()
            process.wait()


def allow_core_files() -> None:
    """As careless as a machine can be: what then keeps a crash from writing its memory is the product itself."""
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


@contextmanager
def every_command(server: LocalRedis) -> Iterator[list[str]]:
    """What Redis is told meanwhile, by MONITOR; the server may die before the end."""
    seen: list[str] = []
    with redis.Redis.from_url(server.url, socket_timeout=None) as client, client.monitor() as monitor:

        def collect() -> None:
            with suppress(redis.RedisError, OSError, ValueError):
                for command in monitor.listen():
                    seen.append(f"{command['command']}")

        threading.Thread(target=collect, daemon=True).start()
        yield seen
