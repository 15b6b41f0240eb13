"""How many cores this process may run on: those it is bound to, and no more than its container's share of time.

Kubernetes and Docker limit processors by time and show all of the machine's cores: a thread for each of 64 under a limit of two
would be held up in every run. Knows Linux's control groups (version 2, and version 1 where that is mounted).
"""

from __future__ import annotations

import math
import os
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")


def own_cores(groups: Path = GROUPS) -> int:
    """At least 1. groups: where the control groups are mounted; where they say nothing, the cores it is bound to."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min(bound, _time_share(groups))))


def _time_share(groups: Path) -> float:
    """Cores' worth of time; infinite where there is no limit or none can be read."""
    try:
        if (groups / "cpu.max").is_file():
            quota, period = (groups / "cpu.max").read_text("ascii").split()
        else:
            quota, period = ((groups / "cpu" / f"cpu.cfs_{name}_us").read_text("ascii") for name in ("quota", "period"))
        return math.inf if quota.strip() in ("max", "-1") else int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return math.inf
