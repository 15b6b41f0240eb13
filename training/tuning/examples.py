"""Labelled texts as the tensors a Trainer asks for.

Input : texts and, for each, its shares of the classes
Output: a data set of token ids, and batches padded to their longest text
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import DataCollatorWithPadding, PreTrainedTokenizerFast

from training.tuning.labelled_texts import LabelledText

_READ_TOGETHER = 256
"""Texts whose tokens are lists of numbers at one time; kept are four bytes a token."""

Shares = NDArray[np.float32]
"""[texts, classes], each row adding up to 1."""


class Examples(torch.utils.data.Dataset[dict[str, Any]]):
    """Token ids and shares, text by text."""

    def __init__(self, texts: Sequence[str], shares: Shares, tokenizer: PreTrainedTokenizerFast, longest: int) -> None:
        """Raises ValueError where there are not as many shares as texts."""
        if len(texts) != len(shares):
            raise ValueError(f"{len(texts)} texts, but shares for {len(shares)}")
        self._ids = [
            np.array(ids, np.int32)
            for start in range(0, len(texts), _READ_TOGETHER)
            for ids in tokenizer(list(texts[start : start + _READ_TOGETHER]), truncation=True, max_length=longest)[
                "input_ids"
            ]
        ]
        self._shares = shares

    def __len__(self) -> int:
        return len(self._ids)

    def __getitem__(self, place: int) -> dict[str, Any]:
        ids = self._ids[place].tolist()
        return {"input_ids": ids, "attention_mask": [1] * len(ids), "labels": self._shares[place]}

    @property
    def fingerprint(self) -> str:
        """Tells these examples from others and gives none of them away."""
        digest = hashlib.sha256(self._shares.tobytes())
        for ids in self._ids:
            digest.update(repr(ids.tolist()).encode())
        return digest.hexdigest()

    @property
    def tokens(self) -> int:
        """All together, padding left out."""
        return sum(map(len, self._ids))


class Batches:
    """The collator: ids and mask padded, shares stacked."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        self._pad = DataCollatorWithPadding(tokenizer)

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        labels = torch.from_numpy(np.stack([row["labels"] for row in rows]))
        padded = self._pad([{key: row[key] for key in ("input_ids", "attention_mask")} for row in rows])
        return {"input_ids": padded["input_ids"], "attention_mask": padded["attention_mask"], "labels": labels}


def shares_of(texts: Sequence[LabelledText], labels: Sequence[str]) -> Shares:
    """1 for each text's own label. Raises KeyError for a label that is none of `labels`."""
    places = {label: place for place, label in enumerate(labels)}
    shares = np.zeros((len(texts), len(labels)), np.float32)
    shares[np.arange(len(texts)), [places[example.label] for example in texts]] = 1
    return shares
