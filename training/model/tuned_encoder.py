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
from safetensors import safe_open
from tokenizers import Encoding, Tokenizer
from transformers import AutoModel

from nlp_core.adapters import AdapterWriter
from nlp_core.bundle_manifest import BASE_WEIGHTS
from training.model.longest_text import longest_text
from training.model.stored_names import stored_name
from training.model.vocabulary_rows import with_rows

Tuning = Literal["lora", "full", "frozen"]
LONGEST = 96
"""Tokens of a text; longer ones are cut while training, and where an encoder has fewer positions."""
GROUP = 32
"""Texts read together."""


@dataclass(frozen=True, slots=True, eq=False)
class ReadRows:
    """Some rows of tokens read together. places: which of all rows these are."""

    places: tuple[int, ...]
    vectors: torch.Tensor
    """float [rows, length, width]."""
    mask: torch.Tensor
    """float [rows, length]: 1 for tokens, 0 for padding."""

    def means(self) -> torch.Tensor:
        """[rows, width]: mean over each row's tokens."""
        return (self.vectors * self.mask[..., None]).sum(dim=1) / self.mask.sum(dim=1, keepdim=True)


@dataclass(frozen=True, slots=True, eq=False)
class ReadTexts(ReadRows):
    """Some texts read together; each is a row."""

    encodings: tuple[Encoding, ...]


class ExtendedWords(torch.nn.Module):
    """A vocabulary's vectors with some rows replaced by ones that learn: the optimizer sees those rows alone."""

    def __init__(self, words: torch.nn.Embedding, rows: torch.Tensor, first: torch.Tensor) -> None:
        """rows int64 [n], first float [n, width]. Rows behind the vocabulary's last lengthen it."""
        super().__init__()
        self.words = words
        self.values = torch.nn.Parameter(first.clone())
        places = torch.full((max(words.num_embeddings, int(rows.max()) + 1),), -1, dtype=torch.int64)
        places[rows] = torch.arange(len(rows))
        self.places: torch.Tensor
        self.register_buffer("places", places)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """int64 [...] to float [..., width]."""
        places = self.places[ids]
        own = self.values[places.clamp(min=0)]
        known = self.words(ids.clamp(max=self.words.num_embeddings - 1))
        vectors: torch.Tensor = torch.where((places >= 0)[..., None], own, known)
        return vectors

    @property
    def length(self) -> int | None:
        """Rows of the vocabulary where it is longer than the base's."""
        return len(self.places) if len(self.places) > self.words.num_embeddings else None


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
        self.longest = min(LONGEST, longest_text(base))
        with safe_open(folder / BASE_WEIGHTS, framework="numpy") as stored:
            self._stored = frozenset(stored.keys())
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
        for one in self.read_rows([encoding.ids for encoding in encoded]):
            yield ReadTexts(one.places, one.vectors, one.mask, tuple(encoded[place] for place in one.places))

    def read_rows(self, rows: Sequence[Sequence[int]]) -> Iterator[ReadRows]:
        """As `read`, of token ids with their frame."""
        order = sorted(range(len(rows)), key=lambda place: len(rows[place]))
        for start in range(0, len(order), GROUP):
            places = tuple(order[start : start + GROUP])
            yield self._read(places, [_cut(rows[place], self.longest) for place in places])

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
                writer.add_low_rank(self._name(f"{name}.weight"), out.cpu().numpy(), inner.cpu().numpy())
        if self.new_rows:
            values = self.new_rows.values.detach().cpu().numpy()
            writer.add_rows(self._name(self._words_name), self.rows.numpy(), values, self.new_rows.length)
        writer.save(path)

    def _name(self, name: str) -> str:
        """The base file's, of a parameter."""
        return stored_name(name, self.base, self._stored)

    def _add_rows(self, first: torch.Tensor) -> None:
        """New words begin with their `first` vectors; where all weights learn they are ordinary rows."""
        if self.tuning == "full":
            words = with_rows(self.base, int(self.rows.max()) + 1)
            with torch.no_grad():
                words.weight[self.rows] = first
        else:
            self.new_rows = ExtendedWords(self.base.get_input_embeddings(), self.rows, first)
            self.base.set_input_embeddings(self.new_rows)

    def _read(self, places: tuple[int, ...], rows: Sequence[Sequence[int]]) -> ReadRows:
        longest = max(map(len, rows))
        ids = torch.tensor([[*row, *[self.padding] * (longest - len(row))] for row in rows])
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
        ids, mask = ids.to(self.device), mask.to(self.device)
        vectors = self.model(input_ids=ids, attention_mask=mask).last_hidden_state
        return ReadRows(places, vectors, mask.to(vectors.dtype))


def _cut(ids: Sequence[int], most: int) -> Sequence[int]:
    """At most so many tokens, the last one kept."""
    return ids if len(ids) <= most else [*ids[: most - 1], ids[-1]]
