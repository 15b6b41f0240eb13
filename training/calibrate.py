"""Scores that mean what they say: fits the table from raw to calibrated probability on simulated patients.

`dxspan-train calibrate` draws patients, reads them by the serving way, fits a monotone table on one half, measures the
expected calibration error on the other and chooses the silence threshold. Writes nlp_core/bundle/calibration.json.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

import nlp_core
from nlp_core.assess import Reader
from nlp_core.calibration import Calibration
from training.command import Command
from training.simulated_patients import simulated_patients

SHIPPED = Path(nlp_core.__file__).parent / "bundle" / "calibration.json"

LEADING = 5
"""Candidates per patient that enter the fit: the ones a card could show."""
BINS = 15
KNOTS = 24
WANTED_PRECISION = 0.6
"""Of the patients shown a card, the share whose diagnosis should be among the first three."""


@dataclass(frozen=True, slots=True)
class Readings:
    """One row per patient, one column per leading candidate: raw probability, and whether it was the right one."""

    raw: NDArray[np.float64]
    right: NDArray[np.bool_]


def read_patients(reader: Reader, count: int, *, seed: int, known: tuple[float, float] = (0.3, 1.0)) -> Readings:
    """Reads simulated patients with an uncalibrated reader. Shapes [count, LEADING]."""
    raw = np.zeros((count, LEADING))
    right = np.zeros((count, LEADING), dtype=bool)
    patients = simulated_patients(reader.knowledge, count, seed=seed, known=known)
    for row, patient in enumerate(tqdm(patients, total=count, desc="simulated patients", unit="patient")):
        for column, (ranked, probability) in enumerate(reader.rank(patient.chart)[:LEADING]):
            raw[row, column] = probability
            right[row, column] = ranked.diagnosis.id == patient.diagnosis.id
    return Readings(raw, right)


def fit(readings: Readings, held_apart: Readings, knowledge_version: str) -> Calibration:
    """The table fitted on `readings`, with its error on `held_apart`."""
    # Imported here: scikit-learn takes a second to load, and the other commands do without it.
    from sklearn.isotonic import IsotonicRegression

    model = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
    model.fit(readings.raw.ravel(), readings.right.ravel().astype(float))
    knots = np.linspace(0, 1, KNOTS)
    table = np.maximum.accumulate(model.predict(knots))
    calibrated = np.interp(held_apart.raw, knots, table)
    calibrated /= np.maximum(1.0, calibrated.sum(axis=1, keepdims=True))  # as Calibration.probabilities does
    return Calibration(
        fitted_on=f"{len(readings.raw)} simulated patients drawn from the knowledge",
        patients=len(readings.raw),
        expected_calibration_error=round(calibration_error(calibrated.ravel(), held_apart.right.ravel()), 4),
        raw=tuple(round(float(knot), 4) for knot in knots),
        calibrated=tuple(round(float(value), 4) for value in table),
        silence_below=silence_threshold(calibrated[:, 0], np.asarray(held_apart.right[:, :3].any(axis=1))),
        knowledge_version=knowledge_version,
    )


def calibration_error(probability: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Expected calibration error over BINS equal-width bins."""
    bins = np.minimum((probability * BINS).astype(int), BINS - 1)
    error = 0.0
    for index in range(BINS):
        inside = bins == index
        if inside.any():
            error += inside.mean() * abs(probability[inside].mean() - right[inside].mean())
    return float(error)


def silence_threshold(leading: NDArray[np.float64], in_first_three: NDArray[np.bool_]) -> float:
    """The lowest leading probability at which patients *at* that level are right within three often enough."""
    for threshold in np.arange(0.02, 0.6, 0.02):
        near = (leading >= threshold) & (leading < threshold + 0.06)
        if near.sum() >= 20 and in_first_three[near].mean() >= WANTED_PRECISION:
            return round(float(threshold), 2)
    return 0.1


def calibrate(target: Path, *, patients: int, seed: int) -> Calibration:
    """Fits and writes the table to `target`."""
    reader = Reader.load(calibrated=False)
    fitted_on = read_patients(reader, patients, seed=seed)
    held_apart = read_patients(reader, patients, seed=seed + 1)
    calibration = fit(fitted_on, held_apart, reader.knowledge.version)
    target.write_text(calibration.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return calibration


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--patients", type=int, default=4000, help="simulated patients to fit on, and as many to measure on"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", type=Path, default=SHIPPED, help="file to write (default: the shipped bundle's)")


def _run(options: Namespace) -> int:
    calibration = calibrate(options.write, patients=options.patients, seed=options.seed)
    print(
        f"expected calibration error {calibration.expected_calibration_error:.3f} on {calibration.patients} held-apart"
        f" simulated patients; silent below {calibration.silence_below:.2f}"
    )
    return 0


COMMAND = Command("calibrate", "fit the table from scores to probabilities on simulated patients", _arguments, _run)
