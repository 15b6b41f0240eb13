"""Steady hook calls for minutes while parts fail: `python -m benchmarks.soak [--minutes N] [--write FILE]`.

The real `dxspan-serve`, a real Redis and two workers whose reader does nothing but quote; every few seconds one part
fails and is mended. Tells how the calls were answered, how late the worst was, whether memory stays flat, and whether
a word of any note, or a patient's id, was found in a log, a metric or Redis.
"""

from __future__ import annotations

import argparse
import base64
import random
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import httpx
import redis

from benchmarks.asked_nothing import AskedNothing
from benchmarks.calls_at_once import SERVICE, Answered
from benchmarks.charts_at_once import counted_answers
from benchmarks.processes import resident_mib, seconds_until_answers
from benchmarks.request_of_90_kb import request
from benchmarks.soak_faults import FAULTS, Stack
from benchmarks.soak_plot import plot
from benchmarks.soak_report import CALLS_PER_SECOND, DEADLINE_SECONDS, Memory, Soak, page
from nlp_core.assessment import Assessment, Candidate, Evidence, Words
from nlp_core.chart import Chart
from nlp_core.note import Span
from worker.__main__ import main as worker_main

CLIENTS = 4
FAULT_SECONDS = 2.0
FAULT_EVERY_SECONDS = 8.0
SAMPLE_EVERY_SECONDS = 1.0
CANARY = "Qz7Canary"


class QuotingReader(AskedNothing):
    """Quotes the beginning of the newest note; every hundredth chart takes longer than anybody waits."""

    model_version = "quoting+000000000000"

    def assess(self, chart: Chart, *, deadline: float | None = None) -> Assessment:
        del deadline
        note = chart.notes[0]
        time.sleep(2.0 if "slow" in note.text[:60] else 0.01)
        quote = note.text[:30]
        names = Words(en="quoted", zh="引用")
        evidence = Evidence(
            finding="quoted", names=names, present=True, share=2.0, reference=note.reference,
            span=Span(start=0, end=len(quote)), quote=quote,
        )  # fmt: skip
        candidate = Candidate(
            diagnosis="quoted", names=names, icd10cm="R69", probability=0.5, urgency="routine", evidence_for=(evidence,)
        )
        return Assessment(
            language="en", candidates=(candidate,), notes_read=len(chart.notes), model_version=self.model_version,
            knowledge_version="none",
        )  # fmt: skip


def measure(minutes: float, seed: int = 0) -> Soak:
    """One soak."""
    soak = Soak(minutes)
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(Path(folder))
        try:
            stack.start(2, _web_settings())
            base = f"http://127.0.0.1:{stack.port}"
            seconds_until_answers(f"{base}/healthz")
            time.sleep(5)  # until the workers are there
            before = counted_answers(stack.port)
            _run(soak, stack, base, random.Random(seed))
            soak.ended = stack.ended
            soak.counted = counted_answers(stack.port) - before
            soak.canary_hits = _canaries(stack, base)
        finally:
            stack.close()
    return soak


def _web_settings() -> dict[str, str]:
    return {
        "DXSPAN_FEEDBACK_DATABASE_URL": "sqlite://",
        "DXSPAN_METRICS": "true",
        "DXSPAN_DEADLINE_MS": str(int(DEADLINE_SECONDS * 1000)),
        "DXSPAN_BUNDLE_PATH": "/nowhere",  # the queue is on trial, not the spare reader
    }


def _run(soak: Soak, stack: Stack, base: str, chance: random.Random) -> None:
    until = time.monotonic() + soak.minutes * 60
    with ThreadPoolExecutor(CLIENTS + 3) as pool:
        running = [pool.submit(_call_until, soak, base, until, number) for number in range(CLIENTS)]
        running += [
            pool.submit(_sample_until, soak, stack, until),
            pool.submit(_break_until, soak, stack, until, chance),
            pool.submit(stack.supervise, until),
        ]
        for one in running:
            one.result()


