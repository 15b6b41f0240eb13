"""The last stage of a run: the encoder at rest, its reading of many sentences kept, the sentence heads learn from that.

A step of the whole model shows the evidence head 32 sentences; here it sees thousands, many times over, in seconds. Knows
pooled vectors and targets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional
from tqdm import tqdm

from training.model.heads import Heads
from training.model.sentence_batches import SentenceExample

_BATCH = 512
_READ_TOGETHER = 256
_RATE = 2e-3


@dataclass(frozen=True, slots=True, eq=False)
class ReadSentences:
    """means [sentences, width], targets [sentences, diagnoses], telling [sentences]."""

    means: torch.Tensor
    targets: torch.Tensor
    telling: torch.Tensor


def read_sentences(encoder: Any, examples: Sequence[SentenceExample], targets: Any) -> ReadSentences:
    """Each sentence through the resting encoder once. targets: float32 [sentences, diagnoses]."""
    encoder.eval()
    means = torch.zeros(len(examples), encoder.width, device=encoder.device)
    with torch.no_grad():
        for start in tqdm(range(0, len(examples), _READ_TOGETHER), desc="sentences at rest", unit="batch"):
            for group in encoder.read([example.text for example in examples[start : start + _READ_TOGETHER]]):
                means[torch.tensor([start + place for place in group.places])] = group.means().float()
    telling = torch.tensor([float(example.telling) for example in examples]).to(means)
    return ReadSentences(means, torch.from_numpy(targets).to(means), telling)


def learn(heads: Heads, read: ReadSentences, features: torch.Tensor, *, epochs: int, seed: int) -> float:
    """Trains evidence, diagnosis and salience; returns the last epoch's mean evidence loss (natural-log units)."""
    parts = (heads.evidence, heads.diagnosis, heads.salience)
    parameters = [parameter for part in parts for parameter in part.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=_RATE, weight_decay=0.01)
    generator = torch.Generator().manual_seed(seed)
    last = 0.0
    for epoch in tqdm(range(epochs), desc="sentence heads", unit="epoch"):
        for group in optimizer.param_groups:
            group["lr"] = _RATE * (1 - epoch / epochs)
        losses = [
            _step(heads, read, features, optimizer, places)
            for places in torch.split(torch.randperm(len(read.means), generator=generator), _BATCH)
        ]
        last = sum(losses) / len(losses)
    return last


def _step(heads: Heads, read: ReadSentences, features: torch.Tensor, optimizer: Any, places: torch.Tensor) -> float:
    means = read.means[places]
    said = functional.log_softmax(heads.evidence(means) @ heads.placed(features).T, dim=1)
    evidence = functional.kl_div(said, read.targets[places], reduction="batchmean")
    salience = functional.binary_cross_entropy_with_logits(heads.salience(means)[..., 0], read.telling[places])
    optimizer.zero_grad(set_to_none=True)
    loss: Any = evidence + salience
    loss.backward()
    optimizer.step()
    return float(evidence.detach())
