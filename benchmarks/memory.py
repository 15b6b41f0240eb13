"""Memory of each process, started and after work: PSS (shared pages divided among those that share them) and USS (without).

The real web process and two workers, as two are what an installation runs at least; the work is charts nobody has read.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from benchmarks.new_charts import ChartSource
from benchmarks.processes import private_mib, resident_mib
from benchmarks.section import Options, Section, alone
from benchmarks.service import service

CHARTS = 30


@dataclass(frozen=True, slots=True)
class Held:
    """MiB."""

    resident: float
    pss: float
    uss: float

    @classmethod
    def of(cls, pid: int) -> Held:
        return cls(resident_mib(pid), *private_mib(pid))


def measure(options: Options) -> dict[str, tuple[Held, Held]]:
    """Started, and after work, by process."""
    source = ChartSource()
    with service() as running:
        workers = [running.start_worker() for _ in range(2)]
        web = running.start_web({"DXSPAN_DEADLINE_MS": "60000"})
        web.call(source.new(1, 500).request())
        pids = {"web process": web.pid} | {f"worker {number}": pid for number, pid in enumerate(workers, 1)}
        before = {name: Held.of(pid) for name, pid in pids.items()}
        for _ in range(options.times(CHARTS)):
            web.call(source.new(4).request())
        return {name: (before[name], Held.of(pid)) for name, pid in pids.items()}


def section(options: Options) -> Section:
    """Measures, and says it."""
    found = measure(options)
    lines = [
        f"PSS: shared pages divided among those that share them. USS: without. After one chart, and after {options.times(CHARTS)} more of 4 notes of 3 kB.",
        "",
        "| process | PSS, USS started | PSS, USS after work | resident after work |",
        "|---|---:|---:|---:|",
        *(
            f"| {name} | {a.pss:.0f}, {a.uss:.0f} MiB | {b.pss:.0f}, {b.uss:.0f} MiB | {b.resident:.0f} MiB |"
            for name, (a, b) in found.items()
        ),
    ]
    return Section("Memory by process", lines)


if __name__ == "__main__":
    sys.exit(alone(section, __doc__))
