"""`make demo`: the main job on real input. Starts the service, opens the sample charts, prints the cards.

Everything goes over HTTP to a real `dxspan-serve`, with `--queue` also through a real Redis and a real worker. The
service is left running, with a demo EHR at /demo/ to try it in; its log, and how to stop it, are printed at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.status import Status

from cds_hooks.demo_requests import SampleChart, sample_charts
from cds_hooks.show_card import show_answer
from worker.local_redis import LocalRedis, ensure_server, free_port
from worker.payloads import new_queue_key

FOLDER = Path("var")
RUNNING = FOLDER / "demo.json"
"""Process ids of the demo that runs, so that the next one replaces it."""
START_SECONDS = 60
DEADLINE_MS = "3000"
"""More patient than in production: a newcomer's machine may be busy installing."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the demo; 0 when every chart got the answer its file expects."""
    options = _options(arguments)
    console = Console(width=min(Console().width, 120))
    if options.at:
        _wait_until_ready(options.at, {})
        opened = [_open_chart(chart, options.at, console) for chart in sample_charts()]
        return 0 if all(opened) else 1
    stop_running_demo()
    if options.stop:
        return 0
    FOLDER.mkdir(exist_ok=True)
    port = options.port or _port()
    base = f"http://127.0.0.1:{port}"
    with console.status("starting the service …") as status:
        started = _start(port, with_queue=options.queue, status=status)
        _wait_until_ready(base, started)
    RUNNING.write_text(json.dumps(started), encoding="utf-8")
    as_expected = [_open_chart(chart, base, console) for chart in sample_charts()]
    _farewell(base, console, with_queue=options.queue)
    return 0 if all(as_expected) else 1


def stop_running_demo() -> None:
    """Stops what an earlier demo left running; nothing when there is none."""
    with suppress(OSError, ValueError):
        for pid in json.loads(RUNNING.read_text(encoding="utf-8")).values():
            _stop(pid)
        RUNNING.unlink()


def _stop(pid: int) -> None:
    """Asks the process to end and waits up to five seconds, so that its port is free again."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        for _ in range(100):
            time.sleep(0.05)
            os.kill(pid, 0)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description="Show dxspan on the sample charts.")
    parser.add_argument("--queue", action="store_true", help="read through Redis and a worker process")
    parser.add_argument("--port", type=int, default=0, help="port of the service (default: 8000, or a free one)")
    parser.add_argument("--at", default="", metavar="URL", help="open the charts at a service that runs already")
    parser.add_argument("--stop", action="store_true", help="stop the demo that is running")
    return parser.parse_args(arguments)


def _port() -> int:
    import socket

    with socket.socket() as probe:
        return 8000 if probe.connect_ex(("127.0.0.1", 8000)) else free_port()


def _start(port: int, *, with_queue: bool, status: Status) -> dict[str, int]:
    """Process ids by name."""
    environment = {"DXSPAN_DEADLINE_MS": DEADLINE_MS, "DXSPAN_METRICS": "true", "DXSPAN_DEMO_PAGE": "true"}
    pids: dict[str, int] = {}
    if with_queue:
        status.update("starting Redis …")
        server = LocalRedis(ensure_server())
        pids["redis"] = server.pid
        environment |= {"DXSPAN_REDIS_URL": server.url, "DXSPAN_QUEUE_KEY": new_queue_key()}
        status.update("starting a worker …")
        pids["worker"] = _launch(["-m", "worker"], environment, "demo-worker.log")
        _wait_until_worker_works(environment)
    status.update("starting the service, which loads the model …")
    pids["service"] = _launch(["-m", "cds_hooks", "--port", str(port), "--development"], environment, "demo.log")
    return pids


def _launch(arguments: Sequence[str], environment: Mapping[str, str], log: str) -> int:
    with (FOLDER / log).open("wb") as output:
        process = subprocess.Popen(  # noqa: S603  our own modules, with arguments of this file
            [sys.executable, *arguments],
            env={**os.environ, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    return process.pid


def _wait_until_worker_works(environment: Mapping[str, str]) -> None:
    """Sends canary tasks until one is answered. Raises SystemExit with the log's place when none is."""
    check = [sys.executable, "-m", "worker", "--check"]
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        # Our own module, with arguments of this file.
        if subprocess.run(check, env={**os.environ, **environment}, capture_output=True).returncode == 0:  # noqa: S603
            return
    raise SystemExit(f"the worker did not take a task within {START_SECONDS} s; see {FOLDER}/demo-worker.log")


def _wait_until_ready(base: str, started: Mapping[str, int]) -> None:
    """Raises SystemExit with the log's place when the service does not come up."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        with suppress(httpx.HTTPError):
            if httpx.get(f"{base}/readyz", timeout=2, trust_env=False).status_code == 200:
                return
        time.sleep(0.1)
    for pid in started.values():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    raise SystemExit(f"the service did not become ready within {START_SECONDS} s; see {FOLDER}/demo.log")


def _open_chart(chart: SampleChart, base: str, console: Console) -> bool:
    """Sends the hook of one chart and prints the answer; True when it is what the chart expects."""
    request = chart.request()
    began = time.perf_counter()
    response = httpx.post(f"{base}/cds-services/dxspan-patient-view", json=request, timeout=30, trust_env=False)
    elapsed = time.perf_counter() - began
    answer: dict[str, Any] = response.json()
    show_answer(chart.title, answer, elapsed, console)
    got = "card" if answer.get("cards") else "silence"
    return response.status_code == 200 and chart.expect in (got, "any")


def _farewell(base: str, console: Console, *, with_queue: bool) -> None:
    sample = FOLDER / "sample-request.json"
    sample.write_text(json.dumps(sample_charts()[0].request(), ensure_ascii=False, indent=1), encoding="utf-8")
    console.print(
        f"\n[bold]The service keeps running[/bold] ({'with Redis and a worker' if with_queue else 'in one process'})."
    )
    console.print(
        f"  [bold]see it      {base}/demo/[/bold]   a demo EHR: open a patient; the card's button opens the evidence"
    )
    console.print(f"  discovery   {base}/cds-services")
    console.print(f"  about       {base}/about")
    console.print("  try it      ", end="")
    console.print(
        f"curl -s {base}/cds-services/dxspan-patient-view -H 'Content-Type: application/json' -d @{sample}",
        soft_wrap=True,
        highlight=False,
    )
    console.print("  stop it     make stop")


if __name__ == "__main__":
    sys.exit(main())
