"""A piece of work in a process of its own: what it gives, the processor time it took, and the most memory it held."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Generic, TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Taken(Generic[Result]):
    """What was asked for, and what it took."""

    result: Result
    seconds: float
    """Of processor time, all threads together; with the imports that the work makes itself."""
    peak_mib: float
    """Most resident memory."""


def in_own_process(work: Callable[..., Result], *args: object) -> Taken[Result]:
    """`work` must be a function of a module. Raises what it raises."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_watched, work, args).result()


def _watched(work: Callable[..., Result], args: Sequence[object]) -> Taken[Result]:
    began = time.process_time()
    result = work(*args)
    return Taken(result, time.process_time() - began, _peak_mib())


def _peak_mib() -> float:
    """Of this process since it began."""
    line = next(line for line in Path("/proc/self/status").read_text("ascii").splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
