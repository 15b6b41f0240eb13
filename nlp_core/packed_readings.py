"""Sentence readings as bytes and back, for a memory that counts them: exactly what serving asks of a reading, no more.

Input : the pieces of one sentence (sentence_readings)
Output: about 36 bytes a token, and 4 bytes times the width for each token inside a finding and for the mean of all
Knows arrays. Vectors of tokens outside findings and the evidence vectors are left out: no reader in serving asks for them
(concepts, second_reader.HeadsUsed), and they would be nine tenths of the bytes.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np

from nlp_core.concepts import LEAST_FINDING
from nlp_core.head_outputs import ASSERTIONS
from nlp_core.sentence_readings import SentenceReading

_READ_BY = ("neutral_words.py", "windows.py", "sentence_readings.py", "packed_readings.py")
_COMPUTED_BY = ("numpy", "onnxruntime", "tokenizers")
_HEAD = struct.Struct("<IIId")
"""Tokens, tokens inside findings, width, telling."""


def reading_digest() -> str:
    """Hex SHA-256 of the code that, besides the model, decides what is packed for a sentence: part of every name under
    which packed readings outlive this process."""
    sources = [(Path(__file__).parent / name).read_bytes() for name in _READ_BY]
    versions = [f"{package} {version(package)}".encode() for package in _COMPUTED_BY]
    return hashlib.sha256(b"\0".join([*sources, *versions])).hexdigest()


class NotPacked(ValueError):
    """Bytes that `packed` did not write. Says nothing of them."""


def packed(readings: Sequence[SentenceReading]) -> bytes:
    """The pieces of one sentence in order."""
    return b"".join(part for reading in readings for part in _parts(reading))


def _parts(reading: SentenceReading) -> Iterator[bytes]:
    inside = np.flatnonzero(reading.finding >= LEAST_FINDING)
    yield _HEAD.pack(len(reading.starts), len(inside), reading.vectors.shape[1], reading.telling)
    yield reading.starts.astype("<i4").tobytes()
    yield reading.ends.astype("<i4").tobytes()
    yield reading.finding.astype("<f4").tobytes()
    yield reading.assertion.astype("<f4").tobytes()
    yield reading.vectors[inside].astype("<f4").tobytes()
    yield reading.mean.astype("<f4").tobytes()


def unpacked(kept: bytes) -> list[SentenceReading]:
    """The pieces as they were; vectors outside findings are NaN and evidence is empty. Raises NotPacked."""
    readings, at = [], 0
    try:
        while at < len(kept):
            reading, at = _unpacked_one(kept, at)
            readings.append(reading)
    except (struct.error, ValueError):
        raise NotPacked("no packed readings") from None
    return readings


def _unpacked_one(kept: bytes, at: int) -> tuple[SentenceReading, int]:
    tokens, inside, width, telling = _HEAD.unpack_from(kept, at)
    at += _HEAD.size
    kinds = len(ASSERTIONS)
    places = np.frombuffer(kept, "<i4", 2 * tokens, at).astype(np.int64)
    at += places.size * 4
    numbers = np.frombuffer(kept, "<f4", (1 + kinds) * tokens + (inside + 1) * width, at).astype(np.float32)
    at += numbers.size * 4
    finding, asserted, kept_vectors = np.split(numbers, [tokens, (1 + kinds) * tokens])
    rows = kept_vectors.reshape(inside + 1, width)
    vectors = np.full((tokens, width), np.nan, np.float32)
    vectors[np.flatnonzero(finding >= LEAST_FINDING)] = rows[:-1]
    return (
        SentenceReading(
            starts=places[:tokens],
            ends=places[tokens:],
            vectors=vectors,
            mean=rows[-1],
            finding=finding,
            assertion=asserted.reshape(tokens, kinds),
            telling=telling,
            evidence=np.zeros(0, np.float32),
        ),
        at,
    )
