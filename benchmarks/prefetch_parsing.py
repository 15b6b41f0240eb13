"""Reading a request's JSON the strict way and selecting the chart, beside orjson alone on the same bytes.

In this process, on one thread, in turns; CPU time, as machines are shared. Strict reading refuses what orjson passes or
changes in silence (duplicate keys, lone surrogates, too deep nesting); selecting goes on to the patient's resources, dated,
ordered and filtered, which orjson knows nothing of and which is shown beside it for what it is.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson

from benchmarks.request_of_90_kb import request
from benchmarks.section import Aim, Options, Section, alone
from cds_hooks import strict_json
from nlp_core.fhir_notes import select_chart

ROUNDS, LOOPS = 40, 10
AIM = 1.0
"""Times orjson's time."""


def measure(options: Options) -> dict[str, float]:
    """Milliseconds of CPU by step, medians."""
    body = orjson.dumps(request())
    document = strict_json.loads(body)
    selected = _selected(document)
    steps: dict[str, Callable[[], object]] = {
        "orjson alone": lambda: orjson.loads(body),
        "strict reading": lambda: strict_json.loads(body),
        "selection": lambda: _selected(document),
        "notes and facts": lambda: selected.read({}),
    }
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(options.times(ROUNDS)):
        for name, step in steps.items():
            times[name].append(_cpu_ms(step))
    return {name: statistics.median(values) for name, values in times.items()}


def _selected(document: dict[str, Any]) -> Any:
    bundles = [value for value in document["prefetch"].values() if value]
    return select_chart(bundles, patient_id="bench", as_of=datetime(2026, 11, 23, tzinfo=UTC))


def _cpu_ms(step: Callable[[], object]) -> float:
    begun = time.process_time()
    for _ in range(LOOPS):
        step()
    return 1000 * (time.process_time() - begun) / LOOPS


def section(options: Options) -> Section:
    """Measures, and says it."""
    found = measure(options)
    base = found["orjson alone"]
    lines = [
        f"CPU of one thread for a request of {len(orjson.dumps(request())) / 1000:.0f} kB, medians of {options.times(ROUNDS)} rounds in turns. Parsing ends with strict reading, whose",
        "result is the one that orjson would give; selection and the reading of notes and facts come on top in every service that uses them.",
        "",
        "| step | CPU | times orjson |",
        "|---|---:|---:|",
        *(f"| {name} | {ms:.2f} ms | {ms / base:.1f} |" for name, ms in found.items()),
    ]
    return Section(
        "Parsing the prefetch", lines, [Aim("prefetch parsed, times orjson", found["strict reading"] / base, AIM)]
    )


if __name__ == "__main__":
    sys.exit(alone(section, __doc__))
