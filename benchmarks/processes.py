"""Child processes under measurement: start, wait until they answer, CPU seconds, memory, stop."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

import httpx

_TICKS = os.sysconf("SC_CLK_TCK")


@contextmanager
def process(arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> Iterator[int]:
    """Runs this Python with `arguments`; yields its process id and stops it at the end."""
    child = subprocess.Popen(
        [sys.executable, *arguments],
        env={**os.environ, **(environment or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield child.pid
    finally:
        child.terminate()
        with suppress(subprocess.TimeoutExpired):
            child.wait(10)
        child.kill()


def seconds_until_answers(url: str, limit: float = 60.0) -> float:
    """Seconds until a GET of `url` gives 200. Raises TimeoutError."""
    began = time.perf_counter()
    while time.perf_counter() - began < limit:
        with suppress(httpx.HTTPError):
            if httpx.get(url, timeout=2, trust_env=False).status_code == 200:
                return time.perf_counter() - began
        time.sleep(0.01)
    raise TimeoutError(url)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident_mib(pid: int) -> float:
    """Resident memory of a process."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        line = next(line for line in status if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024
