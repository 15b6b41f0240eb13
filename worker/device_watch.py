"""Looks after each reading how the reader's device fares, and ends the worker when it is lost.

Knows DeviceHealth and how a Celery worker is told to end after the task at hand. The chart was read on the CPU
meanwhile; a process does not get a lost GPU back, but its successor may, and one without a GPU reads on the CPU.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable

from celery.worker import state

from nlp_core.device_faults import DeviceHealth
from worker.loaded_model import ChartReader
from worker.settings import WorkerSettings
from worker.watch import DEVICE_FAULTS

log = logging.getLogger(__name__)

DEVICE_LOST = 4
"""Exit status of a worker that ended because its GPU was lost."""


class DeviceWatch:
    """Watches one reader."""

    def __init__(self, end: Callable[[], None]) -> None:
        """`end`: has the worker end after the task at hand."""
        self._end = end
        self._told = False

    def look(self, reader: ChartReader) -> None:
        """Call after each reading."""
        health = getattr(reader, "device", None)
        if not isinstance(health, DeviceHealth):
            return
        for fault, count in health.faults.items():
            DEVICE_FAULTS.labels(fault).set(count)
        if health.lost and not self._told:
            self._told = True
            log.critical("the GPU is lost: this worker ends, to be replaced")
            self._end()


def end_of_worker(settings: WorkerSettings) -> Callable[[], None]:
    """How this process is told to end: a child of `prefork` alone, else the worker."""

    def end_child() -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    def end_worker() -> None:
        state.should_stop = DEVICE_LOST

    return end_child if settings.worker_pool == "prefork" else end_worker
