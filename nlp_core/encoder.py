"""What an encoder does: token ids in, one vector per token out; and how a short text becomes one vector.

Knows shapes and pooling. Does not know what runs the model (onnx_encoder, tensorrt_encoder).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from nlp_core.batches import Batch, same_length_batches
from nlp_core.model_faults import EncoderError, NotFinite
from nlp_core.windows import USUAL_LENGTH, frame_of, tokens_of

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class HeadAnswers:
    """What the heads say of a batch, logits float32: finding [rows, length, 3], assertion [rows, length, 6], salience
    [rows], evidence [rows, 128] (see head_outputs); those of padding mean nothing."""

    finding: Vectors
    assertion: Vectors
    salience: Vectors
    evidence: Vectors


class Encoder(Protocol):
    """Turns tokens into vectors. Safe to use from several threads."""

    @property
    def width(self) -> int:
        """Numbers per vector (384 for the base encoder)."""
        ...

    @property
    def longest(self) -> int:
        """Most tokens of a row (512 for the base encoder)."""
        ...

    def encode(self, batch: Batch) -> Vectors:
        """Token vectors float32 [rows, length, width]; those of padding mean nothing.

        Raises ValueError for ids the model does not know or rows too long, EncoderError for unusable output (NotFinite where
        numbers are none).
        """
        ...

    @property
    def has_heads(self) -> bool:
        """Whether `read` answers."""
        ...

    def read(self, batch: Batch) -> tuple[Vectors, HeadAnswers]:
        """Token vectors as from `encode`, and what the heads say, checked alike. Raises EncoderError where it has no heads."""
        ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Sentence vectors float32 [texts, width], mean of the token vectors, unit length.

        For names and short phrases: a text longer than 256 tokens, or than the encoder takes, is cut. A text without
        tokens (blank, or control characters alone) gets the zero vector, which is like nothing (cosine 0).
        """
        ...


def check_fits(batch: Batch, *, longest: int, vocabulary: int) -> None:
    """Raises ValueError for rows longer than an encoder takes, or ids that its vocabulary has not."""
    rows, length = batch.ids.shape
    if length > longest:
        raise ValueError(f"rows of {length} tokens in a batch of {rows}; this encoder takes {longest}")
    if batch.ids.min() < 0 or batch.ids.max() >= vocabulary:
        raise ValueError(f"token ids outside 0..{vocabulary - 1}")


def check_vectors(vectors: Vectors, batch: Batch, width: int) -> Vectors:
    """`vectors` as they are. Raises EncoderError unless float32 [rows, length, width] and finite."""
    wanted = (*batch.ids.shape, width)
    if vectors.shape != wanted or vectors.dtype != np.float32:
        raise EncoderError(f"wanted float32 {wanted}, the encoder gave {vectors.dtype} {vectors.shape}")
    check_finite("the encoder", vectors)
    return vectors


def check_answers(answers: HeadAnswers) -> HeadAnswers:
    """`answers` as they are. Raises NotFinite naming the head."""
    for head in fields(answers):
        check_finite(f"the {head.name} head", getattr(answers, head.name))
    return answers


def check_finite(who: str, numbers: NDArray[np.floating[Any]]) -> None:
    """Raises NotFinite unless all are finite; who: gave them."""
    if not np.isfinite(numbers).all():
        raise NotFinite(f"{who} gave numbers that are not finite")


def pool(vectors: Vectors, mask: NDArray[np.int64]) -> Vectors:
    """Mean of the unmasked token vectors, unit length: [rows, length, width] and [rows, length] to [rows, width]."""
    if vectors.shape[:2] != mask.shape:
        raise ValueError(f"vectors {vectors.shape} and mask {mask.shape} differ in rows or length")
    weights = mask[..., None].astype(np.float32)
    mean = (vectors * weights).sum(axis=1) / weights.sum(axis=1)
    return np.asarray(mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-12), np.float32)


def embed_texts(
    texts: Sequence[str],
    *,
    tokenizer: Tokenizer,
    encode: Callable[[Batch], Vectors],
    width: int,
    longest: int = USUAL_LENGTH,
) -> Vectors:
    """`Encoder.embed` for any encoder: each different text is read once, equal lengths together."""
    frame = frame_of(tokenizer)
    room = min(longest, USUAL_LENGTH) - len(frame)
    distinct = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    tokens = [tokens_of(text, tokenizer).ids[:room] for text in distinct]
    spoken = [place for place, ids in enumerate(tokens) if len(ids)]
    vectors = np.zeros((len(distinct), width), np.float32)
    for batch in same_length_batches([frame.around(tokens[place]) for place in spoken]):
        vectors[[spoken[member] for member in batch.members]] = pool(encode(batch), batch.mask)
    return vectors[[distinct[text] for text in texts]] if texts else vectors
