"""What the protocol costs: CPU time of one hook in the web process without any reading, beside a bare FastAPI echo.

Both servers run alone in a process and get the same requests of about 90 kB over HTTP, in turns, so that a busy machine
burdens both. The web process gathers the chart from the prefetch, hands it to a reader that answers at once with a card.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import httpx
import orjson

from benchmarks.processes import cpu_seconds, process, seconds_until_answers
from benchmarks.request_of_90_kb import request
from worker.local_redis import free_port

ROUNDS, PER_ROUND, WARM_UP = 6, 50, 30
AIM = 2.0
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
        process(["-m", "benchmarks.serve_without_reading", str(ports[0])]) as hook,
        process(["-m", "benchmarks.serve_echo", str(ports[1])]) as echo,
        httpx.Client(trust_env=False, timeout=30) as client,
    ):
        urls = [f"http://127.0.0.1:{port}/cds-services/dxspan-patient-view" for port in ports]
        for port in ports:
            seconds_until_answers(f"http://127.0.0.1:{port}/healthz")
        spent = [0.0, 0.0]
        _send(client, urls[0], WARM_UP)
        _send(client, urls[1], WARM_UP)
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


def main() -> int:
    cost = measure()
    print(
        f"{cost.request_kb:.0f} kB: hook {cost.hook_ms:.2f} ms CPU, bare echo {cost.echo_ms:.2f} ms, ratio {cost.ratio:.2f} (aim {AIM})"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
