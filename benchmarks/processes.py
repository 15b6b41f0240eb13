"""Child processes under measurement: start, wait until they answer, CPU seconds, memory, stop."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

_TICKS = os.sysconf("SC_CLK_TCK")
IDLE_SECONDS, IDLE_SHARE = 1.0, 0.03


@contextmanager
def process(
    arguments: Sequence[str],
    environment: Mapping[str, str] | None = None,
    *,
    python: Path = Path(sys.executable),
    core: int | None = None,
) -> Iterator[int]:
    """Runs `python` (this one) with `arguments`, on `core` alone; yields its process id and stops it at the end."""
    child = subprocess.Popen(
        [python, *arguments],
        env={**os.environ, **(environment or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    if core is not None:
        os.sched_setaffinity(child.pid, {core})  # before it has another thread: those that follow are bound as well
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


def wait_until_idle(pid: int, limit: float = 60.0) -> None:
    """Until a process uses next to no CPU: what it loads beside its first answers is not theirs. Raises TimeoutError."""
    began = time.perf_counter()
    before = cpu_seconds(pid)
    while time.perf_counter() - began < limit:
        time.sleep(IDLE_SECONDS)
        before, last = cpu_seconds(pid), before
        if before - last <= IDLE_SHARE * IDLE_SECONDS:
            return
    raise TimeoutError(f"process still busy after {limit:.0f} s")


def fine_cpu_seconds(pid: int) -> float:
    """The same to the microsecond, which a single call is measured by; threads that have ended are left out."""
    total = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError):
            total += int((thread / "schedstat").read_text().split()[0])
    return total / 1e9


def resident_mib(pid: int) -> float:
    """Resident memory of a process."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        line = next(line for line in status if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def ended(pid: int) -> bool:
    """True once a child has ended, be it waited for or not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def private_mib(pid: int) -> tuple[float, float]:
    """(PSS, USS) of a process: its memory with shared pages divided among those that share them, and without them."""
    sizes: dict[str, int] = {}
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
        for line in rollup:
            name, _, rest = line.partition(":")
            if rest.strip().endswith("kB"):
                sizes[name] = int(rest.split()[0])
    return sizes["Pss"] / 1024, (sizes["Private_Clean"] + sizes["Private_Dirty"]) / 1024
