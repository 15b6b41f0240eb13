"""What is said of an exported encoder beside the trained one, and how near is near enough. Knows figures, no torch."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from nlp_core.bundle_manifest import Precision

PARITY = "parity.json"
LARGEST_FP32 = 1e-4
"""A graph in fp32 that differs by more computes something else than what was trained. Token vectors reach about 2."""
LOWEST_COSINE: dict[Precision, float] = {"fp32": 0.99999, "fp16": 0.9999, "int8-rows": 0.9}
"""Of any token. int8 is near, not the same: what it does to the cards is measured by the gate."""


class Difference(BaseModel):
    """Over all tokens that are not masked (rows, for what a whole row answers)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    largest: float
    lowest_cosine: float | None = None
    """None for answers of the heads: their direction means nothing."""


class Parity(BaseModel):
    """The report."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    precision: Precision
    against: str = "torch, fp32"
    batches: int
    tokens: int
    outputs: dict[str, Difference]
    """By the graph's name of the output."""


class ParityError(ValueError):
    """The exported graph computes something else than what was trained."""


def require(parity: Parity) -> None:
    """Raises ParityError where the report says that something else is computed."""
    vectors = next(iter(parity.outputs.values()))
    lowest = LOWEST_COSINE[parity.precision]
    if vectors.lowest_cosine is None or vectors.lowest_cosine < lowest:
        raise ParityError(
            f"the graph in {parity.precision} differs from torch: cosine {vectors.lowest_cosine}, at least {lowest} wanted"
        )
    largest = max(difference.largest for difference in parity.outputs.values())
    if parity.precision == "fp32" and largest > LARGEST_FP32:
        raise ParityError(f"the graph differs from torch by {largest:.1e}, at most {LARGEST_FP32} wanted")


def in_words(parity: Parity) -> str:
    """One line for a model card."""
    vectors = next(iter(parity.outputs.values()))
    return (
        f"Beside {parity.against}, over {parity.tokens} tokens: token vectors at most {vectors.largest:.1e} apart, lowest cosine"
        f" {vectors.lowest_cosine}."
    )
