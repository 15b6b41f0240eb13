"""Redis, a worker and the service with a bundle of our own; one patient of the export is opened; the card is printed.

Input : --bundle, --charts (bundles.ndjson of `dxspan-train write-charts`), --out     Output: request.json, answer.json, logs
Everything runs on this machine for as long as it takes, and is ended again. Exit status 1 where no card came.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from rich.console import Console

from cds_hooks.show_card import show_answer
from worker.local_redis import LocalRedis, ensure_server, free_port
from worker.payloads import new_queue_key

START_SECONDS = 300
DEADLINE_MS = "20000"
"""Far more patient than in production: this machine trains, perhaps, at the same time."""
MOST_PORTS = 5
MOST_PATIENTS = 10
"""Opened one after the other until a card comes: of some charts there is nothing to say."""


def main() -> int:
    """Opens charts until one has a card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, required=True, help="composed bundle")
    parser.add_argument("--charts", type=Path, required=True, help="bundles.ndjson of write-charts")
    parser.add_argument("--out", type=Path, required=True, help="folder for request, answer and logs")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with ExitStack() as running:
        base = running.enter_context(_service(options.bundle.resolve(), options.out))
        with options.charts.open(encoding="utf-8") as charts:
            for line, _ in zip(charts, range(MOST_PATIENTS), strict=False):
                if _open(json.loads(line), base, options.out):
                    return 0
    print(f"no card for {MOST_PATIENTS} patients; see {options.out}/answer.json", file=sys.stderr)
    return 1


def _open(bundle: dict[str, Any], base: str, out: Path) -> bool:
    """One `patient-view`, as the EHR would send it before anything is coded."""
    request = _request([entry["resource"] for entry in bundle["entry"]])
    (out / "request.json").write_text(json.dumps(request, ensure_ascii=False, indent=1), encoding="utf-8")
    began = time.perf_counter()
    response = httpx.post(f"{base}/cds-services/dxspan-patient-view", json=request, timeout=60, trust_env=False)
    answer: dict[str, Any] = response.json()
    (out / "answer.json").write_text(json.dumps(answer, ensure_ascii=False, indent=1), encoding="utf-8")
    if response.status_code != 200 or not answer.get("cards"):
        return False
    show_answer(f"{request['context']['patientId']}", answer, time.perf_counter() - began, Console(width=110))
    return True


def _request(resources: list[dict[str, Any]]) -> dict[str, Any]:
    patient = next(one for one in resources if one["resourceType"] == "Patient")
    problems = [one for one in resources if one["resourceType"] == "Condition" and "encounter" not in one]
    documents = [one for one in resources if one["resourceType"] == "DocumentReference"]
    unread = ("laboratory", "vitalSigns", "medications", "allergies", "encounters")
    return {
        "hook": "patient-view",
        "hookInstance": str(uuid4()),
        "context": {"userId": f"Practitioner/{uuid4()}", "patientId": patient["id"]},
        "prefetch": {
            "patient": patient, "problems": _searchset(problems), "documents": _searchset(documents), **dict.fromkeys(unread),
        },
    }  # fmt: skip


def _searchset(resources: list[dict[str, Any]]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": one} for one in resources]}


@contextmanager
def _service(bundle: Path, out: Path) -> Iterator[str]:
    """The base URL of a service that reads through a queue with `bundle`."""
    with LocalRedis(ensure_server()) as redis, ExitStack() as running:
        environment = {
            "DXSPAN_BUNDLE_PATH": str(bundle), "DXSPAN_REDIS_URL": redis.url, "DXSPAN_QUEUE_KEY": new_queue_key(),
            "DXSPAN_DEADLINE_MS": DEADLINE_MS,
        }  # fmt: skip
        running.enter_context(_process(["-m", "worker"], environment, out / "worker.log"))
        _until(lambda: _worker_takes_tasks(environment), f"the worker took no task; see {out}/worker.log")
        yield running.enter_context(_web(environment, out / "service.log"))


@contextmanager
def _web(environment: Mapping[str, str], log: Path) -> Iterator[str]:
    """Its base URL; on another port where somebody took the free one before the service could."""
    for _ in range(MOST_PORTS):
        port = free_port()
        base = f"http://127.0.0.1:{port}"
        with _process(["-m", "cds_hooks", "--port", str(port), "--development"], environment, log) as process:
            _until(lambda: process.poll() is not None or _is_ready(base), f"the service is not ready; see {log}")  # noqa: B023
            if process.poll() is None:
                yield base
                return
    raise SystemExit(f"the service ended before it was ready; see {log}")


@contextmanager
def _process(arguments: list[str], environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as written:
        process = subprocess.Popen(
            [sys.executable, *arguments], env={**os.environ, **environment}, stdout=written, stderr=subprocess.STDOUT
        )
        try:
            yield process
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()


def _worker_takes_tasks(environment: Mapping[str, str]) -> bool:
    check = [sys.executable, "-m", "worker", "--check"]
    return subprocess.run(check, env={**os.environ, **environment}, capture_output=True).returncode == 0


def _is_ready(base: str) -> bool:
    with suppress(httpx.HTTPError):
        return httpx.get(f"{base}/readyz", timeout=5, trust_env=False).status_code == 200
    return False


def _until(is_so: Any, otherwise: str) -> None:
    last = time.monotonic() + START_SECONDS
    while not is_so():
        if time.monotonic() > last:
            raise SystemExit(otherwise)
        time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
