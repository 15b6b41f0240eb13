"""Scores that mean what they say: fits the table from raw to calibrated probability on simulated patients.

`dxspan-train calibrate` draws patients, reads them by the serving way, fits two rising curves (what leads, what follows) on one half, measures
the expected calibration error on the other and chooses the silence threshold. Writes nlp_core/bundle/calibration.json.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

import nlp_core
from nlp_core.assess import Reader
from nlp_core.calibration import Calibration
from nlp_core.model_bundle import Bundle, composed_bundle_path
from training.beta_curve import BetaCurve
from training.command import Command
from training.simulated_patients import simulated_patients

SHIPPED = Path(nlp_core.__file__).parent / "bundle" / "calibration.json"

LEADING = 5
"""Candidates per patient that enter the fit: the ones a card could show."""
LEAST_FOLLOWING = 0.01
"""Raw probability from which on what follows is fitted; below it the curve runs straight to 0, since a thousand diagnoses with next
to nothing must not crowd out a close second."""
BINS = 15
_ODDS = np.linspace(-12, 12, 145)
KNOTS = np.unique(np.concatenate([[0.0, 1.0, LEAST_FOLLOWING], 1 / (1 + np.exp(-_ODDS))]).round(7))
"""Raw probabilities at which the table gives the curves: even in log-odds, so that it is as fine where they crowd, near 0 and 1."""
KNOWN = (0.2, 1.0)
"""Share of its findings that a patient's note tells."""
SECOND_ILLNESS = 0.8
"""Share of patients with another illness in their notes. So the leading diagnosis is right about as often as its raw probability
says, as it is of the stories that people wrote; of patients with one illness alone every probability would be raised, and
promise too much there (docs/log.md)."""
WANTED_PRECISION = 0.6
"""Of the patients shown a card, the share whose diagnosis should be among the first three."""
HIGHEST_SILENCE = 0.6
"""A leading diagnosis more probable than this is shown whatever the share."""


@dataclass(frozen=True, slots=True)
class Readings:
    """One row per patient, one column per diagnosis, best first: raw probability, and whether it was the right one."""

    raw: NDArray[np.float64]
    right: NDArray[np.bool_]


def read_patients(reader: Reader, count: int, *, seed: int, known: tuple[float, float] = KNOWN) -> Readings:
    """Reads simulated patients with an uncalibrated reader. Shapes [count, diagnoses]."""
    shape = (count, len(reader.knowledge.diagnoses))
    raw, right = np.zeros(shape), np.zeros(shape, dtype=bool)
    patients = simulated_patients(reader.knowledge, count, seed=seed, known=known, second_illness=SECOND_ILLNESS)
    for row, patient in enumerate(tqdm(patients, total=count, desc="simulated patients", unit="patient")):
        for column, (ranked, probability) in enumerate(reader.rank(patient.chart)):
            raw[row, column] = probability
            right[row, column] = ranked.diagnosis.id == patient.diagnosis.id
    return Readings(raw, right)


def fit(
    readings: Readings, held_apart: Readings, knowledge_version: str, fitted_on: str = "", site_notes: int = 0
) -> Calibration:
    """The curves fitted on `readings`, with their errors on `held_apart`. fitted_on: in words; "" = simulated patients.
    site_notes: of a site, among `readings`."""
    leads = BetaCurve.fit(readings.raw[:, 0], readings.right[:, 0])
    told = readings.raw[:, 1:LEADING] >= LEAST_FOLLOWING
    follows = BetaCurve.fit(readings.raw[:, 1:LEADING][told], readings.right[:, 1:LEADING][told])
    low = np.minimum(KNOTS / LEAST_FOLLOWING, 1.0)
    table = Calibration(
        fitted_on=fitted_on or simulated_in_words(len(readings.raw)),
        patients=len(readings.raw),
        site_notes=site_notes,
        expected_calibration_error=0,
        leading_calibration_error=0,
        raw=_rounded(KNOTS),
        leading=_rounded(leads.at(KNOTS)),
        following=_rounded(low * follows.at(np.maximum(KNOTS, LEAST_FOLLOWING))),
        silence_below=0,
        knowledge_version=knowledge_version,
    )
    calibrated = np.array([table.probabilities(row) for row in held_apart.raw.tolist()])
    return table.model_copy(
        update={
            "expected_calibration_error": _error(
                calibrated[:, :LEADING].ravel(), held_apart.right[:, :LEADING].ravel()
            ),
            "leading_calibration_error": _error(calibrated[:, 0], held_apart.right[:, 0]),
            "silence_below": silence_threshold(calibrated[:, 0], np.asarray(held_apart.right[:, :3].any(axis=1))),
        }
    )


