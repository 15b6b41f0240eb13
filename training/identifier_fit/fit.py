"""Fits the head with torch and rounds it to whole numbers.

Input : marked texts     Output: training.deidentify.identifier_head.network.Weights
Knows torch; the head itself is read with numpy alone. A mark of the word itself or of a list is hidden now and then, and what
the rules found in two texts of five, so that the head learns from letters and neighbours too.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from training.deidentify.identifier_head.head import ruled_classes
from training.deidentify.identifier_head.marks import ROWS, Marks, row
from training.deidentify.identifier_head.network import (
    CLASSES,
    LARGEST_HIDDEN,
    LARGEST_SUM,
    WIDE,
    WIDE_2,
    Floats,
    Weights,
)
from training.deidentify.identifier_head.tokens import tokens_of
from training.deidentify.kinds import Found
from training.deidentify.notes import NoteCleaner
from training.deidentify.text_folding import folded
from training.deidentify.vocabulary import vocabulary
from training.identifier_fit.training_notes import MarkedText

WIDTH, HIDDEN = 24, 64
_LONGEST, _BATCH, _POOL = 160, 32, 1024
_HIDDEN_MARKS, _HIDDEN_WORDS, _HIDDEN_RULES = 0.06, 0.45, 0.4
_RATE, _DROPPED, _SMOOTHED, _WEIGHT = 4e-3, 0.15, 0.02, 1.2
_LARGEST_ROW, _LARGEST_WEIGHT, _NEARLY, _SEEN = 127, 127, 0.9995, 400
_UNLABELLED = -100


@dataclass(frozen=True, slots=True)
class Piece:
    """Tokens of one text: the number of each one's form, of its gap's row, the class of the rules, the class it has."""

    forms: list[int]
    gaps: list[int]
    ruled: list[int]
    labels: list[int]


class Forms:
    """Numbers for forms, and the rows of each; number 0 is none."""

    def __init__(self) -> None:
        self._marks = Marks(vocabulary())
        self._numbers: dict[str, int] = {}
        self._rows: list[list[int]] = [[]]
        self.telling: set[int] = set()
        """Rows of words themselves and of lists."""

    def number(self, form: str) -> int:
        known = self._numbers.get(form)
        if known is None:
            known = self._numbers[form] = len(self._rows)
            said = self._marks.said(form)
            self._rows.append(sorted({row(mark) for mark in said}))
            self.telling.update(row(mark) for mark in said if mark.startswith(("w=", "zw=", "on=")))
        return known

    def rows(self) -> Tensor:
        """[forms, most rows of one], filled up with row 0."""
        filled = np.zeros((len(self._rows), max(map(len, self._rows))), np.int64)
        for number, rows in enumerate(self._rows):
            filled[number, : len(rows)] = rows
        return torch.from_numpy(filled)


def pieces_of(text: MarkedText, forms: Forms, ruled: Sequence[Found]) -> Iterator[Piece]:
    """The text in pieces of at most `_LONGEST` tokens."""
    tokens = tokens_of(folded(text.text))
    if not tokens.starts:
        return
    labels = ruled_classes(tokens, text.identifiers).tolist()
    numbers = [forms.number(form) for form in tokens.forms]
    gaps = [row(f"gap={gap}") for gap in tokens.gaps]
    classes = ruled_classes(tokens, ruled).tolist()
    for at in range(0, len(numbers), _LONGEST):
        cut = slice(at, at + _LONGEST)
        yield Piece(numbers[cut], gaps[cut], classes[cut], labels[cut])


class Net(nn.Module):
    """The head in floating point."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.EmbeddingBag(ROWS, WIDTH, mode="sum", padding_idx=0)
        nn.init.normal_(self.table.weight, 0, 0.1)
        self.first = nn.Conv1d(WIDTH, HIDDEN, WIDE, padding=WIDE // 2)
        self.second = nn.Conv1d(HIDDEN, HIDDEN, WIDE_2, padding=WIDE_2 // 2)
        self.last = nn.Linear(HIDDEN, len(CLASSES))

    def forward(self, rows: Tensor, shape: tuple[int, int]) -> Tensor:
        """rows: [pieces * tokens, rows of one]; gives [pieces, tokens, classes]."""
        values = self.table(rows).view(*shape, WIDTH).transpose(1, 2)
        values = nn.functional.dropout(values, _DROPPED, self.training)
        values = nn.functional.dropout(torch.relu(self.first(values)), _DROPPED, self.training)
        values = nn.functional.dropout(torch.relu(self.second(values)), _DROPPED, self.training)
        return self.last(values.transpose(1, 2))  # type: ignore[no-any-return]


class Batches:
    """Pieces as tensors."""

    def __init__(self, forms: Forms) -> None:
        self._rows = forms.rows()
        self._ruled = torch.tensor([0, *(row(f"rule={name}") for name in CLASSES[1:])])
        self._telling = torch.zeros(ROWS, dtype=torch.bool)
        self._telling[sorted(forms.telling)] = True

    def of(self, pieces: Sequence[Piece], *, hide: bool = True) -> tuple[Tensor, tuple[int, int], Tensor]:
        """Rows, shape, labels. hide: some rows are left out."""
        shape = (len(pieces), max(len(piece.forms) for piece in pieces))
        forms, gaps, ruled = (torch.zeros(shape, dtype=torch.long) for _ in range(3))
        labels = torch.full(shape, _UNLABELLED)
        for at, piece in enumerate(pieces):
            size = len(piece.forms)
            for target, values in (
                (forms, piece.forms),
                (gaps, piece.gaps),
                (ruled, piece.ruled),
                (labels, piece.labels),
            ):
                target[at, :size] = torch.tensor(values)
        rows = self._rows[forms.view(-1)]
        if hide:
            draw = torch.rand(rows.shape)
            rows = rows.masked_fill((draw < _HIDDEN_MARKS) | ((draw < _HIDDEN_WORDS) & self._telling[rows]), 0)
            ruled = ruled * (torch.rand(shape[0], 1) > _HIDDEN_RULES)
        return torch.cat([rows, gaps.view(-1, 1), self._ruled[ruled.view(-1, 1)]], 1), shape, labels


@contextmanager
def _tiny_numbers_as_zero() -> Iterator[None]:
    """A fit is slow on them; the rest of the process keeps the arithmetic that it had."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


@_tiny_numbers_as_zero()
def fitted(texts: Iterable[MarkedText], cleaner: NoteCleaner, *, rounds: int, seed: int, quiet: bool) -> Weights:
    """Some minutes. cleaner: without a head; what it finds is what the head will be shown."""
    torch.manual_seed(seed)
    forms = Forms()
    pieces = [piece for text in texts for piece in pieces_of(text, forms, cleaner.ruled(text.text))]
    net, batches, drawn = Net(), Batches(forms), random.Random(seed)  # noqa: S311 - no secret
    optimizer = torch.optim.AdamW(net.parameters(), lr=_RATE, weight_decay=1e-4)
    steps = len(pieces) // _BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=rounds * steps + 1)
    weight = torch.tensor([1.0] + [_WEIGHT] * (len(CLASSES) - 1))
    for _ in tqdm(range(rounds), desc="rounds", disable=quiet):
        for chosen in _in_pools(pieces, drawn):
            rows, shape, labels = batches.of(chosen)
            loss = nn.functional.cross_entropy(
                net(rows, shape).flatten(0, 1), labels.view(-1), weight=weight,
                ignore_index=_UNLABELLED, label_smoothing=_SMOOTHED,
            )  # fmt: skip
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch's own
            optimizer.step()
            schedule.step()
    return rounded(net, batches, drawn.sample(pieces, min(len(pieces), _SEEN)))


def _in_pools(pieces: list[Piece], drawn: random.Random) -> Iterator[list[Piece]]:
    """Batches of pieces of like length, in any order."""
    drawn.shuffle(pieces)
    batches = []
    for at in range(0, len(pieces), _POOL):
        pool = sorted(pieces[at : at + _POOL], key=lambda piece: len(piece.forms))
        batches += [pool[start : start + _BATCH] for start in range(0, len(pool) - _BATCH + 1, _BATCH)]
    drawn.shuffle(batches)
    yield from batches


@torch.no_grad()
def rounded(net: Net, batches: Batches, pieces: Sequence[Piece]) -> Weights:
    """The net in whole numbers: each layer's weights, and what goes into it, counted in units that hold nearly the largest."""
    net.eval()
    rows, shape, _ = batches.of(pieces, hide=False)
    sums = net.table(rows)
    hidden = torch.relu(net.first(sums.view(*shape, WIDTH).transpose(1, 2)))
    hidden_2 = torch.relu(net.second(hidden))
    table = net.table.weight.numpy().copy()
    table[0] = 0
    units = (
        max(float(np.quantile(np.abs(table), _NEARLY)) / _LARGEST_ROW, _nearly_largest(sums) / LARGEST_SUM),
        _nearly_largest(hidden) / LARGEST_HIDDEN,
        _nearly_largest(hidden_2) / LARGEST_HIDDEN,
    )
    whole = np.rint(table / units[0]).clip(-_LARGEST_ROW, _LARGEST_ROW).astype(np.int8)
    first, first_bias, first_unit = _whole(_in_rows(net.first.weight), net.first.bias, units[0])
    second, second_bias, second_unit = _whole(_in_rows(net.second.weight), net.second.bias, units[1])
    last, last_bias, last_unit = _whole(net.last.weight.T, net.last.bias, units[2])
    scales = np.array([first_unit / units[1], second_unit / units[2], last_unit], np.float32)
    return Weights(whole, first, first_bias, second, second_bias, last, last_bias, scales)


def _nearly_largest(values: Tensor) -> float:
    return float(np.quantile(np.abs(values.numpy()), _NEARLY))


def _in_rows(weight: Tensor) -> Tensor:
    """[out, in, wide] -> [wide * in, out], as the head lays its neighbours side by side."""
    return weight.permute(2, 1, 0).flatten(0, 1)


def _whole(weight: Tensor, bias: Tensor | None, unit: float) -> tuple[Floats, Floats, float]:
    """Weights and bias as whole numbers, and what one of their sum is worth. unit: of what goes in."""
    own = float(weight.abs().max()) / _LARGEST_WEIGHT
    whole = np.rint(weight.numpy() / own).astype(np.float32)
    return (
        whole,
        np.rint((torch.zeros(weight.shape[1]) if bias is None else bias).numpy() / (own * unit)).astype(np.float32),
        own * unit,
    )
