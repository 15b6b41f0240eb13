"""What the protocol costs: CPU time of one hook in the web process without any reading, beside a bare FastAPI echo.

Both servers run alone in a process and get the same requests of about 90 kB over HTTP, in turns, so that a busy machine
burdens both. The web process gathers the chart from the prefetch, hands it to a reader that answers at once with a card.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass

import httpx
import orjson

from benchmarks.processes import cpu_seconds, process, seconds_until_answers, wait_until_idle
from benchmarks.request_of_90_kb import request
from benchmarks.section import Aim, Options, Section, alone
from worker.local_redis import free_port

ROUNDS, PER_ROUND, WARM_UP = 6, 50, 30
AIM = 1.5
"""Times the echo's CPU time."""


@dataclass(frozen=True, slots=True)
class ProtocolCost:
    """Milliseconds of CPU per request."""

    hook_ms: float
    echo_ms: float
    request_kb: float

    @property
    def ratio(self) -> float:
        return self.hook_ms / self.echo_ms


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
        spent = [0.0, 0.0]
        _send(client, urls[0], WARM_UP)
        _send(client, urls[1], WARM_UP)
        wait_until_idle(hook)
        for _ in range(ROUNDS):
            for index, pid in enumerate((hook, echo)):
                before = cpu_seconds(pid)
                _send(client, urls[index], PER_ROUND)
                spent[index] += cpu_seconds(pid) - before
    count = ROUNDS * PER_ROUND
    return ProtocolCost(1000 * spent[0] / count, 1000 * spent[1] / count, len(orjson.dumps(request())) / 1000)


def _send(client: httpx.Client, url: str, count: int) -> None:
    for _ in range(count):
        answer = client.post(url, content=orjson.dumps(request()), headers={"content-type": "application/json"})
        answer.raise_for_status()


def section(_: Options) -> Section:
    """Measures, and says it."""
    cost = measure()
    lines = [
        f"CPU time of one `patient-view` request of {cost.request_kb:.0f} kB (a patient, 20 problems, 50 results, 10 notes) in the",
        "web process, without tokens and without any reading, beside a bare FastAPI echo of the same request:",
        "",
        "| hook | bare echo | ratio |",
        "|---|---|---|",
        f"| {cost.hook_ms:.2f} ms | {cost.echo_ms:.2f} ms | {cost.ratio:.1f} |",
    ]
    return Section("What the protocol costs", lines, [Aim("protocol, times a bare echo", cost.ratio, AIM)])


if __name__ == "__main__":
    sys.exit(alone(section, __doc__))
