"""What a training run depends on, as a YAML file that is written beside its results.

Knows names, ranges and the shipped recipe; unknown or impossible entries are refused by name.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from training.synthetic_charts.styles import Charts

SHIPPED = Path(__file__).parents[1] / "recipes" / "shipped.yaml"
Weight = Annotated[float, Field(ge=0)]


class LossWeights(BaseModel):
    """How much each question counts; 0 leaves it out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    concept: Weight = 1.0
    """Two wordings of one finding lie together."""
    span: Weight = 0.5
    """A finding inside its sentence lies beside its names."""
    finding: Weight = 1.0
    assertion: Weight = 0.5
    salience: Weight = 0.2
    evidence: Weight = 0.3
    cases: Weight = 0.0
    """What the sentences of a whole case have in common tells its diagnosis (case_task)."""


class Recipe(BaseModel):
    """One run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tuning: Literal["lora", "full", "frozen"] = "lora"
    rank: int = Field(default=16, ge=1)
    steps: int = Field(default=1500, ge=1)
    concepts: int = Field(default=48, ge=2)
    """Concepts per step; each gives a pair of texts."""
    sentences: int = Field(default=32, ge=1)
    """Sentences of invented charts per step."""
    cases: int = Field(default=0, ge=0)
    """Whole cases of training/cases per step, where `weights.cases` counts them."""
    chinese: float = Field(default=0.4, ge=0, le=1)
    """Share of charts in Chinese."""
    charts: Charts = "first"
    """How fully the invented charts are written; the shipped model learned from `first`."""
    prepared: float = Field(default=0.5, ge=0, le=1)
    """Share of sentences that come from a hospital's prepared notes, where `--with` names some."""
    learning_rate: float = Field(default=4e-4, gt=0)
    head_learning_rate: float = Field(default=2e-3, gt=0)
    warm_up: float = Field(default=0.06, ge=0, le=1)
    """Share of the steps over which the rates rise."""
    temperature: float = Field(default=0.05, gt=0)
    weights: LossWeights = LossWeights()
    seed: int = 1
    measure_every: int = Field(default=500, ge=1)
    measure_sentences: int = Field(default=600, ge=1)
    """Held-apart sentences that the heads are measured on."""
    resting_sentences: int = Field(default=12_000, ge=0)
    """Sentences that the sentence heads learn from at the end, the encoder at rest; 0 leaves that stage out."""
    resting_epochs: int = Field(default=60, ge=1)
    centre_epochs: int = Field(default=6, ge=0)
    """Passes over all names and phrases in which, at the end, the centres of findings are learned; 0 leaves them means."""
    centre_wordings: int | None = Field(default=None, ge=1)
    """Of each finding so many names and so many phrases in each language at most; None: all, minutes for a small encoder on a CPU."""
    grown_rows: int = Field(default=0, ge=0)
    """Chinese characters that a vocabulary of word pieces gains beyond its free slots, each a row behind its last, at most."""
    device: str = "auto"
    """`cpu`, `cuda`, or `auto`: a GPU where there is one."""
    threads: int = Field(default=2, ge=1)

    @model_validator(mode="after")
    def _weighs_what_is_drawn(self) -> Recipe:
        if bool(self.cases) != bool(self.weights.cases):
            raise ValueError("cases and weights.cases go together: give both, or neither")
        return self


def read_recipe(path: Path) -> Recipe:
    """Raises FileNotFoundError, or ValueError naming the entry at fault."""
    try:
        return Recipe.model_validate(yaml.safe_load(path.read_text("utf-8")) or {})
    except (ValidationError, yaml.YAMLError) as error:
        raise ValueError(f"{path} is no recipe: {error}") from error


def write_recipe(path: Path, recipe: Recipe) -> None:
    path.write_text(yaml.safe_dump(recipe.model_dump(), sort_keys=False), encoding="utf-8")
