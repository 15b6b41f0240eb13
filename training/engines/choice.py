"""Where shards are worked on: the arguments that say so, and the one way to have a step done for all of them.

Input : an engine, what each process needs first, a step and its shards     Output: what the step gave, in the shards' order
Knows the engines by name; how each works is in `processes` and `ray_cluster`. A step is a function of a module and takes one
shard; shards and answers are names, numbers and places in files, never text of a chart: that goes from disk to disk.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Literal

Name = Literal["processes", "ray"]
NAMES: tuple[Name, ...] = ("processes", "ray")
LOCAL = "local"

Step = Callable[[Any], Any]
Run = Callable[[Step, Iterable[Any]], Iterator[Any]]
"""Does a step for each shard; a few shards are under way at a time, however many there are."""


@dataclass(frozen=True, slots=True)
class Engine:
    """What was asked for. workers: processes; 0 with Ray = all processors of the cluster."""

    name: Name = "processes"
    workers: int = 1
    address: str = LOCAL
    """Of a Ray cluster; `auto` = the one this machine belongs to, `local` = one of its own."""

    @property
    def in_this_process(self) -> bool:
        return self.name == "processes" and self.workers <= 1

    def ready(self, prepare: Callable[[Any], None], given: Any) -> AbstractContextManager[Run]:
        """Every process calls `prepare(given)` before its first step. Raises ValueError where the engine cannot be had.

        A step's own ValueError arrives as one; a failure in another process as ValueError naming its kind and line alone.
        """
        if self.name == "ray":
            from training.engines.ray_cluster import on_ray

            return on_ray(self.address, self.workers, prepare, given)
        if self.in_this_process:
            return _here(prepare, given)
        from training.engines.processes import in_processes

        return in_processes(self.workers, prepare, given)


ONE_PROCESS = Engine()
"""This one."""


def add_engine_arguments(parser: ArgumentParser) -> None:
    """--workers, --engine and --address."""
    parser.add_argument("--workers", type=int, default=None, help="processes (default: 1; with Ray all processors)")
    parser.add_argument(
        "--engine", choices=NAMES, default="processes", help="processes of this machine, or Ray (default: %(default)s)"
    )
    parser.add_argument(
        "--address",
        help="of the Ray cluster, `auto` for the one this machine belongs to (default: Ray on this machine alone); all folders"
        " and the key must lie where every node sees them under the same path",
    )


def engine_of(options: Namespace) -> Engine:
    """Raises ValueError for arguments that do not go together."""
    if options.workers is not None and options.workers < 1:
        raise ValueError("--workers counts from 1")
    if options.engine != "ray":
        if options.address:
            raise ValueError("--address names a Ray cluster: give --engine ray as well")
        return Engine(workers=options.workers or 1)
    return Engine("ray", options.workers or 0, options.address or LOCAL)


@contextmanager
def _here(prepare: Callable[[Any], None], given: Any) -> Iterator[Run]:
    prepare(given)
    yield lambda step, shards: map(step, shards)
