"""The base encoder with what is trained on top: low-rank changes of every layer, and rows for Chinese characters.

Knows torch, transformers and peft. Input and output shapes are those of nlp_core.encoder: token vectors, mean-pooled,
unit length.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from peft import LoraConfig, get_peft_model
from tokenizers import Tokenizer
from transformers import AutoModel

from nlp_core.adapters import AdapterWriter

RANK = 16
LONGEST = 32
"""Tokens of a phrase; longer ones are cut while training."""
GROUP = 32
"""Texts read together."""
TARGETS = ("query", "key", "value", "dense")
_WORDS = "embeddings.word_embeddings.weight"


class ConceptEncoder(torch.nn.Module):
    """Texts to unit vectors; only the adapter and the new rows learn."""

    def __init__(
        self,
        folder: Path,
        tokenizer: Tokenizer,
        rows: Mapping[str, int],
        first: NDArray[np.float32],
        *,
        rank: int = RANK,
    ) -> None:
        """folder: config.json and model.safetensors of the base. rows: character -> id, with its `first` vector."""
        super().__init__()
        base = AutoModel.from_pretrained(
            folder, attn_implementation="sdpa", dtype=torch.float32, local_files_only=True, use_safetensors=True
        )
        base.pooler = None
        config = LoraConfig(r=rank, lora_alpha=rank, target_modules=list(TARGETS), lora_dropout=0.0)
        self.model = get_peft_model(base, config)
        self.tokenizer = tokenizer
        self.padding = tokenizer.token_to_id("[PAD]") or 0
        self.rows = torch.tensor(list(rows.values()), dtype=torch.int64)
        words = self._words()
        with torch.no_grad():
            words[self.rows] = torch.from_numpy(first)
        words.requires_grad_(True)
        learns = torch.zeros(len(words), 1)
        learns[self.rows] = 1
        words.register_hook(lambda gradient: gradient * learns)  # type: ignore[no-untyped-call]  # torch's, untyped

    @property
    def _base(self) -> Any:
        """The Hugging Face model inside peft's wrapping."""
        return self.model.base_model.model

    def _words(self) -> torch.nn.Parameter:
        parameter: torch.nn.Parameter = self._base.embeddings.word_embeddings.weight
        return parameter

    def parameter_groups(self) -> list[dict[str, object]]:
        """The adapter with a little weight decay, the new rows at a higher rate without."""
        words = self._words()
        adapter = [p for p in self.model.parameters() if p.requires_grad and p is not words]
        return [
            {"params": adapter, "weight_decay": 0.01, "scale": 1.0},
            {"params": [words], "weight_decay": 0.0, "scale": 5.0},
        ]

    def embed(self, texts: Sequence[str]) -> torch.Tensor:
        """float32 [texts, width], unit length. Read in groups of like length: padding would be half the work."""
        encoded = [self.tokenizer.encode(text).ids for text in texts]
        encoded = [ids if len(ids) <= LONGEST else [*ids[: LONGEST - 1], ids[-1]] for ids in encoded]
        order = sorted(range(len(texts)), key=lambda place: len(encoded[place]))
        groups = [order[start : start + GROUP] for start in range(0, len(order), GROUP)]
        vectors = torch.cat([self._read([encoded[place] for place in group]) for group in groups])
        return vectors[torch.tensor(np.argsort(order))]

    def _read(self, rows: Sequence[Sequence[int]]) -> torch.Tensor:
        longest = max(map(len, rows))
        ids = torch.tensor([[*row, *[self.padding] * (longest - len(row))] for row in rows])
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
        vectors = self.model(input_ids=ids, attention_mask=mask).last_hidden_state
        weights = mask[..., None].to(vectors.dtype)
        mean = (vectors * weights).sum(dim=1) / weights.sum(dim=1)
        return torch.nn.functional.normalize(mean.float(), dim=1)

    def save_adapter(self, path: Path) -> None:
        """Writes what has been learned, by the names of the base's tensors."""
        writer = AdapterWriter()
        for name, module in self._base.named_modules():
            if hasattr(module, "lora_A") and "default" in module.lora_A:
                out = module.lora_B["default"].weight.detach() * module.scaling["default"]
                inner = module.lora_A["default"].weight.detach()
                writer.add_low_rank(f"{name}.weight", out.numpy(), inner.numpy())
        writer.add_rows(_WORDS, self.rows.numpy(), self._words().detach()[self.rows].numpy())
        writer.save(path)
