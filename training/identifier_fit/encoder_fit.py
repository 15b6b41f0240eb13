"""Fits the encoder's changes: steps over windows of like length, on a GPU in 16 bits where there is one; goes on where it was.

Input : Examples, the base's tensors     Output: what was learnt, by name; figures on examples apart
Knows torch and numpy alone. Words are hidden now and then, marks of lists too, and what the rules found in two windows of five.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training.identifier_fit.encoder_net import CLASSES, OF_BASE, EncoderNet, Shape

UNLABELLED = 255
HIDDEN_WORD, HIDDEN_CHARACTER = 103, 100
"""[MASK] of the base's vocabulary, and for Chinese [UNK]: what a character is read as that no row is there for."""
_HIDDEN_WORDS, _HIDDEN_LISTS, _HIDDEN_RULES = 0.08, 0.3, 0.4
_SMOOTHED, _WEIGHT, _DECAY, _WARM, _LARGEST = 0.02, 1.2, 0.01, 0.06, 1.0
_POOL = 64
_MULTIPLE = 8
"""Rows are filled up to so many pieces: what kernels of attention like."""
MOST_LOST = 0.02


@dataclass(frozen=True, slots=True)
class Examples:
    """Windows side by side; `starts` [windows + 1] says where each is. All others as long as all pieces."""

    starts: NDArray[np.int64]
    ids: NDArray[np.uint16]
    marks: NDArray[np.uint32]
    """Number of the piece's set of marks, a row of `sets`."""
    gaps: NDArray[np.uint8]
    ruled: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    """Class of a token at its first piece, else UNLABELLED."""
    sets: NDArray[np.uint16]
    """[sets, most of one]: rows of the table of marks, filled up with 0; set 0 is empty."""
    listed: NDArray[np.uint16]
    """Rows of marks that come from lists."""
    chinese: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    """For each piece: part of a Chinese character; empty where nobody asks."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to fit."""

    shape: Shape = field(default_factory=Shape)
    rate: float = 7e-4
    own_rate: float = 1e-3
    """Of what the base has nothing of."""
    pieces: int = 32_768
    """Of a step."""
    steps: int = 1_000
    seconds: float = 0.0
    """Most that it may take; 0: as long as it takes. The rate falls by whichever ends first."""
    seed: int = 1
    hidden_rules: float = _HIDDEN_RULES


