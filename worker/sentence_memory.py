"""What the encoder said of a sentence, kept so that copied-forward words are not read twice.

Input : a sentence's text, for the tenant whose chart is being read
Output: its packed reading, from this process's memory or from the one that workers share in Redis
Knows marks, bytes and ages; the text itself is never kept, here or there: only a keyed mark of tenant, model and text.
A tenant never meets another one's sentences, so the time of an answer tells nothing of what others wrote.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

from worker.payloads import KEY_BYTES, Sealer
from worker.watch import SENTENCE_BYTES, SENTENCE_CHARACTERS, SENTENCES

ENTRY_BYTES = 200
"""What an entry costs besides its reading."""


class GaveWay(Exception):
    """A reading that nobody waits for stopped, because somebody waits for another one. What it read is kept."""


class SharedSentences(Protocol):
    """The memory that several processes share (shared_sentences)."""

    def recall(self, tenant: str, marks: Sequence[str]) -> Sequence[bytes | None]: ...

    def keep(self, tenant: str, readings: Mapping[str, bytes]) -> None: ...


class MarkedReadings:
    """At most `most_bytes` of readings, each for at most `seconds`; the least recently used goes first.

    Safe to use from several threads.
    """

    def __init__(self, most_bytes: int, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._most_bytes = most_bytes
        self._seconds = seconds
        self._clock = clock
        self._kept: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, mark: str) -> bytes | None:
        with self._lock:
            until, reading = self._kept.get(mark, (0.0, b""))
            if until <= self._clock():
                self._forget(mark)
                return None
            self._kept.move_to_end(mark)
            return reading

    def put(self, mark: str, reading: bytes) -> None:
        with self._lock:
            self._forget(mark)
            self._kept[mark] = (self._clock() + self._seconds, reading)
            self._bytes += len(reading) + ENTRY_BYTES
            while self._bytes > self._most_bytes:
                self._forget(next(iter(self._kept)))
            SENTENCE_BYTES.set(self._bytes)

    def _forget(self, mark: str) -> None:
        _, reading = self._kept.pop(mark, (0.0, None))
        if reading is not None:
            self._bytes -= len(reading) + ENTRY_BYTES


@dataclass(frozen=True, slots=True)
class _Occasion:
    """Whose chart this thread reads, and whether it shall stop for another one."""

    tenant: str
    give_way: Callable[[], bool]


class SentenceMemory:
    """The memory of one process: readings by mark, and behind them those that are shared, where there are any.

    Remembers for `reading` alone: a sentence read outside of it belongs to nobody, and is neither recalled nor kept.
    """

    def __init__(
        self, kept: MarkedReadings, *, sealer: Sealer | None = None, shared: SharedSentences | None = None
    ) -> None:
        """sealer: makes the marks; None = under a key of this process alone, as fits where nothing is shared."""
        self._kept = kept
        self._sealer = sealer or Sealer([secrets.token_bytes(KEY_BYTES)])
        self._shared = shared
        self._occasion: ContextVar[_Occasion | None] = ContextVar("reading for", default=None)

    @contextmanager
    def reading(self, tenant: str, give_way: Callable[[], bool] = lambda: False) -> Iterator[None]:
        """What this thread reads inside is `tenant`'s. give_way: asked before each note is encoded; True raises GaveWay."""
        token = self._occasion.set(_Occasion(tenant, give_way))
        try:
            yield
        finally:
            self._occasion.reset(token)

    def of_model(self, model_version: str) -> SentencesOfModel:
        """The part of this memory that holds readings of one model: a Remember of nlp_core.remembered_sentences."""
        from nlp_core.packed_readings import reading_digest  # numpy, which only a process that reads needs

        return SentencesOfModel(self, f"{model_version} {reading_digest()}")

    def recall(self, model: str, texts: Sequence[str]) -> list[bytes | None]:
        """See SentencesOfModel. Raises GaveWay."""
        occasion = self._occasion.get()
        if occasion is None:
            return [None] * len(texts)
        if occasion.give_way():
            raise GaveWay
        once = list(dict.fromkeys(texts))
        _count("chart", list((Counter(texts) - Counter(once)).elements()))
        marks = self._marks(occasion.tenant, model, once)
        found = [self._kept.get(mark) for mark in marks]
        _count("memory", [text for text, reading in zip(once, found, strict=True) if reading is not None])
        self._ask_shared(occasion.tenant, marks, once, found)
        _count("encoder", [text for text, reading in zip(once, found, strict=True) if reading is None])
        known = dict(zip(once, found, strict=True))
        return [known[text] for text in texts]

    def keep(self, model: str, readings: Mapping[str, bytes]) -> None:
        """See SentencesOfModel."""
        occasion = self._occasion.get()
        if occasion is None:
            return
        marked = dict(zip(self._marks(occasion.tenant, model, list(readings)), readings.values(), strict=True))
        for mark, reading in marked.items():
            self._kept.put(mark, reading)
        if self._shared:
            self._shared.keep(occasion.tenant, marked)

    def _ask_shared(self, tenant: str, marks: Sequence[str], texts: Sequence[str], found: list[bytes | None]) -> None:
        """Fill what is missing in `found` from what others read."""
        missing = [place for place, reading in enumerate(found) if reading is None]
        if not self._shared or not missing:
            return
        shared = self._shared.recall(tenant, [marks[place] for place in missing])
        for place, reading in zip(missing, shared, strict=True):
            if reading is not None:
                found[place] = reading
                self._kept.put(marks[place], reading)
        _count("redis", [texts[place] for place in missing if found[place] is not None])

    def _marks(self, tenant: str, model: str, texts: Sequence[str]) -> list[str]:
        return [self._sealer.mark("sentence", tenant, model, text) for text in texts]


@dataclass(frozen=True, slots=True)
class SentencesOfModel:
    """A nlp_core.remembered_sentences.SentenceMemory."""

    memory: SentenceMemory
    model: str

    def recall(self, texts: Sequence[str]) -> list[bytes | None]:
        return self.memory.recall(self.model, texts)

    def keep(self, readings: Mapping[str, bytes]) -> None:
        self.memory.keep(self.model, readings)


def _count(found: str, texts: Sequence[str]) -> None:
    SENTENCES.labels(found).inc(len(texts))
    SENTENCE_CHARACTERS.labels(found).inc(sum(map(len, texts)))
