"""The concept linker as it is trained: the same sums as nlp_core.concept_linker, in torch, with dropout.

Knows tensors. A clause's loss is the cross-entropy of all that it was judged to say together, or of "none".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from nlp_core.concept_linker import FIGURES, MIDDLE, VECTOR, ConceptLinker, agreement, clause_inputs
from training.linking.judged_clauses import Example

HIDDEN = 32
DROPOUT = 0.5
EPOCHS = 40
RATE, DECAY = 2e-3, 0.1
ROWS = 256
_SLOPE = 17.0
"""Of likeness, to begin with: about what the curve of reading_trust has."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """N clauses with K findings each."""

    clauses: Tensor
    """[N, 2 W + figures]"""
    agreement: Tensor
    centres: Tensor
    """[N, K, W] both"""
    figures: Tensor
    """[N, figures]"""
    likeness: Tensor
    """[N, K]"""
    right: Tensor
    """[N, K] bool"""

    @staticmethod
    def of(examples: Sequence[Example]) -> Batch:
        clauses = [one.clause for one in examples]
        vectors = np.stack([clause.vector for clause in clauses])
        centres = np.stack([one.centres for one in examples])
        return Batch(
            torch.from_numpy(clause_inputs(clauses)),
            torch.from_numpy(agreement(vectors, centres)),
            torch.from_numpy(centres * VECTOR),
            torch.from_numpy(np.stack([clause.figures for clause in clauses])),
            torch.from_numpy(np.stack([one.likeness for one in examples])),
            torch.from_numpy(np.stack([one.right for one in examples])),
        )


class LinkerNetwork(nn.Module):
    """width: of the encoder."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.figures = nn.Linear(len(FIGURES), 1, bias=False)
        self.agreement, self.finding = nn.Linear(width, 1, bias=False), nn.Linear(width, 1, bias=False)
        for linear in (self.figures, self.agreement, self.finding):
            nn.init.zeros_(linear.weight)
        self.likeness = nn.Parameter(torch.full((2,), _SLOPE))
        self.into, self.out = nn.Linear(2 * width + len(FIGURES), HIDDEN), nn.Linear(HIDDEN, 1)
        self.drop = nn.Dropout(DROPOUT)

    def forward(self, batch: Batch) -> Tensor:
        """[N, K]: natural-log odds of each finding against none."""
        hidden = torch.relu(self.into(self.drop(batch.clauses)))
        alone: Tensor = self.figures(batch.figures) + self.out(self.drop(hidden))
        slopes = self.likeness[batch.figures[:, FIGURES.index("chinese")].long()]
        beside: Tensor = self.agreement(self.drop(batch.agreement)) + self.finding(self.drop(batch.centres))
        return alone + slopes[:, None] * (batch.likeness - MIDDLE) + beside[..., 0]

    def linker(self, heads: str) -> ConceptLinker:
        """As serving has it, without dropout. heads: see ConceptLinker."""
        tensors = {
            "figures": self.figures.weight[0],
            "into": self.into.weight.T,
            "bias": self.into.bias,
            "out": self.out.weight[0],
            "shift": self.out.bias,
            "likeness": self.likeness,
            "agreement": self.agreement.weight[0],
            "finding": self.finding.weight[0],
        }
        return ConceptLinker({name: tensor.detach().numpy() for name, tensor in tensors.items()}, heads)


def losses(log_odds: Tensor, right: Tensor) -> Tensor:
    """[N]: cross-entropy of what each clause was judged to say."""
    whole = torch.logsumexp(torch.cat([torch.zeros(len(log_odds), 1), log_odds], 1), 1)
    said = torch.logsumexp(log_odds.masked_fill(~right, -1e9), 1)
    return whole - torch.where(right.any(1), said, torch.zeros(len(log_odds)))


def learned(examples: Sequence[Example], *, seed: int) -> LinkerNetwork:
    """Trained on all examples; a minute for ten thousand on two cores."""
    torch.manual_seed(seed)
    network = LinkerNetwork(examples[0].clause.vector.shape[0])
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
    steps = -(-len(examples) // ROWS)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=EPOCHS * steps)
    for _ in range(EPOCHS):
        network.train()
        order = torch.randperm(len(examples)).tolist()
        for at in range(0, len(order), ROWS):
            batch = Batch.of([examples[row] for row in order[at : at + ROWS]])
            optimizer.zero_grad()
            loss = losses(network(batch), batch.right).mean()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    return network.eval()
