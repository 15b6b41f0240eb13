"""500 charts opened at the same moment (row G15): `python -m benchmarks.charts_at_once [--charts N]`.

The real `dxspan-serve` and workers that take 50 ms for each chart, which two of them would need 13 s for. Half of the
calls are for ten charts that many open at once, the other half are all different. Every answer is to be a 200 within
the deadline and 100 ms; those that cannot be read in time say so and are counted.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import httpx

from benchmarks.asked_nothing import AskedNothing
from benchmarks.calls_at_once import Answered, call_at_once
from benchmarks.processes import cpu_seconds, process, seconds_until_answers
from benchmarks.request_of_90_kb import request
from nlp_core.assessment import Assessment
from nlp_core.chart import Chart
from worker.__main__ import main as worker_main
from worker.local_redis import LocalRedis, ensure_server, free_port
from worker.payloads import new_queue_key

DEADLINE_SECONDS = 1.5
GRACE_SECONDS = 0.1
READING_SECONDS = 0.05


class SteadyReader(AskedNothing):
    """Takes the same time for every chart."""

    model_version = "steady+000000000000"

    def assess(self, chart: Chart, *, deadline: float | None = None) -> Assessment:
        del deadline
        time.sleep(READING_SECONDS)
        return Assessment(
            language="en", silence="no_finding", notes_read=len(chart.notes), model_version=self.model_version,
            knowledge_version="none",
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Storm:
    """What came of it."""

    answers: list[Answered]
    counted: float
    """Answers that the web process counted."""
    cpu_seconds: float
    """Of the web process."""

    @property
    def worst(self) -> float:
        return max(answer.seconds for answer in self.answers)

    @property
    def p95(self) -> float:
        return statistics.quantiles([answer.seconds for answer in self.answers], n=20)[18]

    @property
    def by_outcome(self) -> Counter[str]:
        return Counter(f"{answer.status} {answer.state} {answer.reason}".strip() for answer in self.answers)

    @property
    def holds(self) -> bool:
        """Whether the row does."""
        in_time = self.worst <= DEADLINE_SECONDS + GRACE_SECONDS
        return in_time and self.counted == len(self.answers) and {a.status for a in self.answers} == {200}


@contextmanager
def stack(workers: int) -> Iterator[tuple[int, int]]:
    """Redis, workers and the web process; yields its port and its process id."""
    port = free_port()
    with LocalRedis(ensure_server()) as redis, ExitStack() as running:
        queue = {"DXSPAN_REDIS_URL": redis.url, "DXSPAN_QUEUE_KEY": new_queue_key()}
        for _ in range(workers):
            running.enter_context(process(["-m", "benchmarks.charts_at_once", "--worker"], queue))
        web = queue | {
            "DXSPAN_FEEDBACK_DATABASE_URL": "sqlite://",
            "DXSPAN_METRICS": "true",
            "DXSPAN_DEADLINE_MS": str(int(DEADLINE_SECONDS * 1000)),
        }
        pid = running.enter_context(process(["-m", "cds_hooks", "--port", str(port), "--development"], web))
        seconds_until_answers(f"http://127.0.0.1:{port}/readyz")
        while call_at_once(port, [request(notes=1, paragraphs=1, mark="first")])[0].state != "silent":
            time.sleep(0.1)  # until a worker is there
        yield port, pid


def measure(charts: int = 500, workers: int = 2) -> Storm:
    """One storm."""
    with stack(workers) as (port, web):
        before, cpu = counted_answers(port), cpu_seconds(web)
        same = [request(notes=2, paragraphs=3, mark=f"same {number % 10}") for number in range(charts // 2)]
        different = [request(notes=2, paragraphs=3, mark=f"own {number}") for number in range(charts - len(same))]
        mixed = [call for pair in zip(same, different, strict=False) for call in pair]
        answers = call_at_once(port, mixed)
        cpu = cpu_seconds(web) - cpu
        return Storm(answers, counted_answers(port) - before, cpu)


def counted_answers(port: int) -> float:
    """Sum of `dxspan_answers_total`."""
    page = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
    return sum(float(count) for count in re.findall(r"^dxspan_answers_total\{.*\} (\S+)$", page, re.MULTILINE))


def main() -> int:
    """Prints what came of it; 1 where the row does not hold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.charts_at_once", description=__doc__)
    parser.add_argument("--charts", type=int, default=500)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        return worker_main([], load_reader=SteadyReader)
    storm = measure(options.charts, options.workers)
    for outcome, count in storm.by_outcome.most_common():
        print(f"{count:5d}  {outcome}")
    print(f"p95 {storm.p95:.2f} s, worst {storm.worst:.2f} s, counted {storm.counted:.0f} of {len(storm.answers)}")
    print(f"CPU of the web process {storm.cpu_seconds:.2f} s")
    print(f"on {len(os.sched_getaffinity(0))} cores: {'holds' if storm.holds else 'does not hold'}")
    return 0 if storm.holds else 1


if __name__ == "__main__":
    sys.exit(main())
