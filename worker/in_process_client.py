"""Reads charts inside the calling process: the default without Redis, and the fallback when Redis is down.

Knows threads, deadlines and a cache in memory; does not know how reading works. Reading runs in threads of its own, so
the event loop stays free; onnxruntime lets go of the interpreter while it computes.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path

from nlp_core.answers import Answer
from nlp_core.assessment import Assessment
from nlp_core.chart import Chart
from worker.answer_cache import AnswerCache
from worker.chart_digest import UnwritableChart, chart_digest
from worker.client import Answered, Reading
from worker.loaded_model import ChartReader, LoadedModel, LoadReader, bundle_reader
from worker.reading_budget import COMPLETE_SECONDS, read_within, reading_seconds, says_something, worth_keeping
from worker.sentence_memory import GaveWay, MarkedReadings, SentenceMemory
from worker.single_flight import SingleFlight
from worker.tracing import span
from worker.watch import GAVE_WAY, READINGS, SHED

log = logging.getLogger(__name__)

RETRY_LOADING_SECONDS = 30.0
GIVE_WAY_SECONDS = 0.05
"""How long a reading that gave way waits before it tries to go on."""
MAX_AHEAD = 2
"""Charts read before anybody opens them, beyond which the next one is shed."""
MAX_FINISHING = 4
"""Charts to be read whole after their deadline, beyond which the next one is given up: fresh charts come first."""

Key = tuple[str, str]
"""Tenant and chart digest."""


class InProcessClient:
    """A `SpareClient` of its own threads: `threads` for readings somebody waits for, one for finishing the others."""

    def __init__(
        self,
        bundle_path: Path | None = None,
        *,
        load_reader: LoadReader | None = None,
        threads: int = 1,
        max_waiting: int = 16,
        cache_entries: int = 256,
        cache_seconds: float = 900.0,
        sentence_bytes: int = 64 * 2**20,
        sentence_seconds: float = 14_400.0,
    ) -> None:
        """`bundle_path`: None = the bundle that set-up composed. `load_reader` replaces loading from a bundle.

        `max_waiting`: charts in hand beyond which a new one is `overloaded`. `sentence_bytes`, `sentence_seconds`: most that
        is remembered of sentences, and for how long. Nothing is loaded yet.
        """
        self._memory = SentenceMemory(MarkedReadings(sentence_bytes, sentence_seconds))
        self._model = LoadedModel(load_reader or bundle_reader(bundle_path, self._memory))
        self._max_waiting = max_waiting
        self._answers: AnswerCache[Assessment] = AnswerCache(cache_entries, cache_seconds)
        self._flights: SingleFlight[Key, Reading] = SingleFlight()
        self._ahead: SingleFlight[Key, None] = SingleFlight()
        self._partial: dict[Key, Assessment] = {}
        self._finishing = self._asking = 0
        self._waited_for = 0
        """Readings under way that somebody waits for."""
        self._readers = ThreadPoolExecutor(threads, thread_name_prefix="dxspan-read")
        self._finisher = ThreadPoolExecutor(1, thread_name_prefix="dxspan-finish")
        self._loading: asyncio.Future[ChartReader] | None = None
        self._no_loading_before = -math.inf

    @property
    def ready(self) -> bool:
        return self._model.loaded

    def start_loading(self) -> None:
        """Begin loading the model in a thread. Must be called in the event loop; safe to call again."""
        if self._loading is None and time.monotonic() >= self._no_loading_before:
            self._loading = asyncio.get_running_loop().run_in_executor(self._finisher, lambda: self._model.reader)
            self._loading.add_done_callback(self._loading_ended)

    async def read(self, chart: Chart, *, tenant: str, deadline: float) -> Reading:
        """See ReadingClient.read."""
        reading = await self._read(chart, tenant, deadline)
        READINGS.labels("process", "cached" if reading.cached else reading.degraded or "answered").inc()
        return reading

    async def precompute(self, chart: Chart, *, tenant: str) -> bool:
        """See ReadingClient.precompute. Taken while nothing else is in hand alone: the same cores read what is opened."""
        if not self.ready or self._flights or len(self._ahead) >= MAX_AHEAD:
            SHED.inc()
            return False
        try:
            key = (tenant, chart_digest(chart))
        except UnwritableChart:
            return False
        if self._answers.get(key) is None:
            # No flight: whoever opens the chart meanwhile gets a reading of their own, with their deadline.
            self._ahead.join(key, lambda: self._read_ahead(key, chart))
        return True

    async def ask(self, question: str, chart: Chart, *, tenant: str, deadline: float) -> Answered:
        """See AskingClient.ask. Taken by the thread that finishes charts: a fresh chart never waits for a question."""
        del tenant  # nothing is kept, so nothing can be mixed up
        if not self.ready:
            self.start_loading()
            return Answered(None, "loading")
        if self._asking >= MAX_FINISHING:
            return Answered(None, "overloaded")
        self._asking += 1
        until = time.monotonic() + reading_seconds(deadline - time.monotonic())
        loop = asyncio.get_running_loop()
        asked = loop.run_in_executor(self._finisher, lambda: self._model.reader.answer(question, chart, deadline=until))
        asked.add_done_callback(self._answered)
        try:
            await asyncio.wait({asked}, timeout=max(0.0, deadline - time.monotonic()))
            return Answered(asked.result()) if asked.done() else Answered(None, "deadline")
        except Exception as error:  # whatever a reader may raise: the caller gets a reason, not a 500
            log.error("answering in this process failed: %s", type(error).__name__)
            return Answered(None, "reader-failed")

    def _answered(self, asked: asyncio.Future[Answer]) -> None:
        self._asking -= 1
        if not asked.cancelled():
            asked.exception()  # looked at, so that asyncio does not log one that came after its deadline

    async def close(self) -> None:
        """Drop what waits; a reading under way ends in its thread."""
        self._flights.cancel_all()
        self._ahead.cancel_all()
        for pool in (self._readers, self._finisher):
            pool.shutdown(wait=False, cancel_futures=True)

    async def _read(self, chart: Chart, tenant: str, deadline: float) -> Reading:
        try:
            key = (tenant, chart_digest(chart))
        except UnwritableChart:
            return Reading(None, "reader-failed")
        known = self._answers.get(key)
        if known:
            return Reading(known, cached=True)
        if key not in self._flights and len(self._flights) >= self._max_waiting:
            return Reading(None, "overloaded")
        flight = self._flights.join(key, lambda: self._fly(key, chart, deadline))
        await asyncio.wait({flight}, timeout=max(0.0, deadline - time.monotonic()))
        if flight.done() and not flight.cancelled():
            return flight.result()
        partial = self._partial.get(key)
        if partial:
            return Reading(partial)
        return Reading(None, "deadline" if self.ready else "loading")

    async def _fly(self, key: Key, chart: Chart, deadline: float) -> Reading:
        """Load if need be, read by the deadline, and where that was too short for the chart read it whole."""
        try:
            reader = await self._loaded()
            assessment = await self._read_whole(reader, key, chart, deadline)
        except Exception as error:  # whatever a reader or its loading may raise: the caller gets a reason, not a 500
            log.error("reading in this process failed: %s", type(error).__name__)
            return Reading(None, "reader-failed")
        finally:
            self._partial.pop(key, None)
        if assessment is None:
            return Reading(None, "deadline")
        if worth_keeping(assessment):
            self._answers.put(key, assessment)
        return Reading(assessment)

    async def _read_whole(self, reader: ChartReader, key: Key, chart: Chart, deadline: float) -> Assessment | None:
        first = await self._read_first(reader, key, chart, deadline)
        if first and not first[1]:
            return first[0]
        if first and says_something(first[0]):
            self._partial[key] = first[0]
        return await self._finish(reader, key, chart)

    async def _read_ahead(self, key: Key, chart: Chart) -> None:
        try:
            whole = await self._finish(await self._loaded(), key, chart)
        except Exception as error:  # nobody waits for it: whoever opens the chart meets the fault again, and is told
            log.error("reading ahead in this process failed: %s", type(error).__name__)
            return
        if whole and worth_keeping(whole):
            self._answers.put(key, whole)

    async def _read_first(
        self, reader: ChartReader, key: Key, chart: Chart, deadline: float
    ) -> tuple[Assessment, bool] | None:
        """`read_within` what is left until `deadline` once a thread is free; None when too little is left."""

        def read() -> tuple[Assessment, bool] | None:
            seconds = reading_seconds(deadline - time.monotonic())
            with span("read chart"), self._memory.reading(key[0]):
                return read_within(reader, chart, seconds) if seconds > 0 else None

        if deadline <= time.monotonic():
            return None
        self._waited_for += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._readers, copy_context().run, read)
        finally:
            self._waited_for -= 1

    async def _finish(self, reader: ChartReader, key: Key, chart: Chart) -> Assessment | None:
        """Read the whole chart though its deadline has passed, for the next call; None when too many others do.

        It stops for readings that somebody waits for, and goes on where it was: what it read is remembered.
        """

        def read() -> Assessment | None:
            try:
                with span("read chart"), self._memory.reading(key[0], lambda: self._waited_for > 0):
                    return read_within(reader, chart, COMPLETE_SECONDS)[0]
            except GaveWay:
                GAVE_WAY.inc()
                return None

        if self._finishing >= MAX_FINISHING:
            return None
        self._finishing += 1
        try:
            loop, until = asyncio.get_running_loop(), time.monotonic() + COMPLETE_SECONDS
            whole = await loop.run_in_executor(self._finisher, copy_context().run, read)
            while whole is None and time.monotonic() < until and self._answers.get(key) is None:
                await asyncio.sleep(GIVE_WAY_SECONDS)
                whole = await loop.run_in_executor(self._finisher, copy_context().run, read)
        finally:
            self._finishing -= 1
        return whole if whole and says_something(whole) else None

    async def _loaded(self) -> ChartReader:
        self.start_loading()
        if self._loading is None:
            raise RuntimeError("the model could not be loaded a moment ago")
        return await asyncio.shield(self._loading)

    def _loading_ended(self, loading: asyncio.Future[ChartReader]) -> None:
        if not loading.cancelled() and loading.exception():
            log.error("the model could not be loaded: %s", type(loading.exception()).__name__)
            self._loading = None
            self._no_loading_before = time.monotonic() + RETRY_LOADING_SECONDS