def _call_until(soak: Soak, base: str, until: float, client: int) -> None:
    number = 0
    with httpx.Client(base_url=base, trust_env=False, timeout=30) as http:
        while time.monotonic() < until:
            number += 1
            body = _body(client, number)
            begun = time.perf_counter()
            try:
                answer = http.post(SERVICE, json=body)
                took = time.perf_counter() - begun
                soak.answers.append(Answered(answer.status_code, took, answer.json() if answer.content else {}))
            except httpx.HTTPError as error:
                soak.failed[type(error).__name__] += 1
            time.sleep(max(0.0, CLIENTS / CALLS_PER_SECOND - (time.perf_counter() - begun)))


def _body(client: int, number: int) -> dict[str, object]:
    """A new chart mostly; each third is opened again; one in a hundred is slow."""
    mark = f"{CANARY} {client} {number // 3} {'slow' if number % 100 == 50 else ''}"
    body = request(notes=2, paragraphs=2, mark=mark)
    patient = f"{CANARY}-{client}-{number % 20}"
    body["context"]["patientId"] = body["prefetch"]["patient"]["id"] = patient
    for key in ("documents", "problems", "laboratory"):
        for entry in body["prefetch"][key]["entry"]:
            entry["resource"]["subject"] = {"reference": f"Patient/{patient}"}
    return body | {"hookInstance": str(uuid4())}


def _sample_until(soak: Soak, stack: Stack, until: float) -> None:
    begun = time.monotonic()
    while time.monotonic() < until:
        for name, process in list(stack.running.items()):
            with suppress(OSError, StopIteration):  # it has just ended
                soak.memory.setdefault(name, Memory()).add(
                    process.pid, time.monotonic() - begun, resident_mib(process.pid)
                )
        time.sleep(SAMPLE_EVERY_SECONDS)


def _break_until(soak: Soak, stack: Stack, until: float, chance: random.Random) -> None:
    """Each fault once, the one that has the web process load its spare reader first; then at random."""
    first = list(FAULTS)
    while time.monotonic() < until - FAULT_EVERY_SECONDS:
        time.sleep(FAULT_EVERY_SECONDS - FAULT_SECONDS)
        name = first.pop(0) if first else chance.choice(list(FAULTS))
        mend = FAULTS[name](stack)
        soak.faults[name] += 1
        time.sleep(FAULT_SECONDS)
        mend()


def _canaries(stack: Stack, base: str) -> int:
    """Spellings of the canary found in the logs, the metrics, and Redis."""
    with redis.Redis.from_url(stack.server.url) as client:
        kept = [part for key in client.scan_iter(count=1000) for part in (key, client.dump(key) or b"")]
    seen = b"".join([stack.logs, httpx.get(f"{base}/metrics", trust_env=False).content, *kept])
    plain = CANARY.encode()
    inside = {base64.b64encode(b"\0" * shift + plain)[4:-4] for shift in range(3)}
    return sum(seen.count(spelling) for spelling in {plain, plain.hex().encode(), plain[::-1], *inside})


def main() -> int:
    """Prints or writes the page; 1 where the aims are missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=0, help="of the order of faults")
    parser.add_argument(
        "--write", type=Path, help="Markdown file; the plot lies beside it, .svg (docs/security/soak.md)"
    )
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        return worker_main([], load_reader=QuotingReader)
    soak = measure(options.minutes, options.seed)
    if options.write:
        options.write.parent.mkdir(parents=True, exist_ok=True)
        drawn = options.write.with_suffix(".svg")
        drawn.write_text(plot({name: memory.runs for name, memory in soak.memory.items()}), encoding="utf-8")
        options.write.write_text("\n".join([*page(soak, drawn.name), ""]), encoding="utf-8")
    print("\n".join(page(soak)))
    return 1 if soak.missed else 0


if __name__ == "__main__":
    sys.exit(main())
