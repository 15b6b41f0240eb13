"""The kinds of tuning: which weights of an encoder learn, and how what they learned becomes part of it.

Knows peft. LoRA, DoRA, AdaLoRA and IA3 are changes of matrices and merge into them; a prefix is tokens before every layer's
own, for which a plain encoder has no place.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from peft import AdaLoraConfig, IA3Config, LoraConfig, PeftConfig, PrefixTuningConfig, TaskType, get_peft_model
from transformers import TrainerCallback

from training.tuning.options import Method

MERGEABLE: tuple[Method, ...] = ("full", "lora", "dora", "adalora", "ia3")
NO_MERGE = (
    "a prefix cannot be merged: its virtual tokens stand before every layer's own keys and values, and a plain encoder has "
    "no weights that could hold them; train with --method lora (or dora, adalora, ia3, full) to export"
)
_IMPORTANCE = ("ipt", "exp_avg_ipt", "exp_avg_unc")
"""What AdaLoRA's allocator keeps between steps, each by name of weight."""
_KEYS_AND_VALUES = ("key", "value", "k_proj", "v_proj", "k_lin", "v_lin", "Wqkv")


def with_method(model: Any, method: Method, *, rank: int, steps: int) -> Any:
    """The encoder with what `method` adds; only that learns. steps: optimizer steps of the run, which AdaLoRA plans with.

    Raises ValueError for an encoder that the method does not fit.
    """
    if method == "full":
        return model.requires_grad_(True)
    try:
        adapted: Any = get_peft_model(model, _config(model, method, rank, steps))
        if method == "prefix":
            # A second name of the encoder's own, with which no checkpoint can be written.
            adapted.word_embeddings = None
        return adapted
    except (ValueError, AttributeError, KeyError) as error:
        raise ValueError(f"--method {method} does not fit a {model.config.model_type} encoder: {error}") from error


def merged(model: Any, method: Method) -> Any:
    """A plain encoder that answers as `model` does. Raises ValueError for a prefix."""
    if method not in MERGEABLE:
        raise ValueError(NO_MERGE)
    return model if method == "full" else model.merge_and_unload()


def regulariser(model: Any, method: Method) -> torch.Tensor | None:
    """What AdaLoRA adds to the loss: its directions are to be orthogonal, so that their sizes can be compared."""
    if method != "adalora":
        return None
    parts = [_off_orthogonal(name, parameter) for name, parameter in _directions(model)]
    weight: float = model.peft_config["default"].orth_reg_weight
    return weight * torch.stack(parts).mean()


class RankAllocation(TrainerCallback):
    """AdaLoRA moves rank to the matrices that need it, after each step and before the gradients are forgotten."""

    def __init__(self, encoder: Any) -> None:
        self._encoder = encoder

    def on_optimizer_step(self, args: Any, state: Any, *_: Any, **__: Any) -> None:  # noqa: ARG002 - the Trainer's names
        """The step's number counts from 1 here."""
        self._encoder.base_model.update_and_allocate(state.global_step + 1)

    def on_save(self, args: Any, state: Any, *_: Any, **__: Any) -> None:
        """What has been seen of the gradients goes into the checkpoint: the Trainer does not know of it."""
        allocator = self._encoder.base_model.rankallocator
        kept = {name: getattr(allocator, name) for name in _IMPORTANCE}
        torch.save({**kept, "ranks": self._config.rank_pattern}, self._file(args, state))

    def on_train_begin(self, args: Any, state: Any, *_: Any, **__: Any) -> None:
        """Where a run goes on."""
        if not state.global_step:
            return
        kept = torch.load(self._file(args, state), weights_only=True, map_location=self._encoder.device)
        self._config.rank_pattern = kept.pop("ranks")
        for name, value in kept.items():
            setattr(self._encoder.base_model.rankallocator, name, value)

    @property
    def _config(self) -> Any:
        return self._encoder.peft_config["default"]

    def _file(self, args: Any, state: Any) -> Path:
        return Path(args.output_dir) / f"checkpoint-{state.global_step}" / "adalora.pt"


def _config(model: Any, method: Method, rank: int, steps: int) -> PeftConfig:
    task = TaskType.FEATURE_EXTRACTION
    if method in ("lora", "dora"):
        return LoraConfig(
            r=rank, lora_alpha=rank, target_modules="all-linear", use_dora=method == "dora", task_type=task
        )
    if method == "adalora":
        before, after = max(1, steps // 10), max(1, steps // 4)
        return AdaLoraConfig(
            init_r=max(2, rank + rank // 2), target_r=rank, lora_alpha=rank, target_modules="all-linear",
            tinit=before, tfinal=after, deltaT=max(1, steps // 50), total_step=max(steps, before + after + 1),
            task_type=task,
        )  # fmt: skip
    if method == "ia3":
        kept, down = _ia3_layers(model)
        return IA3Config(target_modules=[*kept, *down], feedforward_modules=down, task_type=task)
    return PrefixTuningConfig(num_virtual_tokens=rank, task_type=task)


def _ia3_layers(model: Any) -> tuple[list[str], list[str]]:
    """Full names of the layers that make keys and values, and of those that bring the wide layer back down."""
    linear = [(name, layer) for name, layer in model.named_modules() if isinstance(layer, torch.nn.Linear)]
    kept = [name for name, _ in linear if name.rpartition(".")[2] in _KEYS_AND_VALUES]
    down = [name for name, layer in linear if layer.in_features > layer.out_features and name not in kept]
    if not kept or not down:
        raise ValueError("its layers for keys, values and the way down bear unknown names")
    return kept, down


def _directions(model: Any) -> Iterator[tuple[str, torch.Tensor]]:
    for name, parameter in model.named_parameters():
        if parameter.requires_grad and ("lora_A" in name or "lora_B" in name):
            yield name, parameter


def _off_orthogonal(name: str, directions: torch.Tensor) -> torch.Tensor:
    """Length of what the products of all directions have beyond those of orthogonal ones of length 1."""
    products = directions @ directions.T if "lora_A" in name else directions.T @ directions
    length: torch.Tensor = torch.linalg.matrix_norm(products - torch.eye(len(products), device=products.device))
    return length
