"""What the protocol costs: CPU time of one hook in the web process without any reading, beside a bare FastAPI echo.

Both servers run alone in a process and get the same requests over HTTP, in turns, so that a busy machine burdens both. The web
process gathers the chart from the prefetch, hands it to a reader that answers at once with a card. Told apart: charts that it
sees for the first time, and charts opened again, by other readers, with the same prefetch.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import orjson

from benchmarks.processes import cpu_seconds, process, seconds_until_answers, wait_until_idle
from benchmarks.request_of_90_kb import request
from benchmarks.section import Aim, Options, Section, alone
from worker.local_redis import free_port

ROUNDS, PER_ROUND, WARM_UP = 6, 50, 30
CHARTS = 50
"""Opened again, in turns."""
AIM = 1.5
"""Times the echo's CPU time."""


@dataclass(frozen=True, slots=True)
class ProtocolCost:
    """Milliseconds of CPU per request."""

    first_ms: float
    again_ms: float
    echo_ms: float
    request_kb: float


def measure() -> ProtocolCost:
    """Runs both servers and measures."""
    ports = free_port(), free_port()
    with (
        tempfile.TemporaryDirectory() as folder,
        process(["-m", "benchmarks.serve_without_reading", str(ports[0])], {"DXSPAN_AUDIT_FOLDER": folder}) as hook,
        process(["-m", "benchmarks.serve_echo", str(ports[1])]) as echo,
        httpx.Client(trust_env=False, timeout=30) as client,
    ):
        urls = [f"http://127.0.0.1:{port}/cds-services/dxspan-patient-view" for port in ports]
        for port in ports:
            seconds_until_answers(f"http://127.0.0.1:{port}/healthz")
        ways = (Way(hook, urls[0], first_time), Way(hook, urls[0], again), Way(echo, urls[1], again))
        for way in ways:
            _send(client, way, WARM_UP)
        wait_until_idle(hook)
        spent = [0.0] * len(ways)
        for _ in range(ROUNDS):
            for index, way in enumerate(ways):
                before = cpu_seconds(way.pid)
                _send(client, way, PER_ROUND)
                spent[index] += cpu_seconds(way.pid) - before
    count = ROUNDS * PER_ROUND
    first_ms, again_ms, echo_ms = (1000 * seconds / count for seconds in spent)
    return ProtocolCost(first_ms, again_ms, echo_ms, len(orjson.dumps(request())) / 1000)


def first_time(number: int) -> dict[str, Any]:
    """A chart that nobody has opened."""
    del number
    return request(mark=str(uuid4()), patient_id=str(uuid4()))


def again(number: int) -> dict[str, Any]:
    """One of CHARTS, opened by another reader."""
    chart = number % CHARTS
    return request(mark=f"chart {chart}", patient_id=f"bench-{chart}")


@dataclass(frozen=True, slots=True)
class Way:
    """A process and what it is sent, by number."""

    pid: int
    url: str
    request: Callable[[int], dict[str, Any]]


def _send(client: httpx.Client, way: Way, count: int) -> None:
    for number in range(count):
        body = orjson.dumps(way.request(number))
        client.post(way.url, content=body, headers={"content-type": "application/json"}).raise_for_status()


def section(_: Options) -> Section:
    """Measures, and says it."""
    cost = measure()
    rows = {"for the first time": cost.first_ms, "opened again": cost.again_ms, "bare echo": cost.echo_ms}
    lines = [
        f"CPU time of one `patient-view` request of {cost.request_kb:.0f} kB (a patient, 20 problems, 50 results, 10 notes) in the",
        "web process, without tokens and without any reading, beside a bare FastAPI echo of the same request. Charts that the process sees for",
        f"the first time, and {CHARTS} charts opened again and again by other readers with the same prefetch:",
        "",
        "| chart | CPU | times the echo |",
        "|---|---:|---:|",
        *(f"| {name} | {ms:.2f} ms | {ms / cost.echo_ms:.1f} |" for name, ms in rows.items()),
    ]
    aims = [
        Aim("protocol, first time, times a bare echo", cost.first_ms / cost.echo_ms, AIM),
        Aim("protocol, opened again, times a bare echo", cost.again_ms / cost.echo_ms, AIM),
    ]
    return Section("What the protocol costs", lines, aims)


if __name__ == "__main__":
    sys.exit(alone(section, __doc__))
