"""dxspan beside HealthChain: requests/s on the same patient-view request, in one run, in turns.

HealthChain (PyPI) has a Python of its own, as its versions of FastAPI and others differ:
`python3.11 -m venv var/peers && var/peers/bin/pip install healthchain==0.16.1 'uvicorn[standard]'`.
Where it is not there the part says so. dxspan checks a signed token on each call and HealthChain does not; in neither is
anything read, so what is compared is the way from request to card.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson

from benchmarks.calls_at_once import http_request
from benchmarks.ehr import Ehr
from benchmarks.processes import cpu_seconds, process, seconds_until_answers, wait_until_idle
from benchmarks.protocol_cost import again, first_time
from benchmarks.request_of_90_kb import request
from benchmarks.section import Aim, Options, Section, alone, figure
from benchmarks.steady_calls import calls_per_second
from worker.local_redis import free_port

ROUNDS, CLIENTS = 5, 4
CALLS, FHIR_CALLS, WARM_UP = 300, 60, 30
AIM, AIM_FHIR = 2.0, 10.0
"""Times HealthChain's requests/s."""
PATH = "/cds/cds-services/patient-view"
TITLE = "Beside HealthChain"


@dataclass
class Way:
    """One server and how it is called."""

    name: str
    port: int
    pid: int
    calls: int
    requests: Callable[[int], list[bytes]]
    per_second: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    """CPU time of the server by request."""

    def turn(self, calls: int) -> None:
        before = cpu_seconds(self.pid)
        self.per_second.append(calls_per_second(self.port, self.requests(calls), CLIENTS))
        self.cpu_ms.append(1000 * (cpu_seconds(self.pid) - before) / calls)


@dataclass(frozen=True, slots=True)
class Compared:
    """Ways that took turns; a ratio is the median of the rounds'."""

    ours: Way
    again: Way
    plain: Way
    fhir: Way
    version: str
    all_converted: bool

    def times(self, peer: Way) -> float:
        return statistics.median(a / b for a, b in zip(self.ours.per_second, peer.per_second, strict=True))


def measure(options: Options) -> Compared:
    """Raises FileNotFoundError where the peers' Python is not there, ValueError where a call fails."""
    version = _version(options.peers_python)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        ours, reopened = running.enter_context(_dxspan(Path(folder), options))
        plain = running.enter_context(_healthchain("HealthChain", options, CALLS))
        fhir = running.enter_context(_healthchain("HealthChain, FHIR objects", options, FHIR_CALLS, "--fhir"))
        ways = (ours, reopened, plain, fhir)
        for way in ways:
            way.turn(options.times(WARM_UP, CLIENTS))
            wait_until_idle(way.pid)
            way.per_second.clear()
            way.cpu_ms.clear()
        for _ in range(ROUNDS):
            for way in ways:
                way.turn(way.calls)
        said = httpx.get(f"http://127.0.0.1:{fhir.port}/all-converted", trust_env=False).json()
        return Compared(ours, reopened, plain, fhir, version, bool(said["all"]))


def _version(python: Path) -> str:
    asked = "import importlib.metadata as m; print(m.version('healthchain'))"
    try:
        return subprocess.run([python, "-c", asked], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        raise FileNotFoundError("HealthChain is not installed") from None


@contextmanager
def _dxspan(folder: Path, options: Options) -> Iterator[tuple[Way, Way]]:
    """Charts that it sees for the first time, and charts opened again."""
    port = free_port()
    base, ehr = f"http://127.0.0.1:{port}", Ehr(folder)
    environment = ehr.environment(base) | {
        "DXSPAN_AUDIT_FOLDER": str(folder / "audit"),
        "DXSPAN_CALLS_PER_SECOND": "0",
    }
    with process(["-m", "benchmarks.serve_without_reading", str(port)], environment) as pid:
        seconds_until_answers(f"{base}/readyz", 240)

        def way(name: str, chart: Callable[[int], dict[str, Any]]) -> Way:
            def requests(count: int) -> list[bytes]:
                return ehr.signed([chart(number) for number in range(count)], base)

            return Way(name, port, pid, options.times(CALLS, CLIENTS), requests)

        yield way("dxspan, tokens checked", first_time), way("dxspan, charts opened again", again)


@contextmanager
def _healthchain(name: str, options: Options, calls: int, *arguments: str) -> Iterator[Way]:
    port = free_port()
    script = str(Path(__file__).with_name("serve_healthchain.py"))
    with process([script, str(port), *arguments], python=options.peers_python) as pid:
        seconds_until_answers(f"http://127.0.0.1:{port}/health", 240)

        def requests(count: int) -> list[bytes]:
            return [http_request(orjson.dumps(first_time(number)), path=PATH) for number in range(count)]

        yield Way(name, port, pid, options.times(calls, CLIENTS), requests)


def section(options: Options) -> Section:
    """Measures, and says it; where there is no HealthChain, says that."""
    try:
        found = measure(options)
    except FileNotFoundError as missing:
        return Section(TITLE, [f"Not measured: {missing}. How to install it stands in `benchmarks/peers.py`."])
    kilobytes = len(orjson.dumps(request())) / 1000
    lines = [
        f"HealthChain {found.version}, a service as its template writes it, with the faster parser and event loop of uvicorn; the same request of",
        f"{kilobytes:.0f} kB, {CLIENTS} connections, {ROUNDS} rounds in turns. dxspan checks a token on each call (ES384) and writes its audit record;",
        "HealthChain asks for no token. Nothing is read in either, and every chart is a new one but for those opened again. Medians of the rounds:",
        "",
        "| | requests/s | CPU a request | dxspan's requests/s, times |",
        "|---|---:|---:|---:|",
        *(_row(way, found) for way in (found.ours, found.again, found.plain, found.fhir)),
    ]
    if not found.all_converted:
        lines += ["", "Some resources could not be converted, which HealthChain only logs: its figure is too good."]
    aims = [
        Aim("requests/s, times HealthChain's", found.times(found.plain), AIM, at_least=True),
        Aim("requests/s, times HealthChain's with FHIR objects", found.times(found.fhir), AIM_FHIR, at_least=True),
    ]
    return Section(TITLE, lines, aims)


def _row(way: Way, found: Compared) -> str:
    times = "" if way is found.ours else figure(found.times(way))
    rate, cpu = statistics.median(way.per_second), statistics.median(way.cpu_ms)
    return f"| {way.name} | {rate:.0f} | {cpu:.2f} ms | {times} |"


if __name__ == "__main__":
    sys.exit(alone(section, __doc__))
