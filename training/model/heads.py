"""The heads on the encoder: which tokens are a finding, how it is asserted, what a sentence tells and for which diagnosis.

One small layer per question over the same token vectors (the article's task adaptation layers). They are exported inside
the encoder's graph; only what places the diagnoses in the evidence space is kept beside it (`diagnosis`).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from nlp_core.head_outputs import ASSERTIONS, EVIDENCE_WIDTH, FINDING_TAGS

HIDDEN = 192
"""Width of the layer that the token questions share."""


@dataclass(frozen=True, slots=True, eq=False)
class HeadOutputs:
    """finding [rows, length, 3], assertion [rows, length, 6], salience [rows], evidence [rows, EVIDENCE_WIDTH]; logits."""

    finding: torch.Tensor
    assertion: torch.Tensor
    salience: torch.Tensor
    evidence: torch.Tensor


class Heads(torch.nn.Module):
    """Token vectors [rows, length, width] to answers."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.tokens = torch.nn.Linear(width, HIDDEN)
        self.finding = torch.nn.Linear(HIDDEN, len(FINDING_TAGS))
        self.assertion = torch.nn.Linear(HIDDEN, len(ASSERTIONS))
        self.salience = torch.nn.Linear(width, 1)
        self.evidence = torch.nn.Linear(width, EVIDENCE_WIDTH)
        self.diagnosis = torch.nn.Linear(2 * width, EVIDENCE_WIDTH, bias=False)

    def forward(self, vectors: torch.Tensor, mask: torch.Tensor) -> HeadOutputs:
        """vectors [rows, length, width], mask float [rows, length]."""
        hidden = torch.nn.functional.gelu(self.tokens(vectors))
        means = (vectors * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)
        return HeadOutputs(
            self.finding(hidden), self.assertion(hidden), self.salience(means)[..., 0], self.evidence(means)
        )

    def placed(self, features: torch.Tensor) -> torch.Tensor:
        """Diagnoses in the evidence space: features [diagnoses, 2 width] to [diagnoses, EVIDENCE_WIDTH]."""
        placed: torch.Tensor = self.diagnosis(features)
        return placed