class Batches:
    """Windows on a device, some of what they say hidden."""

    def __init__(self, examples: Examples, device: torch.device, hidden_rules: float) -> None:
        self._given, self._device, self._hidden_rules = examples, device, hidden_rules
        self._flat = {
            name: torch.from_numpy(getattr(examples, name).astype(np.int32)).to(device)
            for name in ("ids", "marks", "gaps", "ruled")
        }
        chinese = examples.chinese if len(examples.chinese) else np.zeros(len(examples.ids), np.bool_)
        self._hidden = torch.from_numpy(np.where(chinese, HIDDEN_CHARACTER, HIDDEN_WORD).astype(np.int32)).to(device)
        self._labels = torch.from_numpy(examples.labels).to(device)
        self._sets = torch.from_numpy(examples.sets.astype(np.int32)).to(device)
        top = int(max(examples.sets.max(initial=0), examples.listed.max(initial=0))) + 1
        listed = torch.zeros(top, dtype=torch.bool)
        listed[torch.from_numpy(examples.listed.astype(np.int64))] = True
        self._listed = listed.to(device)
        self.lengths = np.diff(examples.starts)

    def of(self, windows: NDArray[np.int64], *, hide: bool) -> tuple[tuple[Tensor, ...], Tensor, Tensor]:
        """What the net takes; labels [rows, length], UNLABELLED beside; places of the pieces in the examples."""
        lengths = self.lengths[windows]
        columns = torch.arange(-(-int(lengths.max()) // _MULTIPLE) * _MULTIPLE, device=self._device)
        ends = torch.from_numpy(lengths).to(self._device)[:, None]
        mask = columns[None] < ends
        places = torch.from_numpy(self._given.starts[windows]).to(self._device)[:, None] + columns[None]
        places = torch.where(mask, places, 0)
        ids, sets, gaps, ruled = (
            torch.where(mask, self._flat[name][places], 0).long() for name in ("ids", "marks", "gaps", "ruled")
        )
        marks = self._sets[sets].long()
        labels = torch.where(mask, self._labels[places], UNLABELLED).long()
        if hide:
            told = labels != UNLABELLED
            hidden = told & (torch.rand(ids.shape, device=self._device) < _HIDDEN_WORDS)
            ids = torch.where(hidden, self._hidden[places].long(), ids)
            drawn = torch.rand(ids.shape, device=self._device)[..., None] < _HIDDEN_LISTS
            marks = torch.where(drawn & self._listed[marks], 0, marks)
            ruled = ruled * (torch.rand(len(windows), 1, device=self._device) > self._hidden_rules)
        return (ids, marks, gaps, ruled, mask), labels, places

    def in_order(self, pieces: int, drawn: np.random.Generator) -> Iterator[NDArray[np.int64]]:
        """All windows once, in steps of like length."""
        order = drawn.permutation(len(self.lengths))
        steps: list[NDArray[np.int64]] = []
        pool = max(1, _POOL * pieces // max(1, int(self.lengths.mean())))
        for at in range(0, len(order), pool):
            some = order[at : at + pool]
            some = some[np.argsort(self.lengths[some], kind="stable")]
            first = 0
            while first < len(some):
                longest = int(self.lengths[some[min(len(some), first + max(1, pieces // 24)) - 1]])
                last = first + max(1, pieces // longest)
                steps.append(some[first:last])
                first = last
        for at in drawn.permutation(len(steps)):
            yield steps[at]


def _untold(_step: int, _loss: float) -> None:
    """Progress that nobody asked for."""


def fit(
    examples: Examples,
    base: Mapping[str, Tensor],
    rows: int,
    plan: Plan,
    *,
    told: Callable[[int, float], None] = _untold,
    learnt_words: Tensor | None = None,
    start: Mapping[str, NDArray[Any]] | None = None,
    kept: Path | None = None,
    keep_every: int = 200,
) -> EncoderNet:
    """The fitted net. told: of each step. kept: file of an unfinished fit, written now and then, gone on with where it is.

    learnt_words: int64, words whose vectors are learnt too. start: what an earlier fit learnt, by the net's names. Raises
    KeyError or RuntimeError where it is of another shape.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(plan.seed)
    drawn = np.random.default_rng(plan.seed)
    net = EncoderNet(base, rows, plan.shape, learnt_words).to(device)
    if start is not None:
        for name, value in net.learnt():
            value.data.copy_(torch.from_numpy(np.ascontiguousarray(start[name])))
    batches = Batches(examples, device, plan.hidden_rules)
    of_base = [value for name, value in net.learnt() if name.startswith(OF_BASE)]
    own = [value for name, value in net.learnt() if not name.startswith(OF_BASE)]
    groups = [{"params": of_base, "rate": plan.rate}, {"params": own, "rate": plan.own_rate}]
    optimizer = torch.optim.AdamW(groups, lr=plan.rate, weight_decay=_DECAY, betas=(0.9, 0.98))
    weight = torch.tensor([1.0] + [_WEIGHT] * (CLASSES - 1), device=device)
    begun, step, gone = time.monotonic(), 0, 0.0
    done = _read_kept(kept, net, optimizer)
    while gone < 1:
        for windows in batches.in_order(plan.pieces, drawn):
            step += 1
            if step <= done:
                continue
            gone = max(step / plan.steps, (time.monotonic() - begun) / plan.seconds if plan.seconds else 0)
            for group in optimizer.param_groups:
                group["lr"] = group["rate"] * min(1.0, gone / _WARM, max(0.0, 1 - gone) / (1 - _WARM))
            told(step, _step(net, batches, windows, optimizer, weight))
            if kept and step % keep_every == 0:
                _keep(kept, net, optimizer, step)
            if gone >= 1:
                break
    return net.eval()


def _step(
    net: EncoderNet, batches: Batches, windows: NDArray[np.int64], optimizer: torch.optim.Optimizer, weight: Tensor
) -> float:
    net.train()
    given, labels, _ = batches.of(windows, hide=True)
    with _sixteen_bits(weight.device):
        scores = net(*given)
    told = labels != UNLABELLED
    loss = nn.functional.cross_entropy(scores[told].float(), labels[told], weight=weight, label_smoothing=_SMOOTHED)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]  # torch's own
    nn.utils.clip_grad_norm_([value for _, value in net.learnt()], _LARGEST)
    optimizer.step()
    return float(loss.detach()) if weight.device.type == "cpu" else 0.0


def _sixteen_bits(device: torch.device) -> Any:
    return torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda")


def _keep(path: Path, net: EncoderNet, optimizer: torch.optim.Optimizer, step: int) -> None:
    aside = path.with_suffix(".new")
    state = {
        "net": {name: value.data for name, value in net.learnt()},
        "optimizer": optimizer.state_dict(),
        "step": step,
    }
    torch.save({**state, "drawn": torch.get_rng_state()}, aside)
    aside.replace(path)


def _read_kept(path: Path | None, net: EncoderNet, optimizer: torch.optim.Optimizer) -> int:
    if path is None or not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    own = dict(net.learnt())
    for name, value in state["net"].items():
        own[name].data.copy_(value)
    optimizer.load_state_dict(state["optimizer"])
    torch.set_rng_state(state["drawn"])
    return int(state["step"])


@torch.no_grad()
def chances(net: EncoderNet, examples: Examples, pieces: int = 8_192) -> NDArray[np.float32]:
    """[pieces of the examples, classes]; rows of nothing where no token begins."""
    device = net.words.device
    batches = Batches(examples, device, 0)
    given = np.zeros((len(examples.ids), CLASSES), np.float32)
    order = np.argsort(batches.lengths, kind="stable")
    first = 0
    while first < len(order):
        last = first + max(1, pieces // int(batches.lengths[order[min(len(order) - 1, first + pieces // 24)]]))
        inputs, labels, places = batches.of(order[first:last], hide=False)
        with _sixteen_bits(device):
            scores = net(*inputs)
        told = labels != UNLABELLED
        given[places[told].cpu().numpy()] = scores[told].float().softmax(1).cpu().numpy()
        first = last
    return given


def judged(net: EncoderNet, examples: Examples) -> dict[str, float]:
    """Share of identifiers' tokens found where `MOST_LOST` of the other tokens are taken too, for Latin and for Chinese."""
    told = 1 - chances(net, examples)[:, 0]
    figures = {}
    for name, of in (("latin", ~examples.chinese), ("chinese", examples.chinese)):
        own = of & (examples.labels != UNLABELLED)
        right = own & (examples.labels > 0)
        other = np.sort(told[own & (examples.labels == 0)])[::-1]
        if not right.any() or not len(other):
            continue
        limit = other[min(len(other) - 1, int(MOST_LOST * len(other)))]
        figures[name] = round(float((told[right] > limit).mean()), 4)
    return figures
