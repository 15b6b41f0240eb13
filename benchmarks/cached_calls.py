"""Charts opened again at a steady 50 requests/s: the real web process, Redis and a worker, every call with its own token.

Blocks of calls to dxspan and to a bare echo of the same requests take turns, sent at the same rate by the same caller; the
echo tells what this machine adds by itself. Every call is a chart whose answer is kept, by a reader who has not seen it.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import orjson

from benchmarks.calls_at_once import http_request
from benchmarks.processes import process, seconds_until_answers
from benchmarks.request_of_90_kb import request
from benchmarks.section import Aim, Options, Section, alone, percentile
from benchmarks.service import Service, Web, service, state_of
from benchmarks.steady_calls import Timed, call_steadily
from worker.local_redis import free_port

PER_SECOND = 50.0
BLOCKS, CALLS, ECHO_CALLS, WARM_UP = 4, 500, 250, 100
CHARTS = 25
AIM_P95_MS, AIM_P99_MS = 50.0, 150.0
DEADLINE_SECONDS = 30
"""Not the shipped one: no call may be answered early, from less."""
LATE_SHARE = 0.3
"""Of a time, that the caller itself may add where times are divided."""


@dataclass(frozen=True, slots=True)
class Cached:
    """Every counted call, and those to the echo."""

    calls: list[Timed]
    echoes: list[Timed]

    @property
    def with_card(self) -> int:
        return sum(bool(call.body.get("cards")) for call in self.calls)

    @property
    def in_full(self) -> float:
        """Share of the calls whose answer was not a degraded one, nor an error."""
        return sum(state_of(call) in ("answered", "silent") for call in self.calls) / len(self.calls)

    @property
    def times(self) -> list[float]:
        return [call.milliseconds for call in self.calls]

    @property
    def echo_times(self) -> list[float]:
        return [call.milliseconds for call in self.echoes]


def measure(options: Options) -> Cached:
    """Raises ValueError where a chart could not be read at all."""
    with service() as running:
        running.start_worker()
        web = running.start_web({"DXSPAN_DEADLINE_MS": str(1000 * DEADLINE_SECONDS)})
        _read_once(running, web)
        return _take_turns(web, options)


def _read_once(running: Service, web: Web) -> None:
    for chart in range(CHARTS):
        answer = web.call(_opened(chart))
        if state_of(answer) == "degraded":
            raise ValueError(f"the chart could not be read: {answer.body}")
    running.wait_for_idle_workers()


def _take_turns(web: Web, options: Options) -> Cached:
    port = free_port()
    calls: list[Timed] = []
    echoes: list[Timed] = []
    with process(["-m", "benchmarks.serve_echo", str(port)]):
        seconds_until_answers(f"http://127.0.0.1:{port}/healthz")
        _block(web, options.times(WARM_UP))
        call_steadily(port, _echo_requests(options.times(WARM_UP)), PER_SECOND)
        for _ in range(BLOCKS):
            calls += _block(web, options.times(CALLS))
            echoes += call_steadily(port, _echo_requests(options.times(ECHO_CALLS)), PER_SECOND)
    return Cached(calls, echoes)


def _block(web: Web, count: int) -> list[Timed]:
    bodies = [_opened(number % CHARTS) for number in range(count)]
    return call_steadily(web.port, web.signed(bodies), PER_SECOND)


def _echo_requests(count: int) -> list[bytes]:
    return [http_request(orjson.dumps(_opened(number % CHARTS))) for number in range(count)]


def _opened(chart: int) -> dict[str, Any]:
    return request(mark=f"chart {chart}", patient_id=f"bench-{chart}")


def section(options: Options) -> Section:
    """Measures, and says it."""
    return told(measure(options))


def times_the_echo(found: Cached, percent: float) -> str:
    """Of that percentile; a dash where the caller itself was late with either, for then the ratio would tell of the caller."""
    times = [percentile([call.milliseconds for call in calls], percent) for calls in (found.calls, found.echoes)]
    lates = [percentile([call.late_ms for call in calls], percent) for calls in (found.calls, found.echoes)]
    told = all(late <= LATE_SHARE * time for late, time in zip(lates, times, strict=True))
    return f"{times[0] / times[1]:.1f}" if told else "–"


def told(found: Cached) -> Section:
    """The part of the page."""
    ours, echo = found.times, found.echo_times
    ratios = {percent: times_the_echo(found, percent) for percent in (50, 95, 99)}
    rows = [
        f"| {percent:g} | {percentile(ours, percent):.1f} ms | {percentile(echo, percent):.1f} ms | {ratio} |"
        for percent, ratio in ratios.items()
    ]
    late = percentile([call.late_ms for call in [*found.calls, *found.echoes]], 99)
    kilobytes = len(orjson.dumps(request())) / 1000
    lines = [
        f"Charts opened again, {PER_SECOND:.0f} requests/s sent at a steady rate whether or not those before are answered and timed from when",
        f"they were due; {kilobytes:.0f} kB each, signed (ES384), by a reader who has not seen the card. The real web process, Redis and a",
        f"worker; beside it a bare echo of the same requests at the same rate, in turns. {len(ours)} calls, {found.with_card} answered with a card,",
        f"{found.in_full:.1%} not degraded; {len(echo)} echoes; the caller itself was at most {late:.1f} ms late in 99% of calls.",
        f"Measured under a deadline of {DEADLINE_SECONDS} s, not the shipped one, so that no answer is one cut short.",
        "",
        "| percentile | dxspan | bare echo | times the echo |",
        "|---|---:|---:|---:|",
        *rows,
    ]
    if "–" in ratios.values():
        lines += [
            "",
            f"–: the caller itself was late by more than {LATE_SHARE:.0%} of a time, so that a ratio would tell of the caller.",
        ]
    aims = [
        Aim("cached, 50 requests/s, p95", percentile(ours, 95), AIM_P95_MS, "ms"),
        Aim("cached, 50 requests/s, p99", percentile(ours, 99), AIM_P99_MS, "ms"),
        Aim("cached, 50 requests/s, not degraded", 100 * found.in_full, 100, "%", at_least=True),
    ]
    return Section("Charts opened again", lines, aims, {"cached": ours, "bare echo": echo})


if __name__ == "__main__":
    sys.exit(alone(section, __doc__))
