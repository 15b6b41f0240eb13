"""What a run of `dxspan-train tune` depends on; kept as options.yaml beside its results.

Knows names and ranges, no torch; an impossible value is refused by name.
"""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

Method = Literal["full", "lora", "dora", "adalora", "ia3", "prefix"]
Schedule = Literal["linear", "cosine", "constant"]
Precision = Literal["fp32", "bf16"]
Augmentation = Literal["synonyms", "abbreviations", "typos", "negation", "sections"]
Attack = Literal["fgm", "pgd"]
METHODS: tuple[Method, ...] = get_args(Method)
SCHEDULES: tuple[Schedule, ...] = get_args(Schedule)
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
AUGMENTATIONS: tuple[Augmentation, ...] = get_args(Augmentation)
ATTACKS: tuple[Attack, ...] = get_args(Attack)

LEARNING_RATES: dict[Method, float] = {
    "full": 1e-4, "lora": 5e-4, "dora": 5e-4, "adalora": 2e-3, "ia3": 5e-3, "prefix": 1e-2,
}  # fmt: skip
"""Of the encoder, where none is given: the fewer the weights that learn, the higher."""


class TuningOptions(BaseModel):
    """One training of one classifier."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: Method = "lora"
    rank: int = Field(default=16, ge=1)
    """Of the low-rank changes; the number of virtual tokens of a prefix."""
    epochs: float = Field(default=4.0, gt=0)
    batch: int = Field(default=16, ge=1)
    accumulate: int = Field(default=1, ge=1)
    """Batches whose gradients are added up before a step."""
    learning_rate: float | None = Field(default=None, gt=0)
    """Of the encoder; None = LEARNING_RATES."""
    head_learning_rate: float = Field(default=2e-3, gt=0)
    schedule: Schedule = "linear"
    warm_up: float = Field(default=0.06, ge=0, lt=1)
    """Share of the steps over which the rates rise."""
    precision: Precision = "fp32"
    patience: int = Field(default=0, ge=0)
    """Epochs without a lower loss on the development texts after which training ends, the best one kept; 0 = never."""
    longest: int = Field(default=128, ge=8)
    """Tokens of a text; what is beyond is cut off."""
    dropout: float = Field(default=0.1, ge=0, lt=1)
    augment: tuple[Augmentation, ...] = ()
    copies: int = Field(default=1, ge=1)
    """Augmented copies of each text, for each kind of augmentation."""
    adversarial: Attack | None = None
    epsilon: float = Field(default=0.3, gt=0)
    """Length of the disturbance of a text's token vectors, as a share of their mean length."""
    ensemble: int = Field(default=1, ge=1)
    """Classifiers trained apart, then distilled to one; 1 = none."""
    temperature: float = Field(default=2.0, gt=0)
    """Softens what an ensemble teaches."""
    seed: int = 1
    threads: int = Field(default=2, ge=1)

    @property
    def rate(self) -> float:
        return self.learning_rate or LEARNING_RATES[self.method]
