"""An encoder that outlives its device: a batch too large for its memory is halved, one that it answers with numbers that
are none is read on the CPU, which replaces a lost device.

Knows two encoders, the device's and its spare, and when to turn from one to the other. Does not know what runs them.
Every batch is answered or raises what the spare raises; after a loss the device is never asked again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from tokenizers import Tokenizer

from nlp_core.batches import Batch
from nlp_core.device_faults import DeviceHealth, device_fault
from nlp_core.encoder import Encoder, HeadAnswers, Vectors, embed_texts

Answer = TypeVar("Answer")


class GuardedEncoder:
    """An Encoder (see encoder.py) in front of another one; safe to use from several threads."""

    def __init__(
        self, device: Encoder, load_spare: Callable[[], Encoder], tokenizer: Tokenizer, health: DeviceHealth
    ) -> None:
        """load_spare: opens the encoder that needs no device, on its first use. health: told of every fault."""
        self._device = device
        self._load_spare = load_spare
        self._loaded_spare: Encoder | None = None
        self._tokenizer = tokenizer
        self._health = health
        self._lock = threading.Lock()

    @property
    def width(self) -> int:
        return self._device.width

    @property
    def longest(self) -> int:
        return self._device.longest

    @property
    def has_heads(self) -> bool:
        return self._device.has_heads

    def encode(self, batch: Batch) -> Vectors:
        """Token vectors float32 [rows, length, width] (see Encoder.encode)."""
        return self._run(batch, lambda encoder, part: encoder.encode(part), _joined_vectors)

    def read(self, batch: Batch) -> tuple[Vectors, HeadAnswers]:
        """Token vectors and the heads' answers (see Encoder.read)."""
        return self._run(batch, lambda encoder, part: encoder.read(part), _joined_readings)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Sentence vectors float32 [texts, width], unit length (see Encoder.embed)."""
        return embed_texts(texts, tokenizer=self._tokenizer, encode=self.encode, width=self.width, longest=self.longest)

    def _run(
        self, batch: Batch, run: Callable[[Encoder, Batch], Answer], join: Callable[[Sequence[Answer]], Answer]
    ) -> Answer:
        if self._health.lost:
            return run(self._spare(), batch)
        try:
            return run(self._device, batch)
        except Exception as error:  # ONNX Runtime's exceptions share no narrower class
            fault = device_fault(error)
            if fault is None:
                raise
        with self._lock:
            self._health.faults[fault] += 1
        if fault == "memory" and len(batch.ids) > 1:
            return join([self._run(half, run, join) for half in _halves(batch)])
        return run(self._spare(), batch)

    def _spare(self) -> Encoder:
        with self._lock:
            if self._loaded_spare is None:
                self._loaded_spare = self._load_spare()
            return self._loaded_spare


def _halves(batch: Batch) -> tuple[Batch, Batch]:
    middle = len(batch.ids) // 2
    first, second = slice(None, middle), slice(middle, None)
    return (
        Batch(batch.ids[first], batch.mask[first], batch.members[first]),
        Batch(batch.ids[second], batch.mask[second], batch.members[second]),
    )


def _joined_vectors(parts: Sequence[Vectors]) -> Vectors:
    return np.concatenate(parts)


def _joined_readings(parts: Sequence[tuple[Vectors, HeadAnswers]]) -> tuple[Vectors, HeadAnswers]:
    answers = [answer for _, answer in parts]
    return np.concatenate([vectors for vectors, _ in parts]), HeadAnswers(
        finding=np.concatenate([answer.finding for answer in answers]),
        assertion=np.concatenate([answer.assertion for answer in answers]),
        salience=np.concatenate([answer.salience for answer in answers]),
        evidence=np.concatenate([answer.evidence for answer in answers]),
    )
