"""A text classifier: an encoder, the mean of its token vectors, one linear layer.

Input : input_ids, attention_mask int64 [batch, length]; labels float32 [batch, classes], each row adding up to 1
Output: logits float32 [batch, classes], and the loss where there are labels
Labels are shares, not numbers of classes, so that an ensemble or a denied text can say "rather this, perhaps that".
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from training.tuning.options import Method

HEAD = "classifier.safetensors"
LABELS = "labels.json"


class TextClassifier(torch.nn.Module):
    """See the module."""

    def __init__(self, encoder: Any, classes: int, *, width: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = torch.nn.Dropout(dropout)
        self.head = torch.nn.Linear(width, classes)

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, labels: torch.Tensor | None = None
    ) -> dict[str, torch.Tensor]:
        """Raises ValueError where the labels have another shape than the logits."""
        logits = self.head(self.dropout(self.pooled(input_ids, attention_mask))).float()
        if labels is None:
            return {"logits": logits}
        if labels.shape != logits.shape:
            raise ValueError(f"labels {tuple(labels.shape)} for logits {tuple(logits.shape)}")
        return {"loss": torch.nn.functional.cross_entropy(logits, labels), "logits": logits}

    def pooled(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """[batch, width]: mean over each text's tokens."""
        vectors = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask[..., None].to(vectors.dtype)
        mean: torch.Tensor = (vectors * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1)
        return mean

    def counts(self) -> tuple[int, int]:
        """(weights that learn, all weights)."""
        sizes = [(parameter.numel(), parameter.requires_grad) for parameter in self.parameters()]
        return sum(size for size, learns in sizes if learns), sum(size for size, _ in sizes)


def save_head(classifier: TextClassifier, labels: Sequence[str], method: Method, folder: Path) -> None:
    """The linear layer and what its rows mean."""
    state = {name: value.detach().cpu().contiguous() for name, value in classifier.head.state_dict().items()}
    save_file(state, folder / HEAD)
    (folder / LABELS).write_text(
        json.dumps({"labels": list(labels), "method": method}, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )


def read_labels(folder: Path) -> tuple[tuple[str, ...], Method]:
    """(labels in the order of the logits, kind of tuning). Raises ValueError where the folder holds no tuned classifier."""
    try:
        found = json.loads((folder / LABELS).read_text("utf-8"))
        return tuple(found["labels"]), found["method"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{folder} holds no classifier of `dxspan-train tune`: {error}") from error


def load_head(folder: Path) -> torch.nn.Linear:
    """Raises ValueError where there is none."""
    try:
        state = load_file(folder / HEAD)
        classes, width = state["weight"].shape
        head = torch.nn.Linear(width, classes)
        head.load_state_dict(state)
    except (OSError, KeyError, RuntimeError, ValueError) as error:
        raise ValueError(f"{folder / HEAD} is no head of a classifier: {error}") from error
    return head
