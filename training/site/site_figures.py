"""Readings to figures: shares with intervals, calibration, groups, and the difference to another model pair by pair.

Knows arithmetic and when a group is too small to be shown. Notes of one patient are not independent, so differences are
drawn by patient; Wilson's intervals are of notes, as everywhere in docs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from nlp_core.intervals import wilson
from training.calibrate import LEADING, calibration_error
from training.site.read_site import SiteReading

RESAMPLES = 1000
_POINTS, _LEAST_IN_A_POINT = 10, 20
_STRICT = ConfigDict(frozen=True, extra="forbid")


class Share(BaseModel):
    """A share with its 95 % interval (Wilson)."""

    model_config = _STRICT

    value: float
    low: float
    high: float

    @staticmethod
    def of(hits: int, count: int) -> Share:
        low, high = wilson(hits / count, count)
        return Share(value=round(hits / count, 4), low=round(low, 4), high=round(high, 4))


class Figures(BaseModel):
    """How one model fares on some notes."""

    model_config = _STRICT

    notes: int
    patients: int
    top1: Share
    top3: Share
    top5: Share
    silent: Share
    """Share without a card, for whatever reason."""
    leading_calibration_error: float
    """Expected calibration error over 15 bins, of the leading diagnosis."""
    calibration_error: float
    """The same of the first five together."""


class Group(BaseModel):
    """Figures of one group; None: too few patients to be told."""

    model_config = _STRICT

    dimension: str
    name: str
    figures: Figures | None


class Point(BaseModel):
    """One point of the reliability plot."""

    model_config = _STRICT

    promised: float
    """Mean probability of the leading diagnosis."""
    right: Share


class Difference(BaseModel):
    """Ours less the other's, on the same notes, with its 95 % interval (patients drawn with replacement)."""

    model_config = _STRICT

    ours: float
    other: float
    value: float
    low: float
    high: float


def figures_of(readings: Sequence[SiteReading]) -> Figures:
    """Raises ZeroDivisionError for no reading at all."""
    count = len(readings)
    top1, top3, top5 = (Share.of(sum(one.within(most) for one in readings), count) for most in (1, 3, 5))
    probability, right = table_of(readings)
    return Figures(
        notes=count,
        patients=len({one.patient for one in readings}),
        top1=top1,
        top3=top3,
        top5=top5,
        silent=Share.of(sum(bool(one.silence) for one in readings), count),
        leading_calibration_error=round(calibration_error(probability[:, 0], right[:, 0]), 4),
        calibration_error=round(calibration_error(probability.ravel(), right.ravel()), 4),
    )


