"""Does a probability mean what it says, and what does silence cost? `dxspan-train measure-calibration`.

Reads simulated patients that calibration was neither fitted nor measured on, our own cases and, where given, the evaluation
texts (aggregate figures alone) with the calibration in force. Writes docs/calibration.md with a reliability diagram and the
risk-coverage curve, the silence threshold marked. Fits nothing: `calibrate` does.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nlp_core.assess import Reader
from nlp_core.calibration import Calibration, band_of
from nlp_core.intervals import wilson
from nlp_core.model_bundle import Bundle, composed_bundle_path
from training.calibrate import calibration_error
from training.command import Command, deliver, said
from training.measures.graded_readings import Graded, evaluation, own, simulated, together
from training.measures.plots import COLOURS, svg

AIM = 0.05
"""Expected calibration error aimed for on held-apart simulated patients."""
_LEAST_IN_A_POINT = 25
_MOST_POINTS = 10
_CURVE = 60


def reliability(graded: Graded) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(mean probability, share right) of the leading diagnosis, in groups of equal size by probability."""
    order = np.argsort(graded.leading, kind="stable")
    points = max(1, min(_MOST_POINTS, len(order) // _LEAST_IN_A_POINT))
    groups = np.array_split(order, points)
    return (
        np.array([graded.leading[group].mean() for group in groups]),
        np.array([graded.right[group, 0].mean() for group in groups]),
    )


def risk_coverage(graded: Graded) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(coverage, risk) for every threshold, the strictest first.

    Coverage: share of patients whose leading probability reaches the threshold. Risk: share of those whose diagnosis is
    not within three. Patients of equal probability come together.
    """
    order = np.argsort(-graded.leading, kind="stable")
    leading = graded.leading[order]
    last = np.append(leading[1:] != leading[:-1], True)
    shown = np.arange(1, len(order) + 1)
    risk = np.cumsum(~graded.within_three[order]) / shown
    return (shown / len(order))[last], risk[last]


def page(
    calibration: Calibration, model: str, sets: Sequence[Graded], *, seed: int, plots: Sequence[str], options: str
) -> str:
    """The whole measurement as Markdown. plots: file names of the two plots; none where the page is printed."""
    lines = [*_head(calibration, model, sets, seed, options), *_errors(sets)]
    lines += [f"![Reliability of the leading diagnosis]({plots[0]})", ""] if plots else []
    lines += [*_bands(sets), *_silence(calibration, sets)]
    lines += [f"![Risk over coverage, the silence threshold marked]({plots[1]})", ""] if plots else []
    return "\n".join(lines)


def _head(calibration: Calibration, model: str, sets: Sequence[Graded], seed: int, options: str) -> Iterator[str]:
    yield "# Calibration and silence"
    yield ""
    yield f"Written by `dxspan-train measure-calibration{options}`. Model {model}, knowledge {calibration.knowledge_version}."
    yield ""
    yield f"The table in force was fitted on {calibration.fitted_on}; the {len(sets[0].leading)} measured here (seed {seed}) are others. It knows"
    yield "no real patient: on texts written by people the probabilities promise what the rows below show, not more. A leading diagnosis"
    yield "of a text is right when its three-character ICD-10-CM category is (docs/evaluation.md). Everything is read the way of serving."
    yield ""


def _errors(sets: Sequence[Graded]) -> Iterator[str]:
    yield "## Does a probability mean what it says?"
    yield ""
    yield f"Expected calibration error over 15 bins, of the leading diagnosis and of the first five together; at most {AIM} is aimed for on"
    yield "simulated patients. On a set of a few dozen texts chance alone makes an error of a tenth."
    yield ""
    yield "| set | patients | mean probability of the leading | right (95 % interval) | error, leading | error, first five |"
    yield "|---|---:|---:|---:|---:|---:|"
    for graded in sets:
        right = graded.right[:, 0]
        low, high = wilson(float(right.mean()), len(right))
        yield (
            f"| {graded.name} | {len(right)} | {graded.leading.mean():.2f} | {right.mean():.2f} ({low:.2f}–{high:.2f})"
            f" | {calibration_error(graded.leading, right):.3f} | {calibration_error(graded.probability.ravel(), graded.right.ravel()):.3f} |"
        )
    yield ""


def _bands(sets: Sequence[Graded]) -> Iterator[str]:
    yield "## The words on a card"
    yield ""
    yield "Of the leading diagnoses that get each word, the share that is right, and how many there were."
    yield ""
    yield f"| word | band | {' | '.join(graded.name for graded in sets)} |"
    yield f"|---|---|{'---:|' * len(sets)}"
    bands = {band.low: band for band in map(band_of, np.linspace(1, 0, 101))}
    for band in bands.values():
        cells = []
        for graded in sets:
            inside = (graded.leading >= band.low) & ((graded.leading < band.high) | (band.high == 1))
            share = f"{100 * graded.right[inside, 0].mean():.0f} % of {inside.sum()}" if inside.any() else "–"
            cells.append(share)
        yield f"| {band.word.en}, {band.word.zh} | {100 * band.low:.0f}–{100 * band.high:.0f} % | {' | '.join(cells)} |"
    yield ""


def _silence(calibration: Calibration, sets: Sequence[Graded]) -> Iterator[str]:
    yield "## What silence costs"
    yield ""
    yield f"Below a leading probability of {calibration.silence_below:.2f}, with fewer than two findings or in a language it does not read dxspan shows no"
    yield "card. Lost: silent although the diagnosis was within three. Spared: silent where it was not."
    yield ""
    yield "| set | no card | within three, of all | within three, of those shown a card | lost, of all | spared, of all | spared, of the misses |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for graded in sets:
        silent, good = graded.silent, graded.within_three
        shown = good[~silent].mean() if (~silent).any() else 0.0
        of_misses = silent[~good].mean() if (~good).any() else 0.0
        shares = (silent.mean(), good.mean(), shown, (silent & good).mean(), (silent & ~good).mean(), of_misses)
        yield f"| {graded.name} | {' | '.join(f'{100 * share:.1f} %' for share in shares)} |"
    yield ""


def draw_reliability(sets: Sequence[Graded], target: Path) -> None:
    with svg(target, panels=1) as (axis,):
        axis.plot([0, 1], [0, 1], color="#999999", linewidth=0.8)
        for colour, graded in zip(COLOURS, sets, strict=False):
            axis.plot(*reliability(graded), "o-", color=colour, markersize=3, linewidth=1, label=graded.name)
        axis.set(xlabel="probability of the leading diagnosis", ylabel="share right", xlim=(0, 1), ylim=(0, 1))
        axis.legend(frameon=False, loc="upper left")


def draw_risk_coverage(calibration: Calibration, sets: Sequence[Graded], target: Path) -> None:
    """A dot marks the threshold below which dxspan is silent."""
    with svg(target, panels=1) as (axis,):
        for colour, graded in zip(COLOURS, sets, strict=False):
            coverage, risk = risk_coverage(graded)
            thinned = np.linspace(0.02, 1, _CURVE)
            axis.plot(thinned, np.interp(thinned, coverage, risk), color=colour, linewidth=1, label=graded.name)
            at = float((graded.leading >= calibration.silence_below).mean())
            axis.plot(at, np.interp(at, coverage, risk), "o", color=colour, markersize=5)
        axis.set(
            xlabel=f"coverage (dot: silent below {calibration.silence_below:.2f})",
            ylabel="risk: not within three",
            xlim=(0, 1.01),
        )
        axis.set_ylim(bottom=0)
        axis.legend(frameon=False, loc="upper left")


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--bundle", type=Path, help="composed bundle to measure (default: the one set-up made)")
    parser.add_argument("--patients", type=int, default=2000, help="simulated patients (default: 2000)")
    parser.add_argument("--seed", type=int, default=3, help="of the patients; calibrate takes 1 and 2 (default: 3)")
    parser.add_argument("--texts", type=Path, help="folder with the evaluation sets (JSONL), measured besides")
    parser.add_argument(
        "--write", type=Path, help="Markdown file to write, plots beside it; without it the page is printed"
    )


def _run(options: Namespace) -> int:
    if options.patients < 1:
        raise ValueError("--patients must be at least 1")
    path = options.bundle or composed_bundle_path()
    reader, calibration = Reader.load(path, threads=1), Bundle.open(path).calibration()
    if calibration is None or calibration.knowledge_version != reader.knowledge.version:
        raise ValueError("the bundle has no calibration fitted for its knowledge: run `dxspan-train calibrate` first")
    sets = [simulated(reader, options.patients, seed=options.seed), own(reader, "en"), own(reader, "zh")]
    texts = evaluation(reader, options.texts) if options.texts else []
    plotted = [*sets, together("evaluation texts", texts)] if texts else sets
    plots: list[str] = []
    if options.write:
        targets = [options.write.with_name(f"{name}.svg") for name in ("reliability", "risk-coverage")]
        draw_reliability(plotted, targets[0])
        draw_risk_coverage(calibration, plotted, targets[1])
        plots = [target.name for target in targets]
    written_with = said(options, "bundle", "patients", "seed", "texts", "write")
    written = page(
        calibration, reader.model_version, [*sets, *texts], seed=options.seed, plots=plots, options=written_with
    )
    deliver(written, options.write)
    return 0


COMMAND = Command(
    "measure-calibration", "do probabilities mean what they say, and what does silence cost?", _arguments, _run
)
