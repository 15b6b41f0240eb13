"""How much memory this process has held at most."""

from __future__ import annotations

import resource
import sys

import torch


def peak_megabytes() -> float:
    """Of the GPU where there is one, else resident memory of the process since it began."""
    if torch.cuda.is_available():
        return round(torch.cuda.max_memory_allocated() / 1e6, 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6, 1)
