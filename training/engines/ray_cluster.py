"""The same steps as tasks of a Ray cluster, or of Ray on this machine alone.

Knows Ray's ways: it reports its use unless told not to, prints what workers print, keeps logs and spills answers to disk.
So it is told not to, workers print nowhere, a failure says its kind and line alone, and steps hand over no text. A task whose
node falls away is done again elsewhere: a step's files are whole or not there.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any

from training.engines.choice import LOCAL, Run, Step
from training.engines.in_order import UNDER_WAY, WorkerFailed, in_order, place_of

HOW_TO_INSTALL = "python -m pip install --no-deps --require-hashes -r requirements/cluster.lock"
NO_REPORTS = {"RAY_USAGE_STATS_ENABLED": "0"}
_STORE_BYTES = 80 * 1024 * 1024
"""Near Ray's least: answers are small."""
_TRIES = 3

_prepared_for: list[str] = []
"""Of one worker process: the run that it is prepared for."""


@dataclass(frozen=True, slots=True)
class _Failure:
    """What a task gives instead of raising: Ray writes raised errors to its logs, words and all."""

    said: str


@contextmanager
def on_ray(address: str, workers: int, prepare: Callable[[Any], None], given: Any) -> Iterator[Run]:
    """Raises ValueError where Ray is not installed or the cluster is not there."""
    ray = _ray()
    own_folder = tempfile.mkdtemp(prefix="dxspan-ray-") if address == LOCAL else None
    try:
        _connect(ray, address, workers, own_folder)
        processors = int(ray.cluster_resources().get("CPU", 0)) or 1
        bounded = workers and not own_folder  # Ray of our own has as many processors as were asked for
        most = min(workers, processors) if bounded else UNDER_WAY * processors
        task = ray.remote(num_cpus=1, max_retries=_TRIES)(_do)
        run_id = os.urandom(8).hex()

        def take(ticket: Any) -> Any:
            try:
                answer = ray.get(ticket)
            except ray.exceptions.RayError as error:
                raise WorkerFailed(f"Ray gave a task up ({type(error).__name__}); the same command goes on") from None
            if isinstance(answer, _Failure):
                raise WorkerFailed(f"a step failed on a Ray worker: {answer.said}")
            return answer

        def run(step: Step, shards: Iterable[Any]) -> Iterator[Any]:
            def hand_out(shard: Any) -> Any:
                return task.remote(run_id, prepare, given, step, shard)

            return in_order(shards, hand_out, take, most=most)

        yield run
    finally:
        ray.shutdown()
        if own_folder:
            shutil.rmtree(own_folder, ignore_errors=True)


def _ray() -> Any:
    """Before the import: Ray reads its environment then."""
    os.environ.update(NO_REPORTS)
    try:
        import ray
    except ImportError:
        raise ValueError(f"--engine ray needs Ray, which is not installed: {HOW_TO_INSTALL}") from None
    return ray


def _connect(ray: Any, address: str, workers: int, own_folder: str | None) -> None:
    quiet = {"log_to_driver": False, "logging_level": "ERROR"}
    if own_folder:
        _begin(
            ray,
            address=LOCAL, num_cpus=workers or None, include_dashboard=False, _temp_dir=own_folder,
            object_store_memory=_STORE_BYTES, **quiet,
        )  # fmt: skip
        return
    try:
        ray.init(address=address, **quiet)
    except (ConnectionError, ValueError) as error:
        raise ValueError(
            f"no Ray cluster at {address}: {type(error).__name__}; `ray start --head` begins one"
        ) from None


def _begin(ray: Any, **options: Any) -> None:
    """Ray gives its processes half a minute to start and then raises what has no name of its own."""
    try:
        ray.init(**options)
    except Exception as error:
        raise ValueError(f"Ray did not start on this machine ({type(error).__name__}); is it very busy?") from None


def _do(run_id: str, prepare: Callable[[Any], None], given: Any, step: Step, shard: Any) -> Any:
    """One step in a worker process, which is prepared once for each run."""
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        try:
            if _prepared_for != [run_id]:
                prepare(given)
                _prepared_for[:] = [run_id]
            return step(shard)
        except Exception as error:
            return _Failure(place_of(error))
