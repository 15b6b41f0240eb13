"""The case matcher as it learns: the numpy one of nlp_core.case_matcher in torch, with what keeps it near to the knowledge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional
from tqdm import tqdm

from nlp_core.case_matcher import FIGURES, VECTOR, CaseMatcher
from training.matching.case_readings import ReadCase

LENGTH = 256
"""K of the matcher."""
WEIGHT = 0.2
"""How much of the learned odds counts beside findings, with which they share words: more gains nothing on notes apart (docs/matching.md)."""
LEAST, HALF = 0.7, 0.3
"""See case_matcher.TENSORS. Nineteen in twenty cases are longer than .84; a sentence of three plain symptoms has .4 to .7."""
_EPOCHS, _BATCH, _RATE, _DECAY, _DROPPED = 12, 64, 4e-3, 0.05, 0.3
_BEGINS_AT = 0.3
_COUNTED = 6
"""Cases of a diagnosis that count in full: as many as the shipped ones have."""

Floats = NDArray[np.float32]


class MatcherNetwork(torch.nn.Module):
    """vectors: [D, F], where diagnoses lie by the knowledge (diagnosis_texts); each moves from there as far as its cases want."""

    def __init__(self, vectors: Floats, width: int) -> None:
        super().__init__()
        self.vectors = torch.from_numpy(vectors)
        self.width = width
        length = min(LENGTH, width)
        self.into = torch.nn.Parameter(torch.eye(width)[:, :length].clone())
        self.gate = torch.nn.Parameter(torch.zeros(width + FIGURES))
        self.shift = torch.nn.Parameter(torch.zeros(1))
        self.placing = torch.nn.Parameter(
            _BEGINS_AT * torch.eye(width)[:, :length].repeat(vectors.shape[1] // width, 1)
        )
        self.apart = torch.nn.Parameter(torch.zeros(len(vectors), length))
        self.log_scale = torch.nn.Parameter(torch.tensor([2.0]))
        self.soft = torch.nn.Parameter(torch.tensor([0.1]))

    def placed(self) -> torch.Tensor:
        """[D, K]: the diagnoses, unit vectors."""
        return functional.normalize(self.vectors @ self.placing + self.apart, dim=1)

    def forward(self, figures: torch.Tensor, owners: torch.Tensor, cases: int) -> torch.Tensor:
        """[cases, D]: natural-log odds up to a constant of the case. figures: [S, W + FIGURES]. owners: [S], whose sentence it is."""
        vectors = figures[:, : self.width]
        inputs = torch.cat([vectors * VECTOR, figures[:, self.width :]], dim=1)
        gates = torch.sigmoid(inputs @ self.gate + self.shift)
        counted = (functional.dropout(vectors, _DROPPED, self.training) @ self.into) * gates[:, None]
        charts = torch.zeros(cases, counted.shape[1]).index_add(0, owners, counted)
        charts = charts / torch.sqrt((charts**2).sum(dim=1, keepdim=True) + self.soft**2)
        placed = self.placed()
        return charts @ (placed - placed.mean(dim=0)).T * self.log_scale.exp()

    def matcher(self, diagnoses: Sequence[str], heads: str) -> CaseMatcher:
        """What serving uses, weighed as it counts there."""
        with torch.no_grad():
            tensors = {
                "into": self.into,
                "gate": self.gate,
                "shift": self.shift,
                "diagnosis": self.placed(),
                "scale": WEIGHT * self.log_scale.exp(),
                "least": torch.tensor([LEAST]),
                "half": torch.tensor([HALF]),
            }
            return CaseMatcher({name: one.numpy().copy() for name, one in tensors.items()}, diagnoses, heads)


def learned(cases: Sequence[ReadCase], diagnoses: Sequence[int], vectors: Floats, *, seed: int) -> MatcherNetwork:
    """A network learned on cases. diagnoses: which is each one's, its place in the knowledge. vectors: see MatcherNetwork.

    It learns by sentences alone, all diagnoses as likely: how common they are is the knowledge's business. So many cases of one
    count together no more than `_COUNTED`.
    """
    torch.manual_seed(seed)
    network = MatcherNetwork(vectors, cases[0].figures.shape[1] - FIGURES)
    kept = [network.log_scale, network.shift, network.soft]
    turned = [network.into, network.gate, network.placing, network.apart]
    groups = [{"params": turned, "weight_decay": _DECAY}, {"params": kept, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=_RATE)
    spoken = np.array([at for at, case in enumerate(cases) if len(case.figures)])
    count = np.bincount(diagnoses)
    weights = torch.tensor([min(1.0, _COUNTED / count[diagnosis]) for diagnosis in diagnoses], dtype=torch.float32)
    steps = _EPOCHS * -(-len(spoken) // _BATCH)
    falling = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / steps)
    for epoch in tqdm(range(_EPOCHS), desc="case matcher", unit="epoch"):
        order = np.random.default_rng((seed, epoch)).permutation(spoken)
        for chosen in _batches(order):
            odds = network(*gathered([cases[at] for at in chosen]))
            lost = functional.cross_entropy(odds, torch.tensor([diagnoses[at] for at in chosen]), reduction="none")
            optimizer.zero_grad()
            (lost * weights[chosen]).mean().backward()  # type: ignore[no-untyped-call]  # torch has no types here
            optimizer.step()
            falling.step()
    return network.eval()


def gathered(cases: Sequence[ReadCase]) -> tuple[torch.Tensor, torch.Tensor, int]:
    """What `forward` is given for these."""
    owners = np.repeat(np.arange(len(cases)), [len(case.figures) for case in cases])
    return torch.from_numpy(np.concatenate([case.figures for case in cases])), torch.from_numpy(owners), len(cases)


def _batches(order: NDArray[np.int64]) -> Iterator[list[int]]:
    for start in range(0, len(order), _BATCH):
        yield order[start : start + _BATCH].tolist()
