"""A clinic day replayed against the real service, Redis and one real worker: what is read twice, and what an opening takes.

Each patient's chart is opened when the visit begins (half of them read ahead by `encounter-start`), opened again as it is, and
once more after a note was written, most of it copied forward. In the afternoon, the kept answers forgotten, it is opened again.
Work is counted in characters of sentences given to the encoder; work avoided is what every opening would have given it note by
note without any memory, less what the day gave it. `--write docs/clinic_day.md`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import redis

from benchmarks import long_chart
from benchmarks.clinic_patients import MOST_SENTENCES, ClinicPatient, clinic_patients
from benchmarks.processes import fine_cpu_seconds, process, seconds_until_answers
from benchmarks.section import shipped_model
from nlp_core.model_bundle import Bundle, composed_bundle_path
from worker.local_redis import LocalRedis, ensure_server, free_port
from worker.messages import MODEL_VERSION_NAME
from worker.payloads import new_queue_key

AIM = 0.8
SERVICE = "/cds-services/dxspan-patient-view"
AHEAD = "/cds-services/dxspan-encounter-start"


@dataclass
class Day:
    """What the day came to."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """From request to answer, by kind of opening."""
    cpu: dict[str, list[tuple[float, ...]]] = field(default_factory=lambda: defaultdict(list))
    """CPU seconds of worker and web process meanwhile, by kind of opening."""
    asked: float = 0.0
    """Characters that all openings would have given the encoder."""
    encoded: float = 0.0
    """Characters that it was given."""
    cached: int = 0
    """Openings answered by a kept assessment."""
    degraded: int = 0

    @property
    def openings(self) -> int:
        return sum(map(len, self.seconds.values()))

    @property
    def avoided(self) -> float:
        return 1 - self.encoded / self.asked if self.asked else 0.0


class Clinic:
    """The service under way, and the day as it goes."""

    def __init__(self, base: str, worker_metrics: str, worker: int, web: int) -> None:
        """worker, web: process ids."""
        self.day = Day()
        self._pids = (worker, web)
        self._http = httpx.Client(base_url=base, timeout=120, trust_env=False)
        self._worker_metrics = worker_metrics
        self._work: dict[tuple[int, int], float] = {}
        """Characters of a chart, by patient and number of notes."""

    def read_ahead(self, patient: ClinicPatient) -> None:
        """`encounter-start`, waited for until the worker is done."""
        before = self._worker()
        self._post(AHEAD, patient.request("encounter-start"))
        until = time.monotonic() + 60
        while self._worker()["tasks"] == before["tasks"] and time.monotonic() < until:
            time.sleep(0.05)
        self._count(patient, before)

    def open(self, patient: ClinicPatient, kind: str) -> None:
        request = patient.request()
        before, used, begun = self._worker(), self._cpu(), time.perf_counter()
        body = self._post(SERVICE, request)
        self.day.seconds[kind].append(time.perf_counter() - begun)
        self.day.cpu[kind].append(tuple(now - then for now, then in zip(self._cpu(), used, strict=True)))
        self.day.degraded += body["extension"]["org.dxspan.status"]["state"] == "degraded"
        self.day.cached += not self._count(patient, before)
        self.day.asked += self._work.get((patient.number, len(patient.notes)), 0.0)

    def _count(self, patient: ClinicPatient, before: dict[str, float]) -> bool:
        """Add what the encoder was given since; was anything read at all?"""
        now = self._worker()
        read = now["characters"] - before["characters"]
        self.day.encoded += now["encoder"] - before["encoder"]
        if read:
            self._work[patient.number, len(patient.notes)] = read
        return bool(read)

    def _cpu(self) -> tuple[float, ...]:
        return tuple(fine_cpu_seconds(pid) for pid in self._pids)

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self._http.post(path, json=body)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def _worker(self) -> dict[str, float]:
        found: dict[str, float] = defaultdict(float)
        for line in httpx.get(self._worker_metrics, trust_env=False).text.splitlines():
            name, _, value = line.rpartition(" ")
            if name.startswith("dxspan_sentence_characters_total"):
                found["characters"] += float(value)
                found["encoder"] += float(value) if "encoder" in name else 0.0
            elif name.startswith("dxspan_worker_tasks_total"):
                found["tasks"] += float(value)
        return found


def measure(patients: int, notes: int, seed: int) -> Day:
    """One day of `patients`, who come with `notes` notes each."""
    with under_way(patients, notes, seed) as (clinic, people, client):
        replay(clinic, people, client)
        return clinic.day


@contextmanager
def under_way(
    patients: int, notes: int, seed: int, *, sentences: int = MOST_SENTENCES
) -> Iterator[tuple[Clinic, list[ClinicPatient], redis.Redis]]:
    """A service with one worker, before its first opening."""
    people = clinic_patients(
        Bundle.open(composed_bundle_path()).knowledge(), patients, notes=notes, seed=seed, sentences=sentences
    )
    port, metrics = free_port(), free_port()
    base = f"http://127.0.0.1:{port}"
    with LocalRedis(ensure_server()) as server, tempfile.TemporaryDirectory() as folder:
        environment = {
            "DXSPAN_REDIS_URL": server.url,
            "DXSPAN_QUEUE_KEY": new_queue_key(),
            "DXSPAN_DEADLINE_MS": "60000",
            "DXSPAN_PRECOMPUTE": "true",
            "DXSPAN_FEEDBACK_DATABASE_URL": "sqlite://",
            "DXSPAN_AUDIT_FOLDER": folder,
            "DXSPAN_WORKER_METRICS_PORT": str(metrics),
            "PYTHONPATH": os.getcwd(),
        }
        with (
            process(["-m", "worker"], environment) as worker,
            process(["-m", "cds_hooks", "--port", str(port), "--development"], environment) as web,
            redis.Redis.from_url(server.url) as client,
        ):
            seconds_until_answers(f"{base}/readyz", 240)
            until = time.monotonic() + 240
            while not client.exists(MODEL_VERSION_NAME) and time.monotonic() < until:
                time.sleep(0.1)
            yield Clinic(base, f"http://127.0.0.1:{metrics}/metrics", worker, web), people, client


def replay(clinic: Clinic, people: list[ClinicPatient], client: redis.Redis) -> None:
    for patient in people:
        if patient.number % 2:
            clinic.read_ahead(patient)
        clinic.open(patient, "first, read ahead" if patient.number % 2 else "first")
        clinic.open(patient, "again, unchanged")
        patient.write_note()
        clinic.open(patient, "after a new note")
    for name in client.scan_iter("dxspan:answer:*"):  # a quarter of an hour has passed
        client.delete(name)
    for patient in people:
        clinic.open(patient, "in the afternoon, answers forgotten")


def page(
    day: Day, costs: dict[str, list[float]], options: argparse.Namespace, plotted: str, model: str
) -> Iterator[str]:
    """The page, line by line. model: version of the one that read."""
    yield "# A clinic day"
    yield ""
    yield f"Written by `make clinic-day` (`python -m benchmarks.clinic_day --patients {options.patients} --notes {options.notes} --write docs/clinic_day.md`);"
    yield "invented patients, one real web process, one real worker, a real Redis. What is replayed and counted stands at the top of"
    yield "`benchmarks/clinic_day.py`. Shared machines are noisy: ratios count, not milliseconds."
    yield f"Model {model}."
    yield ""
    yield f"{options.patients} patients with {options.notes} notes each, {day.openings} openings, {day.degraded} degraded answers."
    yield ""
    yield "| figure | found | aim |"
    yield "|---|---|---|"
    yield f"| encoder work avoided, in characters | {day.avoided:.0%} | {AIM:.0%} |"
    yield f"| openings answered by a kept assessment | {day.cached} of {day.openings} | |"
    yield ""
    yield "| opening | median, as a share of a first one not read ahead |"
    yield "|---|---|"
    first = statistics.median(day.seconds["first"])
    for kind, seconds in day.seconds.items():
        yield f"| {kind} | {statistics.median(seconds) / first:.2f} |"
    yield ""
    yield f"## A chart of {options.long_notes} notes"
    yield ""
    yield f"One reading without a deadline, {options.long_sentences} sentences a note, CPU time per note by fifths of the chart, newest first, as a"
    yield "share of the first fifth of new notes; 1.00 all along would be flat."
    yield ""
    yield (
        "| notes | "
        + " | ".join(f"fifth {part + 1}" for part in range(long_chart.PARTS))
        + " | reasoning at the end, in notes |"
    )
    yield "|---|" + "---|" * (long_chart.PARTS + 1)
    unit = long_chart.parts_of(costs["every note new"])[0]
    for name, values in costs.items():
        shares = " | ".join(f"{part / unit:.2f}" for part in long_chart.parts_of(values))
        yield f"| {name} | {shares} | {values[-1] / unit:.0f} |"
    yield ""
    yield f"![CPU time by note]({plotted})"
    yield ""


def main() -> int:
    """Prints or writes the page; 1 where the aim is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.clinic_day", description=__doc__)
    parser.add_argument("--patients", type=int, default=20)
    parser.add_argument("--notes", type=int, default=5, help="that each patient comes with")
    parser.add_argument("--long-notes", type=int, default=500)
    parser.add_argument("--long-sentences", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", type=Path, help="Markdown file; the plot lies beside it, .svg")
    options = parser.parse_args()
    model = shipped_model()
    day = measure(options.patients, options.notes, options.seed)
    costs = long_chart.measure(options.long_notes, options.long_sentences, options.seed)
    plotted = (options.write or Path("clinic_day.md")).with_suffix(".svg")
    written = "\n".join(page(day, costs, options, plotted.name, model))
    print(written)
    if options.write:
        options.write.write_text(written, encoding="utf-8")
        plotted.write_text(long_chart.plot(costs), encoding="utf-8")
    return 1 if day.avoided < AIM else 0


if __name__ == "__main__":
    sys.exit(main())
