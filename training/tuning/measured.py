"""How often a classifier is right on texts it has not seen: shares with intervals, label by label.

Knows labels and scikit-learn's classification report; nothing of how the answers came about.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from sklearn.metrics import classification_report, confusion_matrix

from nlp_core.intervals import wilson

RESAMPLES = 1000


class OfLabel(BaseModel):
    """One label. count: texts that bear it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    precision: float
    recall: float
    f1: float
    count: int


class Measured(BaseModel):
    """All labels; intervals are 95 %."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    measured_texts: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    macro_f1: float
    macro_f1_interval: tuple[float, float]
    per_class: dict[str, OfLabel]
    confusion: list[list[int]]
    """Rows are what is right, columns what was answered, both in the order of per_class."""


def measured(right: Sequence[int], answered: Sequence[int], labels: Sequence[str]) -> Measured:
    """right, answered: places in `labels`. Raises ValueError where there are none."""
    if not len(right):
        raise ValueError("no text to measure on")
    found = classification_report(
        right, answered, labels=range(len(labels)), target_names=list(labels), output_dict=True, zero_division=0
    )
    shares = np.asarray(right) == np.asarray(answered)
    low, high = wilson(float(shares.mean()), len(shares))
    return Measured(
        measured_texts=len(right), accuracy=float(shares.mean()), accuracy_interval=(low, high),
        macro_f1=macro_f1(right, answered, len(labels)),
        macro_f1_interval=interval([macro_f1(r, a, len(labels)) for r, a in resampled(right, answered)]),
        per_class={
            label: OfLabel(
                precision=found[label]["precision"], recall=found[label]["recall"], f1=found[label]["f1-score"],
                count=int(found[label]["support"]),
            )
            for label in labels
        },
        confusion=confusion_matrix(right, answered, labels=range(len(labels))).tolist(),
    )  # fmt: skip


def report_text(right: Sequence[int], answered: Sequence[int], labels: Sequence[str]) -> str:
    """scikit-learn's classification report."""
    return str(
        classification_report(
            right, answered, labels=range(len(labels)), target_names=list(labels), digits=3, zero_division=0
        )
    )


def macro_f1(
    right: Sequence[int] | NDArray[np.int64], answered: Sequence[int] | NDArray[np.int64], classes: int
) -> float:
    """Mean over the labels that some text bears. As scikit-learn's, which is too slow for a thousand draws."""
    known, given = np.asarray(right, np.int64), np.asarray(answered, np.int64)
    borne = np.bincount(known, minlength=classes)
    hits = np.bincount(known[known == given], minlength=classes)
    both = borne + np.bincount(given, minlength=classes)
    return float((2 * hits[borne > 0] / both[borne > 0]).mean())


def resampled(*answers: Sequence[int], seed: int = 0, times: int = RESAMPLES) -> list[tuple[NDArray[np.int64], ...]]:
    """The same texts drawn with replacement from each list of answers, `times` times over."""
    random = np.random.default_rng(seed)
    lists = [np.asarray(answer, np.int64) for answer in answers]
    draws = random.integers(len(lists[0]), size=(times, len(lists[0])))
    return [tuple(one[draw] for one in lists) for draw in draws]


def interval(values: Sequence[float]) -> tuple[float, float]:
    """The middle 95 %."""
    low, high = np.quantile(values, (0.025, 0.975))
    return float(low), float(high)
