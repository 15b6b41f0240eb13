"""The soak starts again what ends, judges the memory of each process by its longest run, and names the aims it missed."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.calls_at_once import Answered
from benchmarks.soak_faults import Stack, kill_worker
from benchmarks.soak_plot import plot
from benchmarks.soak_report import Memory, Samples, Soak, page


def run(minutes: float, mib_per_hour: float, *, begun: float = 0, warm_up: float = 100) -> Samples:
    """Memory that fills by `warm_up` MiB in the first fifth, then grows steadily; a sample each second."""
    seconds = range(int(minutes * 60))
    fifth = len(seconds) / 5
    return [(begun + s, 70 + warm_up * min(s / fifth, 1) + mib_per_hour * s / 3600) for s in seconds]


@pytest.mark.parametrize(
    ("runs", "verdict"),
    [
        ([run(30, 0)], "flat"),
        ([run(30, 25)], "flat"),
        ([run(30, 40)], "grows"),
        ([run(2, 4000)], "too short to tell"),
        ([run(1, 0), run(20, 90, begun=60), run(2, 0, begun=1260)], "grows"),
        ([run(0.1, 0)] * 9, "too short to tell"),
    ],
)
def test_memory_is_judged_by_the_longest_run_after_its_warm_up(runs: list[Samples], verdict: str) -> None:
    memory = Memory()
    for pid, samples in enumerate(runs, 100):
        for seconds, mib in samples:
            memory.add(pid, seconds, mib)
    assert len(memory.runs) == len(runs)
    assert memory.verdict == verdict


def soak(**changes: object) -> Soak:
    answered = Answered(200, 0.1, {})
    memory = {"web": Memory([run(30, 5)]), "worker 1": Memory([run(1, 0), run(30, 80)])}
    return Soak(30, **({"answers": [answered] * 9, "counted": 9.0, "memory": memory} | changes))


def test_the_page_says_each_process_and_what_was_missed() -> None:
    text = "\n".join(page(soak(), "soak.svg"))
    assert "**Missed: the memory of worker 1 grows.**" in text
    assert "| web | 1 | 30.0 | 70 to 172 | +5 | **flat** |" in text
    assert "| worker 1 | 2 | 30.0 | 70 to 210 | +80 | **grows** |" in text
    assert "![Resident memory of each process over time; a gap is a restart](soak.svg)" in text
    assert "All aims are met" in "\n".join(page(soak(memory={})))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"answers": []}, "no call was answered"),
        ({"answers": [Answered(503, 0.1, {})]}, "other than 200"),
        ({"answers": [Answered(200, 1.7, {})], "counted": 1.0}, "1 answers came late"),
        ({"counted": 8.0}, "not every answer was counted"),
        ({"canary_hits": 2}, "2 canaries were found"),
    ],
)
def test_every_aim_that_is_missed_is_named(changes: dict[str, object], said: str) -> None:
    assert any(said in one for one in soak(**changes).missed)


def test_the_plot_has_a_line_for_each_run() -> None:
    drawn = plot({"web": [run(1, 0)], "worker 1": [run(0.2, 0), run(0.2, 0, begun=30)]})
    assert drawn.count("<polyline") == 3 + 1  # and the axes


def test_what_ends_is_started_again_and_counted(tmp_path: Path) -> None:
    stack = Stack(tmp_path)

    def ends_with(status: int) -> Callable[[], subprocess.Popen[bytes]]:
        return lambda: subprocess.Popen(
            [sys.executable, "-c", f"import time; time.sleep(30 - 30 * {status}); exit({status})"]
        )

    try:
        stack.commands = {"worker 1": ends_with(0), "worker 2": ends_with(1)}
        stack.running = {name: start() for name, start in stack.commands.items()}
        first = stack.running["worker 1"]
        supervisor = threading.Thread(target=stack.supervise, args=(time.monotonic() + 30,))
        supervisor.start()
        kill_worker(stack)()
        until = time.monotonic() + 25
        while stack.running["worker 1"] is first or not stack.ended["worker 2, status 1"]:
            assert time.monotonic() < until
            time.sleep(0.05)
        assert stack.ended["worker 1, status -9"] == 1
    finally:
        stack.enough.set()
        supervisor.join()
        stack.close()
