"""Keeps for a while what was gathered from a prefetch: a chart opened again with the same bytes is not read again.

An EHR calls for each opening of a chart, for each reader and each service, and mostly sends the same prefetch byte for byte.
Input: the prefetch's bytes as a keyed mark, and all else that a chart depends on; output: the chart as it would be read now.
Knows neither JSON nor FHIR. Holds words of charts: in this process's memory alone, never written anywhere, bounded in number,
size and time, each tenant's for itself, and gone when the process ends. A use does not lengthen a chart's time.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
import sys
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from cds_hooks.services import PrefetchTemplate
from nlp_core.chart import Chart
from nlp_core.read_chart import ReadChart

SWEEP_SECONDS = 30.0
BYTES_OF_FACT = 3072
"""What a coded fact or problem takes in memory, its codes and their words included."""


@dataclass(frozen=True, slots=True)
class Source:
    """All that a chart depends on but for the moment."""

    tenant: str
    mark: bytes
    """Of the prefetch's bytes."""
    patient_id: str
    base_url: str
    templates: tuple[PrefetchTemplate, ...]
    allow_restricted: bool
    served: bool
    """A FHIR server could be asked for what is missing."""


@dataclass(frozen=True, slots=True)
class _Kept:
    source: Source
    read: ReadChart
    size: int
    until: float


class OpenedCharts:
    """The charts of one process, of each prefetch the one read last."""

    def __init__(
        self, most: int, most_bytes: int, seconds: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """most, most_bytes: 0 = nothing is kept; the least recently used go first. Bytes are estimated (size_of)."""
        self._most = most
        self._most_bytes = most_bytes
        self._seconds = seconds
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._kept: OrderedDict[tuple[str, bytes], _Kept] = OrderedDict()
        self._bytes = 0

    def mark(self, prefetch: bytes) -> bytes:
        """The same bytes give the same mark, in this process alone."""
        return hmac.digest(self._key, prefetch, "sha256")

    def known(self, tenant: str, mark: bytes) -> bool:
        """Was a chart of this tenant read from these very bytes, which therefore are strict JSON?"""
        kept = self._kept.get((tenant, mark))
        return kept is not None and self._clock() < kept.until

    def find(self, source: Source, as_of: datetime) -> Chart | None:
        """The chart as it would be read at `as_of`; None where it has to be read."""
        key = source.tenant, source.mark
        kept = self._kept.get(key)
        if kept is None or kept.source != source or self._clock() >= kept.until:
            return None
        self._kept.move_to_end(key)
        return kept.read.at(as_of)

    def keep(self, source: Source, read: ReadChart) -> None:
        """Keep what was read from `source` and from nothing else."""
        size = size_of(read.chart)
        if not self._most or size > self._most_bytes:
            return
        key = source.tenant, source.mark
        self._drop(key)
        self._kept[key] = _Kept(source, read, size, self._clock() + self._seconds)
        self._bytes += size
        while len(self._kept) > self._most or self._bytes > self._most_bytes:
            self._drop(next(iter(self._kept)))

    async def run(self) -> None:
        """Let go of what has had its time, until cancelled."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            for key in [key for key, kept in self._kept.items() if self._clock() >= kept.until]:
                self._drop(key)

    async def close(self) -> None:
        """Forget all."""
        self._kept.clear()
        self._bytes = 0

    @property
    def held(self) -> tuple[int, int]:
        """Charts, and their bytes."""
        return len(self._kept), self._bytes

    def _drop(self, key: tuple[str, bytes]) -> None:
        gone = self._kept.pop(key, None)
        self._bytes -= gone.size if gone else 0


def size_of(chart: Chart) -> int:
    """Bytes that a chart takes in memory, estimated from above."""
    texts = sum(sys.getsizeof(note.text) for note in chart.notes)
    return texts + BYTES_OF_FACT * (2 + len(chart.notes) + len(chart.facts) + len(chart.problems) + len(chart.unread))
