"""A Hugging Face encoder in training: low-rank changes of its linear layers, all of its weights, or none; new vocabulary rows.

Knows torch, transformers and peft. Token vectors and sentence vectors have the shapes of nlp_core.encoder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from peft import LoraConfig, get_peft_model
from tokenizers import Encoding, Tokenizer
from transformers import AutoModel

from nlp_core.adapters import AdapterWriter
from training.model.longest_text import longest_text

Tuning = Literal["lora", "full", "frozen"]
LONGEST = 96
"""Tokens of a text; longer ones are cut while training, and where an encoder has fewer positions."""
GROUP = 32
"""Texts read together."""


@dataclass(frozen=True, slots=True, eq=False)
class ReadTexts:
    """Some texts read together. places: which of the texts these rows are."""

    places: tuple[int, ...]
    encodings: tuple[Encoding, ...]
    vectors: torch.Tensor
    """float [rows, length, width]."""
    mask: torch.Tensor
    """float [rows, length]: 1 for tokens, 0 for padding."""

    def means(self) -> torch.Tensor:
        """[rows, width]: mean over each row's tokens."""
        return (self.vectors * self.mask[..., None]).sum(dim=1) / self.mask.sum(dim=1, keepdim=True)


class ExtendedWords(torch.nn.Module):
    """A vocabulary's vectors with some rows replaced by ones that learn: the optimizer sees those rows alone."""

    def __init__(self, words: torch.nn.Embedding, rows: torch.Tensor, first: torch.Tensor) -> None:
        """rows int64 [n], first float [n, width]."""
        super().__init__()
        self.words = words
        self.values = torch.nn.Parameter(first.clone())
        places = torch.full((words.num_embeddings,), -1, dtype=torch.int64)
        places[rows] = torch.arange(len(rows))
        self.places: torch.Tensor
        self.register_buffer("places", places)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """int64 [...] to float [..., width]."""
        places = self.places[ids]
        own = self.values[places.clamp(min=0)]
        vectors: torch.Tensor = torch.where((places >= 0)[..., None], own, self.words(ids))
        return vectors


class TunedEncoder(torch.nn.Module):
    """Texts to vectors; what learns depends on `tuning`, the rows added to the vocabulary always learn."""

    def __init__(
        self,
        folder: Path,
        tokenizer: Tokenizer,
        *,
        tuning: Tuning = "lora",
        rank: int = 16,
        rows: Mapping[str, int] | None = None,
        first: NDArray[np.float32] | None = None,
    ) -> None:
        """folder: config.json and model.safetensors of the base. rows: new word -> id, each with its `first` vector."""
        super().__init__()
        base = AutoModel.from_pretrained(
            folder, attn_implementation="sdpa", dtype=torch.float32, local_files_only=True, use_safetensors=True
        )
        if hasattr(base, "pooler"):
            base.pooler = None
        self._longest = min(LONGEST, longest_text(base))
        self.tuning, self.tokenizer = tuning, tokenizer
        if tuning == "lora":
            config = LoraConfig(r=rank, lora_alpha=rank, target_modules="all-linear", lora_dropout=0.0)
            self.model: Any = get_peft_model(base, config)
        else:
            self.model = base.requires_grad_(tuning == "full")
        self.padding = base.config.pad_token_id or 0
        self.rows = torch.tensor(list((rows or {}).values()), dtype=torch.int64)
        self._words_name = next(n for n, p in base.named_parameters() if p is base.get_input_embeddings().weight)
        self.new_rows: ExtendedWords | None = None
        if first is not None and len(self.rows):
            self._add_rows(torch.from_numpy(first))

    @property
    def base(self) -> Any:
        """The Hugging Face model, inside peft's wrapping where there is one."""
        return self.model.base_model.model if self.tuning == "lora" else self.model

    @property
    def width(self) -> int:
        return int(self.base.config.hidden_size)

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        device: torch.device = next(self.model.parameters()).device
        return device

    def learning(self) -> list[torch.nn.Parameter]:
        """What learns besides the new rows."""
        new = self.new_rows.values if self.new_rows else None
        return [p for p in self.model.parameters() if p.requires_grad and p is not new]

    def read(self, texts: Sequence[str]) -> Iterator[ReadTexts]:
        """Every text once, in groups of like length: padding would be half the work."""
        encoded = [self.tokenizer.encode(text) for text in texts]
        order = sorted(range(len(texts)), key=lambda place: len(encoded[place].ids))
        for start in range(0, len(order), GROUP):
            places = tuple(order[start : start + GROUP])
            yield self._read(places, tuple(encoded[place] for place in places))

    def embed(self, texts: Sequence[str]) -> torch.Tensor:
        """float32 [texts, width], unit length, in the order of the texts."""
        groups = list(self.read(texts))
        vectors = torch.cat([torch.nn.functional.normalize(group.means().float(), dim=1) for group in groups])
        return vectors[torch.tensor(np.argsort([place for group in groups for place in group.places]))]

    def save_adapter(self, path: Path) -> None:
        """Writes what has been learned besides the base, by the names of the base's tensors (`full`: the rows alone)."""
        writer = AdapterWriter()
        for name, module in self.base.named_modules():
            if hasattr(module, "lora_A") and "default" in module.lora_A:
                out = module.lora_B["default"].weight.detach() * module.scaling["default"]
                inner = module.lora_A["default"].weight.detach()
                writer.add_low_rank(f"{name}.weight", out.cpu().numpy(), inner.cpu().numpy())
        if self.new_rows:
            writer.add_rows(self._words_name, self.rows.numpy(), self.new_rows.values.detach().cpu().numpy())
        writer.save(path)

    def _add_rows(self, first: torch.Tensor) -> None:
        """New words begin with their `first` vectors; where all weights learn they are ordinary rows."""
        words = self.base.get_input_embeddings()
        if self.tuning == "full":
            with torch.no_grad():
                words.weight[self.rows] = first
        else:
            self.new_rows = ExtendedWords(words, self.rows, first)
            self.base.set_input_embeddings(self.new_rows)

    def _read(self, places: tuple[int, ...], encodings: tuple[Encoding, ...]) -> ReadTexts:
        rows = [_cut(encoding.ids, self._longest) for encoding in encodings]
        longest = max(map(len, rows))
        ids = torch.tensor([[*row, *[self.padding] * (longest - len(row))] for row in rows])
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
        ids, mask = ids.to(self.device), mask.to(self.device)
        vectors = self.model(input_ids=ids, attention_mask=mask).last_hidden_state
        return ReadTexts(places, encodings, vectors, mask.to(vectors.dtype))


def _cut(ids: Sequence[int], most: int) -> Sequence[int]:
    """At most so many tokens, the last one kept."""
    return ids if len(ids) <= most else [*ids[: most - 1], ids[-1]]
