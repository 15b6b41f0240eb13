"""The encoder with its changes in training: low-rank changes of the linear layers, biases and norms, a table of marks, a head.

Input : pieces, their rows of marks, gap, class of the rules     Output: scores [rows, length, classes]
Knows torch alone, so that it trains wherever torch is. Names of tensors are those of the base file (BERT).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

WIDTH, HEADS, MARKS_WIDTH = 384, 12, 32
CLASSES, GAPS = 5, 32
LINEAR = (
    "attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense", "intermediate.dense", "output.dense",
)  # fmt: skip
OF_BASE = ("layers.", "first_norm.", "word_vectors")
"""Begin the names of what changes the base."""
_FIRST, _SMALL = 0.02, 1e-12


@dataclass(frozen=True, slots=True)
class Shape:
    """Of what is trained. rank 0: all of each matrix."""

    layers: int = 6
    rank: int = 64
    dropped: float = 0.1


class Linear(nn.Module):
    """A layer of the base; what it learns is of low rank, or all of it, and its bias."""

    def __init__(self, weight: Tensor, bias: Tensor, rank: int) -> None:
        super().__init__()
        self.rank = rank
        self.bias = nn.Parameter(bias.clone())
        self.weight = nn.Parameter(weight.clone(), requires_grad=rank == 0)
        if rank:
            self.inner = nn.Parameter(torch.randn(rank, weight.shape[1]) * weight.shape[1] ** -0.5)
            self.out = nn.Parameter(torch.zeros(weight.shape[0], rank))

    def whole(self) -> Tensor:
        """The weight with its change: what is read with."""
        return self.weight + self.out @ self.inner if self.rank else self.weight

    def forward(self, values: Tensor) -> Tensor:
        given = functional.linear(values, self.weight, self.bias)
        if self.rank:
            given = given + functional.linear(functional.linear(values, self.inner), self.out)
        return given


class Layer(nn.Module):
    """One of the base's."""

    def __init__(self, base: Mapping[str, Tensor], at: int, shape: Shape) -> None:
        super().__init__()
        own = f"encoder.layer.{at}."
        self.linear = nn.ModuleList(
            Linear(base[f"{own}{name}.weight"], base[f"{own}{name}.bias"], shape.rank) for name in LINEAR
        )
        self.norms = nn.ModuleList(_norm(base, f"{own}{name}") for name in ("attention.output", "output"))
        self.dropped = shape.dropped

    def forward(self, values: Tensor, mask: Tensor) -> Tensor:
        query, key, value, joined, up, down = self.linear
        rows, length, _ = values.shape
        asked, offered, given_on = (
            part(values).view(rows, length, HEADS, -1).transpose(1, 2) for part in (query, key, value)
        )
        seen = functional.scaled_dot_product_attention(asked, offered, given_on, attn_mask=mask)
        seen = joined(seen.transpose(1, 2).reshape(rows, length, WIDTH))
        values = self.norms[0](values + functional.dropout(seen, self.dropped, self.training))
        more = down(functional.gelu(up(values)))
        given: Tensor = self.norms[1](values + functional.dropout(more, self.dropped, self.training))
        return given


class EncoderNet(nn.Module):
    """Scores of classes for each piece."""

    def __init__(self, base: Mapping[str, Tensor], rows: int, shape: Shape, learnt_words: Tensor | None = None) -> None:
        """base: tensors by name, float. rows: of the table of marks. learnt_words: int64, of whose vectors are learnt too."""
        super().__init__()
        self.shape = shape
        self.learnt_words: Tensor
        self.register_buffer(
            "learnt_words",
            torch.zeros(0, dtype=torch.int64) if learnt_words is None else learnt_words,
            persistent=False,
        )
        if len(self.learnt_words):
            self.word_vectors = nn.Parameter(base["embeddings.word_embeddings.weight"][self.learnt_words].clone())
        self.words: Tensor
        self.places: Tensor
        self.register_buffer("words", base["embeddings.word_embeddings.weight"], persistent=False)
        places = base["embeddings.position_embeddings.weight"] + base["embeddings.token_type_embeddings.weight"][0]
        self.register_buffer("places", places, persistent=False)
        self.first_norm = _norm(base, "embeddings")
        self.marks = nn.EmbeddingBag(rows, MARKS_WIDTH, mode="sum", padding_idx=0)
        nn.init.normal_(self.marks.weight, 0, 0.1)
        self.gaps, self.ruled = nn.Embedding(GAPS, MARKS_WIDTH), nn.Embedding(CLASSES, MARKS_WIDTH)
        for table in (self.gaps, self.ruled):
            nn.init.normal_(table.weight, 0, 0.1)
        self.from_marks = nn.Linear(MARKS_WIDTH, WIDTH, bias=False)
        nn.init.normal_(self.from_marks.weight, 0, _FIRST)
        self.layers = nn.ModuleList(Layer(base, at, shape) for at in range(shape.layers))
        self.beside = nn.Linear(MARKS_WIDTH, CLASSES, bias=False)
        self.last = nn.Linear(WIDTH, CLASSES)

    def forward(self, ids: Tensor, marks: Tensor, gaps: Tensor, ruled: Tensor, mask: Tensor) -> Tensor:
        """ids, gaps, ruled int64 [rows, length]; marks int64 [rows, length, most]; mask bool [rows, length]: no padding."""
        rows, length = ids.shape
        said = self.marks(marks.view(rows * length, -1)).view(rows, length, -1)
        said = said + self.gaps(gaps) + self.ruled(ruled)
        values = functional.embedding(ids, self._vectors()) + self.places[:length] + self.from_marks(said)
        values = functional.dropout(self.first_norm(values), self.shape.dropped, self.training)
        seen = mask[:, None, None, :]
        for layer in self.layers:
            values = layer(values, seen)
        scores: Tensor = self.last(functional.dropout(values, self.shape.dropped, self.training)) + self.beside(said)
        return scores

    def _vectors(self) -> Tensor:
        return self.words.index_copy(0, self.learnt_words, self.word_vectors) if len(self.learnt_words) else self.words

    def learnt(self) -> Iterator[tuple[str, nn.Parameter]]:
        """What an optimizer changes, by name."""
        return ((name, value) for name, value in self.named_parameters() if value.requires_grad)


def _norm(base: Mapping[str, Tensor], name: str) -> nn.LayerNorm:
    norm = nn.LayerNorm(WIDTH, eps=_SMALL)
    norm.weight.data.copy_(base[f"{name}.LayerNorm.weight"])
    norm.bias.data.copy_(base[f"{name}.LayerNorm.bias"])
    return norm
