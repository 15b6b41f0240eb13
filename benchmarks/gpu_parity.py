"""Does an encoder on a GPU say what ONNX Runtime says on the CPU? Largest differences of every output, and the least cosine.

Ids are drawn at random over batches of several shapes, a part of each first row left out by the mask; what the mask leaves out is
not compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from nlp_core.batches import Batch
from nlp_core.encoder import Encoder, Vectors
from nlp_core.graph_encoder import VECTORS
from nlp_core.head_outputs import HEADS

SHAPES = ((1, 8), (4, 32), (16, 32), (4, 128), (2, 256), (1, 512), (64, 64))
"""Rows and tokens of a row."""


@dataclass(frozen=True, slots=True)
class Parity:
    """How far one way is from the CPU."""

    name: str
    largest: dict[str, float]
    """By output, the largest absolute difference."""
    cosine: float
    """The least of all tokens' vectors."""


def parity(name: str, one: Encoder, cpu: Encoder, vocabulary: int) -> Parity:
    """Both over the same batches."""
    largest: dict[str, float] = {}
    cosine = 1.0
    for batch in _batches(vocabulary):
        seen = batch.mask.astype(bool)
        for output, mine, theirs in zip((VECTORS, *HEADS), _answers(one, batch), _answers(cpu, batch), strict=False):
            if mine.shape[:2] == seen.shape:
                mine, theirs = mine[seen], theirs[seen]
            largest[output] = max(largest.get(output, 0.0), float(np.abs(mine - theirs).max()))
            if output == VECTORS:
                cosine = min(cosine, float(_cosines(mine, theirs).min()))
    return Parity(name, largest, cosine)


def _answers(encoder: Encoder, batch: Batch) -> list[Vectors]:
    """In the order of the graph's outputs; the vectors alone where it has no heads."""
    if not encoder.has_heads:
        return [encoder.encode(batch)]
    vectors, heads = encoder.read(batch)
    return [vectors, heads.finding, heads.assertion, heads.salience, heads.evidence]


def lines(found: Sequence[Parity]) -> Iterator[str]:
    """As a table."""
    if not found:
        yield "Nothing to compare: no encoder opened on a GPU."
        return
    outputs = list(found[0].largest)
    yield "| beside ONNX Runtime, CPU, fp32 | least cosine | " + " | ".join(f"`{output}`" for output in outputs) + " |"
    yield "|---" * (len(outputs) + 2) + "|"
    for one in found:
        differences = " | ".join(f"{one.largest[output]:.4f}" for output in outputs)
        yield f"| {one.name} | {one.cosine:.6f} | {differences} |"


def _batches(vocabulary: int) -> Iterator[Batch]:
    drawn = np.random.default_rng(3)
    for rows, length in SHAPES:
        ids = drawn.integers(999, vocabulary, (rows, length))
        mask = np.ones_like(ids)
        mask[0, length // 2 :] = 0
        yield Batch(ids, mask, tuple(range(rows)))


def _cosines(one: Vectors, other: Vectors) -> Vectors:
    lengths = np.linalg.norm(one, axis=-1) * np.linalg.norm(other, axis=-1)
    cosines: Vectors = (one * other).sum(-1) / lengths
    return cosines
