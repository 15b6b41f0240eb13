"""What a training step is wrong by, one number per question. Knows tensors; what is drawn is the samplers' business."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from nlp_core.head_outputs import ASSERTIONS
from training.model.heads import Heads
from training.model.pair_batches import PairBatch
from training.model.sentence_batches import SentenceExample
from training.model.tuned_encoder import ReadTexts, TunedEncoder

NOT_ASKED = -100
"""Label of tokens that a question leaves out (torch's own mark)."""


def concept_loss(encoder: TunedEncoder, batch: PairBatch, temperature: float) -> torch.Tensor:
    """Each text finds its partner among all others of the batch, relatives left out; both ways."""
    left, right = encoder.embed([*batch.left, *batch.right]).chunk(2)
    return paired_loss(left, right, torch.from_numpy(batch.rival), temperature)


def paired_loss(left: torch.Tensor, right: torch.Tensor, rival: torch.Tensor, temperature: float) -> torch.Tensor:
    """left and right unit rows [n, width]; rival bool [n, n], False where two are no rivals."""
    likeness = (left @ right.T / temperature).masked_fill(~rival.to(left.device), float("-inf"))
    own = torch.arange(len(left), device=left.device)
    return (functional.cross_entropy(likeness, own) + functional.cross_entropy(likeness.T, own)) / 2


@dataclass(frozen=True, slots=True, eq=False)
class TokenLabels:
    """finding and assertion int64 [rows, length], NOT_ASKED where there is no question; spans: (row, first token, token
    behind the last, entry)."""

    finding: torch.Tensor
    assertion: torch.Tensor
    spans: tuple[tuple[int, int, int, str], ...]


def token_labels(group: ReadTexts, examples: Sequence[SentenceExample]) -> TokenLabels:
    """The gold of a group of sentences on its tokens; examples in the order of all texts, not of the group."""
    shape = group.mask.shape
    finding = torch.full(shape, NOT_ASKED, dtype=torch.int64)
    assertion = torch.full(shape, NOT_ASKED, dtype=torch.int64)
    spans: list[tuple[int, int, int, str]] = []
    for row, (place, encoding) in enumerate(zip(group.places, group.encodings, strict=True)):
        offsets = encoding.offsets[: shape[1]]
        special = encoding.special_tokens_mask[: shape[1]]
        for token, is_special in enumerate(special):
            finding[row, token] = NOT_ASKED if is_special else 0
        for span in examples[place].spans:
            inside = [
                t for t, (start, end) in enumerate(offsets) if not special[t] and start < span.end and end > span.start
            ]
            if not inside:
                continue
            finding[row, inside] = 2
            finding[row, inside[0]] = 1
            if not examples[place].ruled:
                assertion[row, inside] = ASSERTIONS.index(span.assertion)
            spans.append((row, inside[0], inside[-1] + 1, span.entry))
    device = group.vectors.device
    return TokenLabels(finding.to(device), assertion.to(device), tuple(spans))


def sentence_losses(
    encoder: TunedEncoder,
    heads: Heads,
    examples: Sequence[SentenceExample],
    targets: np.ndarray,
    names: Mapping[str, str],
    placed: torch.Tensor,
    temperature: float,
) -> dict[str, torch.Tensor]:
    """finding, assertion, salience, evidence and span losses, each a mean over what it was asked of.

    targets: [sentences, diagnoses] shares. names: entry -> a name of it. placed: diagnoses in the evidence space.
    """
    sums: dict[str, list[torch.Tensor]] = {"finding": [], "assertion": [], "salience": [], "evidence": []}
    pooled: list[torch.Tensor] = []
    entries: list[str] = []
    for group in encoder.read([example.text for example in examples]):
        answered, labels = heads(group.vectors, group.mask), token_labels(group, examples)
        places = list(group.places)
        sums["finding"].append(_tokens_wrong(answered.finding, labels.finding))
        sums["assertion"].append(_tokens_wrong(answered.assertion, labels.assertion))
        telling = torch.tensor([float(examples[place].telling) for place in places]).to(group.vectors)
        sums["salience"].append(
            functional.binary_cross_entropy_with_logits(answered.salience, telling, reduction="none")
        )
        said = functional.log_softmax(answered.evidence @ placed.T, dim=1)
        sums["evidence"].append(
            functional.kl_div(said, torch.from_numpy(targets[places]).to(said), reduction="none").sum(dim=1)
        )
        for row, first, end, entry in labels.spans:
            pooled.append(group.vectors[row, first:end].mean(dim=0))
            entries.append(entry)
    losses = {name: torch.cat(parts).mean() for name, parts in sums.items() if any(len(part) for part in parts)}
    if entries:
        losses["span"] = _spans_wrong(encoder, torch.stack(pooled), entries, names, temperature)
    return losses


def _tokens_wrong(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of every asked token, [tokens]."""
    asked = labels != NOT_ASKED
    return functional.cross_entropy(logits[asked], labels[asked], reduction="none")


def _spans_wrong(
    encoder: TunedEncoder, pooled: torch.Tensor, entries: Sequence[str], names: Mapping[str, str], temperature: float
) -> torch.Tensor:
    """Each finding in its sentence against one name of each entry of the batch."""
    distinct = list(dict.fromkeys(entries))
    index = encoder.embed([names[entry] for entry in distinct])
    likeness = functional.normalize(pooled.float(), dim=1) @ index.T / temperature
    return functional.cross_entropy(
        likeness, torch.tensor([distinct.index(e) for e in entries], device=likeness.device)
    )