def _rounded(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(round(float(value), 7) for value in values)


def _error(probability: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    return round(calibration_error(probability, right), 4)


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
    """The lowest leading probability at which patients *at* that level are right within three often enough.

    By a smooth curve over all of them: of the fifty at any one level chance alone moves the share by a seventh.
    """
    levels = np.arange(0.02, 0.6, 0.01)
    enough = levels[BetaCurve.fit(leading, in_first_three).at(levels) >= WANTED_PRECISION]
    return round(float(enough[0]), 2) if len(enough) else HIGHEST_SILENCE


def simulated_in_words(count: int) -> str:
    return f"{count} simulated patients drawn from the knowledge, most with a second illness"


def calibrate(
    target: Path,
    *,
    patients: int,
    seed: int,
    bundle: Path | None = None,
    prepared: Sequence[str] = (),
    most: int = 2000,
) -> Calibration:
    """Fits and writes the table to `target`. bundle: composed, None = the one set-up made. prepared: a site's folders,
    of whose development split at most `most` coded notes are read beside the simulated patients."""
    # They make rows of this module.
    from training.site.calibrate_on_site import beside, read_halves, site_halves
    from training.site.prepared_folders import sites_of, tell_bad_lines

    halves = site_halves(sites_of(prepared), most=most) if prepared else None  # refused before anything is read
    tell_bad_lines(halves.bad if halves else ())
    reader = Reader.load(bundle, calibrated=False)
    site = read_halves(reader, halves) if halves else None
    fitted_on = read_patients(reader, patients, seed=seed)
    held_apart = read_patients(reader, patients, seed=seed + 1)
    said = simulated_in_words(patients)
    if site:
        fitted_on, held_apart = beside(fitted_on, site.fit), beside(held_apart, site.apart)
        said = f"{said}, and {site.fitted_on}"
    site_notes = len(site.fit.raw) if site else 0
    calibration = fit(fitted_on, held_apart, reader.knowledge.version, said, site_notes)
    part = target.with_name(f"{target.name}.part")
    part.write_text(calibration.model_dump_json(indent=1) + "\n", encoding="utf-8")
    part.replace(target)
    if site:
        told = leading_error_on(calibration, site.apart)
        print(
            f"on {len(site.apart.raw)} held-apart notes of the site: calibration error of the leading diagnosis {told:.3f}"
        )
    return calibration


def leading_error_on(calibration: Calibration, readings: Readings) -> float:
    """Expected calibration error of the leading diagnosis."""
    leading = np.array([calibration.probabilities(row)[0] for row in readings.raw.tolist()])
    return _error(leading, readings.right[:, 0])


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--patients", type=int, default=3000, help="simulated patients to fit on, and as many to measure on"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bundle", type=Path, help="composed bundle to read with (default: the one set-up made)")
    parser.add_argument(
        "--prepared", action="append", default=[], metavar="FOLDER",
        help="FOLDER or NAME=FOLDER of a site's prepared notes, whose development split counts beside the simulated patients",
    )  # fmt: skip
    parser.add_argument("--most", type=int, default=2000, help="of them, coded notes to read (default: %(default)s)")
    parser.add_argument("--write", type=Path, default=SHIPPED, help="file to write (default: the shipped bundle's)")
    parser.add_argument("--dry-run", action="store_true", help="count what it would be fitted on, read nothing")


def _tell_plan(options: Namespace) -> None:
    """What the dry run says. Raises ValueError, BundleError as the run itself would before it reads."""
    from training.site.calibrate_on_site import site_halves
    from training.site.prepared_folders import sites_of, tell_bad_lines

    bundle = Bundle.open(options.bundle or composed_bundle_path())
    print(f"{'model':20} {bundle.model_version}, knowledge {bundle.knowledge().version}")
    print(f"{'simulated patients':20} {options.patients:,} to fit on, {options.patients:,} held apart")
    if options.prepared:
        halves = site_halves(sites_of(options.prepared), most=options.most)
        tell_bad_lines(halves.bad)
        print(f"{'site':20} {halves}")
    print(f"dry run: nothing written to {options.write}")


def _run(options: Namespace) -> int:
    if options.dry_run:
        _tell_plan(options)
        return 0
    calibration = calibrate(
        options.write, patients=options.patients, seed=options.seed, bundle=options.bundle, prepared=options.prepared,
        most=options.most,
    )  # fmt: skip
    print(
        f"expected calibration error {calibration.expected_calibration_error:.3f}, of the leading diagnosis"
        f" {calibration.leading_calibration_error:.3f}, held apart; silent below {calibration.silence_below:.2f}"
    )
    print(f"fitted on {calibration.fitted_on}")
    return 0


COMMAND = Command("calibrate", "fit the table from scores to probabilities on simulated patients", _arguments, _run)