def table_of(readings: Sequence[SiteReading]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Probability and rightness, both [readings, LEADING]; 0 and False where there are fewer candidates."""
    probability = np.zeros((len(readings), LEADING))
    right = np.zeros((len(readings), LEADING), dtype=np.bool_)
    for row, one in enumerate(readings):
        probability[row, : len(one.probability)] = one.probability
        right[row, : len(one.right)] = one.right
    return probability, right


def groups(readings: Sequence[SiteReading], fewest: int) -> list[Group]:
    """By dimension and name. Of fewer than `fewest` patients none is told; nor is the smallest group beside such, where
    the whole less the others would give those few away."""
    found = []
    for dimension in readings[0].groups:
        by_name: dict[str, list[SiteReading]] = {}
        for one in readings:
            by_name.setdefault(one.groups[dimension], []).append(one)
        hidden = _hidden({name: len({one.patient for one in own}) for name, own in by_name.items()}, fewest)
        for name, own in sorted(by_name.items()):
            found.append(Group(dimension=dimension, name=name, figures=None if name in hidden else figures_of(own)))
    return found


def _hidden(patients: dict[str, int], fewest: int) -> set[str]:
    hidden: set[str] = set()
    for name, count in sorted(patients.items(), key=lambda entry: (entry[1], entry[0])):
        if count < fewest or (hidden and sum(patients[one] for one in hidden) < fewest):
            hidden.add(name)
    return hidden


def gaps(told: Sequence[Group]) -> dict[str, float]:
    """Dimension -> points of top-3 between its best and its worst group, where two are told; unknown is no group."""
    top3: dict[str, list[float]] = {}
    for group in told:
        if group.figures and group.name != "unknown":
            top3.setdefault(group.dimension, []).append(group.figures.top3.value)
    return {dimension: round(max(of) - min(of), 4) for dimension, of in top3.items() if len(of) > 1}


def silences(readings: Sequence[SiteReading], fewest: int) -> dict[str, int | None]:
    """Reason -> notes without a card; None where they are of fewer than `fewest` patients."""
    patients: dict[str, set[str]] = {}
    for one in readings:
        patients.setdefault(one.silence, set()).add(one.patient)
    counts = Counter(one.silence for one in readings if one.silence)
    return {reason: count if len(patients[reason]) >= fewest else None for reason, count in sorted(counts.items())}


def reliability(readings: Sequence[SiteReading]) -> list[Point]:
    """Groups of equal numbers by the leading probability."""
    probability, right = table_of(readings)
    order = np.argsort(probability[:, 0], kind="stable")
    parts = np.array_split(order, max(1, min(_POINTS, len(order) // _LEAST_IN_A_POINT)))
    return [
        Point(promised=round(float(probability[own, 0].mean()), 4), right=Share.of(int(right[own, 0].sum()), len(own)))
        for own in parts
    ]


Measure = Callable[[NDArray[np.int64]], float]
"""Rows (repeated as drawn) to a figure."""


def differences(ours: Sequence[SiteReading], other: Sequence[SiteReading], *, seed: int = 0) -> dict[str, Difference]:
    """Figure -> the difference on the same notes in the same order. Raises ValueError where they are not the same."""
    if [one.note for one in ours] != [one.note for one in other]:
        raise ValueError("the two models did not read the same notes")
    drawn = _drawn([one.patient for one in ours], seed)
    return {
        name: _difference(mine, theirs, drawn, len(ours))
        for (name, mine), theirs in zip(_measures(ours).items(), _measures(other).values(), strict=True)
    }


def _measures(readings: Sequence[SiteReading]) -> dict[str, Measure]:
    probability, right = table_of(readings)
    means = {f"top{most}": np.array([one.within(most) for one in readings], np.float64) for most in (1, 3, 5)}
    means["silent"] = np.array([bool(one.silence) for one in readings], np.float64)
    errors: dict[str, Measure] = {
        "leading_calibration_error": lambda rows: calibration_error(probability[rows, 0], right[rows, 0]),
        "calibration_error": lambda rows: calibration_error(probability[rows].ravel(), right[rows].ravel()),
    }
    return {name: _mean_of(values) for name, values in means.items()} | errors


def _mean_of(values: NDArray[np.float64]) -> Measure:
    return lambda rows: float(values[rows].mean())


def _drawn(patients: Sequence[str], seed: int) -> list[NDArray[np.int64]]:
    """Rows of RESAMPLES draws of as many patients as there are, each with all of its notes."""
    rows: dict[str, list[int]] = {}
    for row, patient in enumerate(patients):
        rows.setdefault(patient, []).append(row)
    of_patient = [np.array(own, np.int64) for own in rows.values()]
    random = np.random.default_rng(seed)
    return [
        np.concatenate([of_patient[place] for place in random.integers(len(of_patient), size=len(of_patient))])
        for _ in range(RESAMPLES)
    ]


def _difference(mine: Measure, theirs: Measure, drawn: Sequence[NDArray[np.int64]], count: int) -> Difference:
    every = np.arange(count)
    ours, other = mine(every), theirs(every)
    low, high = np.quantile([mine(rows) - theirs(rows) for rows in drawn], (0.025, 0.975))
    rounded = (round(float(value), 4) for value in (ours, other, ours - other, low, high))
    return Difference(**dict(zip(("ours", "other", "value", "low", "high"), rounded, strict=True)))
