"""`python -m benchmarks [--write FILE]`: every benchmark in one run, as one Markdown page."""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks import end_to_end, knowledge_load, protocol_cost, queue_round_trip, start_up


def page() -> str:
    """Runs everything; a few minutes."""
    lines = [
        "# Performance",
        "",
        "Written by `make benchmarks` (`python -m benchmarks`), all in one run on one machine:",
        f"{_cores()} cores, Python {platform.python_version()}. Shared machines are noisy: ratios count, not milliseconds.",
        "",
        *_protocol(),
        *_latency(),
        *knowledge_load.lines(),
        *_start_up(),
        *_queue(),
    ]
    return "\n".join(lines)


def _cores() -> int:
    import os

    return len(os.sched_getaffinity(0))


def _protocol() -> Iterator[str]:
    cost = protocol_cost.measure()
    yield "## What the protocol costs"
    yield ""
    yield f"CPU time of one `patient-view` request of {cost.request_kb:.0f} kB (a patient, 20 problems, 50 results, 10 notes) in the"
    yield "web process, without tokens and without any reading, beside a bare FastAPI echo of the same request:"
    yield ""
    yield "| hook | bare echo | ratio | aim |"
    yield "|---|---|---|---|"
    yield f"| {cost.hook_ms:.2f} ms | {cost.echo_ms:.2f} ms | {cost.ratio:.1f} | {protocol_cost.AIM:.0f} |"
    yield ""


def _latency() -> Iterator[str]:
    found, memory = end_to_end.measure()
    yield "## From request to card"
    yield ""
    yield "The real `dxspan-serve` reading in process. Notes of 1.2 kB (2 notes) and 4.4 kB (10 notes). Cold: every chart is new;"
    yield f"cached: the same chart under a new hookInstance. Resident memory afterwards {memory:.0f} MiB."
    yield ""
    yield "| chart | clients | p50 | p95 | answered with a card |"
    yield "|---|---|---|---|---|"
    for latency in found:
        yield f"| {latency.case} | {latency.clients} | {latency.p50:.0f} ms | {latency.p95:.0f} ms | {latency.cards} of {latency.calls} |"
    yield ""


def _start_up() -> Iterator[str]:
    yield "## Start-up and memory"
    yield ""
    yield "| process | seconds | resident |"
    yield "|---|---|---|"
    for started in start_up.measure():
        yield f"| {started.what} | {started.seconds:.2f} | {started.memory_mib:.0f} MiB |"
    yield ""


def _queue() -> Iterator[str]:
    figures = queue_round_trip.measure()
    yield "## The queue"
    yield ""
    yield "A reading that does nothing, 8 kB of notes, through Redis and a worker, beside a bare Redis round trip:"
    yield ""
    yield "| figure | value |"
    yield "|---|---|"
    for name, value in figures.items():
        yield f"| {name} | {value:.2f} |"
    yield ""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--write", type=Path, help="Markdown file to write; without it the page is printed")
    options = parser.parse_args()
    written = page()
    if options.write:
        options.write.write_text(written, encoding="utf-8")
    else:
        print(written)
    return 0


if __name__ == "__main__":
    sys.exit(main())
