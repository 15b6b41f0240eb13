"""How long one hook takes from request to card: the real `dxspan-serve` reading in process, cold and cached.

Cold: every chart is new (its notes carry a mark nobody sent before). Cached: the same chart again under a new
hookInstance. One client, then eight at once.
"""

from __future__ import annotations

import statistics
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import uuid4

import httpx

from benchmarks.processes import process, resident_mib, seconds_until_answers
from benchmarks.request_of_90_kb import request
from worker.local_redis import free_port

CALLS = 60


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds, and how many of the answers carried a card."""

    case: str
    clients: int
    p50: float
    p95: float
    cards: int
    calls: int


def measure() -> tuple[list[Latency], float]:
    """Latencies by case, and the web process's resident memory (MiB) afterwards."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/cds-services/dxspan-patient-view"
    environment = {"DXSPAN_DEADLINE_MS": "30000", "DXSPAN_FEEDBACK_DATABASE_URL": "sqlite://"}
    with process(["-m", "cds_hooks", "--port", str(port), "--development"], environment) as pid:
        seconds_until_answers(f"http://127.0.0.1:{port}/readyz")
        _calls(url, 1, 5, cold=True, notes=2)
        found = [
            _calls(url, clients, CALLS, cold=cold, notes=notes)
            for notes in (2, 10)
            for cold in (True, False)
            for clients in (1, 8)
        ]
        return found, resident_mib(pid)


def _calls(url: str, clients: int, count: int, *, cold: bool, notes: int) -> Latency:
    seconds: list[float] = []
    cards = 0
    lock = threading.Lock()
    same = uuid4().hex

    def one(_: int) -> None:
        nonlocal cards
        body = request(notes=notes, paragraphs=3 if notes == 2 else 8, mark=uuid4().hex if cold else same)
        began = time.perf_counter()
        answer = httpx.post(url, json=body, timeout=60, trust_env=False)
        elapsed = time.perf_counter() - began
        answer.raise_for_status()
        with lock:
            seconds.append(elapsed)
            cards += bool(answer.json()["cards"])

    if not cold:
        one(0)
        seconds.clear()
        cards = 0
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(one, range(count)))
    case = f"{notes} notes, {'cold' if cold else 'cached'}"
    cuts = statistics.quantiles(seconds, n=20)
    return Latency(case, clients, 1000 * statistics.median(seconds), 1000 * cuts[18], cards, count)


def main() -> int:
    latencies, memory = measure()
    for latency in latencies:
        print(
            f"{latency.case:18s} {latency.clients} clients  p50 {latency.p50:6.0f} ms  p95 {latency.p95:6.0f} ms  cards {latency.cards}/{latency.calls}"
        )
    print(f"resident {memory:.0f} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
