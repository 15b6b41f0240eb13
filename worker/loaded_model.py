"""The reader of this process: what it must offer, and how it comes to be loaded once.

Knows nlp_core.assess only by import at the moment of loading, so that a process that never reads never pays for it.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from nlp_core.answers import Answer
from nlp_core.assessment import Assessment
from nlp_core.chart import Chart
from worker.sentence_memory import SentenceMemory


class ChartReader(Protocol):
    """What reads charts: nlp_core.assess.Reader, or a small deterministic one in tests.

    One that runs on a device says in an attribute `device` (DeviceHealth) how that fares.
    """

    @property
    def model_version(self) -> str:
        """`<bundle version>+<first 12 hex digits of the bundle's digest>`; the same in every assessment it makes."""
        ...

    def assess(self, chart: Chart, *, deadline: float | None = None) -> Assessment:
        """Read `chart`, newest notes first, until `deadline` (`time.monotonic()` seconds of this process).

        May be called from several threads at once.
        """
        ...

    def answer(self, question: str, chart: Chart, *, deadline: float | None = None) -> Answer:
        """Answer `question` from the notes of `chart` or from the knowledge; `deadline` as for `assess`."""
        ...


LoadReader = Callable[[], ChartReader]


def bundle_reader(bundle_path: Path | None, memory: SentenceMemory | None = None) -> LoadReader:
    """Loads the reader from the bundle at `bundle_path`, or from the one that set-up composed where None.

    memory: of sentences read before; None = each is read anew.
    """

    def load() -> ChartReader:
        from nlp_core.assess import Reader
        from nlp_core.model_bundle import composed_bundle_path

        remember = memory.of_model if memory else None
        return Reader.load(bundle_path or composed_bundle_path(), remember=remember)

    return load


class LoadedModel:
    """Loads its reader on first use and keeps it; threads that ask meanwhile wait for the same one."""

    def __init__(self, load_reader: LoadReader) -> None:
        self._load_reader = load_reader
        self._reader: ChartReader | None = None
        self._lock = threading.Lock()

    @property
    def loaded(self) -> bool:
        return self._reader is not None

    @property
    def reader(self) -> ChartReader:
        """The reader, loaded now if need be. Raises whatever loading raises; the next call tries again."""
        with self._lock:
            if self._reader is None:
                self._reader = self._load_reader()
                # Half a million objects that stay: the collector would look through them all every dozen charts, and hold one
                # reading up by a third of a second each time (docs/log.md).
                gc.collect()
                gc.freeze()
            return self._reader
