"""How near an exported encoder computes to the trained one: the bundle's graph in ONNX Runtime beside torch, one report.

Input : the bundle's graph with its weights, and the encoder, adapter and heads it was made from
Output: parity.json: largest differences and lowest cosine over real sentences and made-up rows, whole, padded and with holes
Knows torch and the bundle. Says nothing of cards: whether those stay the same is the gate's business.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from nlp_core.adapters import Adapter
from nlp_core.batches import Batch
from nlp_core.bundle_manifest import Precision
from nlp_core.encoder import Encoder
from nlp_core.head_outputs import ASSERTION, FINDING
from training.model.parity_report import Difference, Parity
from training.model.stored_names import stored_name
from training.model.trace_graph import OUTPUT, TokenVectors, TokenVectorsAndHeads, TracedEncoder
from training.model.vocabulary_rows import lengthen

SENTENCES = (
    "Crushing chest pain on exertion for three days, radiating to the jaw, relieved by rest.",
    "No fever, no cough; denies shortness of breath.",
    "Mother had breast cancer at 52. BP 150/90, HR 96, troponin 0.8 ng/mL.",
    "pt c/o SOB + productive cough x 5d, ?CAP",
    "咳嗽伴黄痰三天，否认发热、胸痛。",
    "既往高血压病史十年，母亲患糖尿病。",
    "患者诉头痛，looks unwell，无颈强直。",
)
_SEED = 20
_OF_TOKENS = frozenset({OUTPUT, FINDING, ASSERTION})
_LEAST_WIDTH = 16
"""A direction of fewer numbers means nothing."""

Trained = TokenVectors | TokenVectorsAndHeads


def measured(
    encoder: Encoder, sentences: Sequence[NDArray[np.int64]], traced: TracedEncoder, trained: Trained, precision: Precision
) -> Parity:  # fmt: skip
    """encoder: the exported one. sentences: the tokens of SENTENCES, int64 [length] each."""
    batches = list(_batches(sentences, traced))
    exported = [_exported(encoder, batch, heads=isinstance(trained, TokenVectorsAndHeads)) for batch in batches]
    wanted = [_in_torch(trained, batch) for batch in batches]
    outputs = {
        name: _difference(
            [one[place] for one in exported], [one[place] for one in wanted], batches if name in _OF_TOKENS else None
        )
        for place, name in enumerate(trained.outputs)
    }
    return Parity(
        precision=precision,
        batches=len(batches),
        tokens=sum(int(batch.mask.sum()) for batch in batches),
        outputs=outputs,
    )


def put_in(adapter: Adapter, trained: Trained) -> None:
    """The adapter's changes, in the encoder's own tensors: what training left."""
    lengthen(trained.model, adapter)
    with torch.no_grad():
        for name, parameter in trained.model.named_parameters():
            stored = stored_name(name, trained.model, adapter.changes)
            parameter.copy_(torch.from_numpy(adapter.applied(stored, parameter.numpy().copy())))


def _batches(sentences: Sequence[NDArray[np.int64]], traced: TracedEncoder) -> Iterator[Batch]:
    """Each sentence alone, some together padded at either end, and rows of made-up tokens with holes."""
    for row in sentences:
        yield Batch(row[None], np.ones_like(row[None]), (0,))
    for left in (False, True):
        yield padded(sentences[:4], left=left)
    random = np.random.default_rng(_SEED)
    ids = random.integers(traced.vocabulary // 20, traced.vocabulary, (2, min(traced.longest, 128)))
    mask = random.integers(0, 2, ids.shape)
    mask[:, 0] = 1
    yield Batch(ids, mask, (0, 1))


def padded(rows: Sequence[NDArray[np.int64]], *, left: bool) -> Batch:
    """Rows of any length as one batch, padded at one end."""
    longest = max(map(len, rows))
    edges = [(longest - len(row), 0) if left else (0, longest - len(row)) for row in rows]
    ids = np.stack([np.pad(row, edge) for row, edge in zip(rows, edges, strict=True)])
    mask = np.stack([np.pad(np.ones_like(row), edge) for row, edge in zip(rows, edges, strict=True)])
    return Batch(ids, mask, tuple(range(len(rows))))


def _exported(encoder: Encoder, batch: Batch, *, heads: bool) -> list[NDArray[np.float32]]:
    if not heads:
        return [encoder.encode(batch)]
    vectors, answers = encoder.read(batch)
    return [vectors, answers.finding, answers.assertion, answers.salience, answers.evidence]


def _in_torch(trained: Trained, batch: Batch) -> list[NDArray[np.float32]]:
    with torch.no_grad():
        found = trained(torch.from_numpy(batch.ids), torch.from_numpy(batch.mask))
    return [np.asarray(one.numpy(), np.float32) for one in (found if isinstance(found, tuple) else (found,))]


def _difference(
    exported: Sequence[NDArray[np.float32]], wanted: Sequence[NDArray[np.float32]], batches: Sequence[Batch] | None
) -> Difference:
    """batches: whose tokens these are; None = one answer for each row."""
    if batches:
        masks = [batch.mask.astype(bool) for batch in batches]
        exported = [one[mask] for one, mask in zip(exported, masks, strict=True)]
        wanted = [one[mask] for one, mask in zip(wanted, masks, strict=True)]
    one, other = np.concatenate(exported), np.concatenate(wanted)
    largest = round(float(np.abs(one - other).max()), 8)
    if not batches or one.shape[-1] < _LEAST_WIDTH:
        return Difference(largest=largest)
    likeness = (one * other).sum(-1) / np.linalg.norm(one, axis=-1) / np.linalg.norm(other, axis=-1)
    return Difference(largest=largest, lowest_cosine=round(float(likeness.min()), 6))
