"""Several processes of this machine.

Knows that a process may be killed (for memory, mostly): the run then ends with a word on it instead of waiting for ever.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from multiprocessing.pool import AsyncResult
from typing import Any

from training.engines.choice import Run, Step
from training.engines.in_order import UNDER_WAY, WorkerFailed, in_order

_LOOK_SECONDS = 2.0


@contextmanager
def in_processes(workers: int, prepare: Callable[[Any], None], given: Any) -> Iterator[Run]:
    """`workers` fresh processes that import what they need."""
    others = set(multiprocessing.active_children())
    with multiprocessing.get_context("spawn").Pool(workers, prepare, (given,)) as pool:
        crew = set(multiprocessing.active_children()) - others

        def take(ticket: AsyncResult[Any]) -> Any:
            while not ticket.ready():
                ticket.wait(_LOOK_SECONDS)
                if not ticket.ready() and not all(process.is_alive() for process in crew):
                    raise WorkerFailed("a worker process was ended from outside; the same command goes on from here")
            return ticket.get()

        def run(step: Step, shards: Iterable[Any]) -> Iterator[Any]:
            return in_order(shards, lambda shard: pool.apply_async(step, (shard,)), take, most=UNDER_WAY * workers)

        yield run
