"""Adversarial training: the classifier also learns from token vectors that were moved to where it errs most.

FGM moves them once along the loss's slope, PGD several smaller steps, held within the same distance. Works on the output of
the encoder's embeddings, whichever weights learn. Knows torch; the classifier's loss is what it asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch

from training.tuning.options import Attack

PGD_STEPS = 3
_STEP_SHARE = 0.5
"""Of the whole distance, in one step of PGD."""


class Disturber:
    """Computes the adversarial loss of a batch."""

    def __init__(self, embeddings: torch.nn.Module, attack: Attack, epsilon: float) -> None:
        """embeddings: the module whose output [batch, length, width] is disturbed. epsilon: share of the vectors' mean length."""
        self._embeddings, self._attack, self._epsilon = embeddings, attack, epsilon

    def losses(self, loss_of: Callable[[], torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """(loss as it is, loss where the vectors were moved). loss_of: a forward pass over the batch."""
        with self._moved(None) as seen:
            clean = loss_of()
        vectors = seen["vectors"]
        slope = torch.autograd.grad(clean, vectors, retain_graph=True)[0]
        radius = self._epsilon * vectors.detach().norm(dim=-1).mean()
        if self._attack == "fgm":
            return clean, self._loss_at(loss_of, radius * _direction(slope))
        change = torch.zeros_like(slope)
        for step in range(PGD_STEPS):
            change = _within(change + _STEP_SHARE * radius * _direction(slope), radius)
            if step + 1 < PGD_STEPS:
                with self._moved(change) as seen:
                    slope = torch.autograd.grad(loss_of(), seen["vectors"])[0]
        return clean, self._loss_at(loss_of, change)

    def _loss_at(self, loss_of: Callable[[], torch.Tensor], change: torch.Tensor) -> torch.Tensor:
        with self._moved(change):
            return loss_of()

    @contextmanager
    def _moved(self, change: torch.Tensor | None) -> Iterator[Mapping[str, torch.Tensor]]:
        """While it lasts the embeddings give their vectors with `change` added; the last ones given are kept."""
        seen: dict[str, torch.Tensor] = {}

        def hook(_module: Any, _inputs: Any, vectors: torch.Tensor) -> torch.Tensor:
            moved = vectors if change is None else vectors + change.to(vectors.dtype)
            seen["vectors"] = moved if moved.requires_grad else moved.requires_grad_()
            return seen["vectors"]

        handle = self._embeddings.register_forward_hook(hook)
        try:
            yield seen
        finally:
            handle.remove()


def _direction(slope: torch.Tensor) -> torch.Tensor:
    """[batch, length, width], each text's as a whole of length 1, 0 where there is no slope."""
    return slope / _lengths(slope)


def _within(change: torch.Tensor, radius: torch.Tensor) -> torch.Tensor:
    return change * (radius / _lengths(change)).clamp(max=1.0)


def _lengths(change: torch.Tensor) -> torch.Tensor:
    """[batch, 1, 1], never 0."""
    lengths: torch.Tensor = torch.linalg.vector_norm(change, dim=(1, 2), keepdim=True)
    return lengths.clamp(min=1e-12)
