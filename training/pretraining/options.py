"""What a run of `dxspan-train pretrain` depends on besides its texts. Knows names and ranges, no torch."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from training.tuning.options import Precision


class PretrainOptions(BaseModel):
    """What a run depends on besides its texts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: float = Field(default=1.0, gt=0)
    steps: int | None = Field(default=None, ge=1)
    """Instead of epochs."""
    batch: int = Field(default=16, ge=1)
    accumulate: int = Field(default=1, ge=1)
    learning_rate: float = Field(default=1e-4, gt=0)
    warm_up: float = Field(default=0.06, ge=0, lt=1)
    longest: int = Field(default=256, ge=8)
    """Tokens of a block."""
    masked: float = Field(default=0.15, gt=0, lt=1)
    """Share of the words."""
    precision: Precision = "fp32"
    save_every: int = Field(default=200, ge=1)
    """Steps between checkpoints."""
    seed: int = 1
    threads: int = Field(default=2, ge=1)
