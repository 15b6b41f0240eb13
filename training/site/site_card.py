"""The model card of a hospital's own bundle, from the files its steps left: manifest, recipe, parity, calibration, evaluation.

Every number is read from one of them; what a file would say and is not there is said to be missing. Figures and names of
measures alone: no note, no mark.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nlp_core.bundle_manifest import CALIBRATION, Manifest, read_manifest
from nlp_core.calibration import Calibration
from training.model.fit import HISTORY, RECIPE
from training.model.measure_training import Measured
from training.model.parity_report import PARITY, Parity, in_words
from training.model.recipe import read_recipe
from training.site.site_figures import Share
from training.site.site_report import SiteReport

_LIMITS = (
    "## Limits",
    "",
    "- Measured on notes of this hospital alone, against diagnoses as they were coded, which are not always right or complete.",
    "- Numbers of the knowledge are estimates from general medical common ground; no clinician has reviewed them.",
    "- Languages: English and Chinese (both scripts). Others are answered with silence.",
    "- Weights may hold traces of the notes they were fitted on: this bundle stays in the house.",
    "",
)


def site_card(bundle: Path, run: Path, evaluation: Path | None) -> Iterator[str]:
    """The card's lines. run: folder of `fit`. evaluation: report.json of evaluate-site; None = not made yet.

    Raises FileNotFoundError where bundle or run are not there, ValueError for an evaluation of another model.
    """
    manifest = read_manifest(bundle)
    yield f"# Reading model of this hospital, bundle {manifest.version}"
    yield ""
    yield "Written by `dxspan-train model-card --site` from the bundle's manifest and reports and the recipe and history of its run."
    yield ""
    yield from _what_it_is(manifest, bundle)
    yield from _how_it_was_fitted(run)
    yield from _how_good_it_is(bundle, evaluation)
    yield from _LIMITS


def _what_it_is(manifest: Manifest, bundle: Path) -> Iterator[str]:
    base = manifest.base
    yield "## What it is"
    yield ""
    where = f"{base.package} {base.version}" if base.package else "an encoder of the house's own"
    yield f"- Base: {where}, weights {next(iter(base.files.values())).sha256[:16]}…"
    yield f"- Precision {manifest.precision}, {manifest.width} numbers per token; heads: {', '.join(manifest.heads) or 'none'}."
    yield f"- {_parity(bundle)}"
    yield "- Intended use: inside dxspan, which shows a clinician several diagnoses with the words for and against each. Not for"
    yield "  decisions without a clinician, not for triage, not for patients to use on their own."
    yield ""


def _parity(bundle: Path) -> str:
    if not (bundle / PARITY).is_file():
        return "Parity with torch: not measured (no parity.json)."
    return in_words(Parity.model_validate_json((bundle / PARITY).read_bytes()))


def _how_it_was_fitted(run: Path) -> Iterator[str]:
    recipe = read_recipe(run / RECIPE)
    lines = (run / HISTORY).read_text("utf-8").splitlines()
    if not lines:
        raise FileNotFoundError(f"{run / HISTORY} is empty; let `dxspan-train fit` finish there")
    yield "## How it was fitted"
    yield ""
    yield "On what the project wrote and on this hospital's prepared notes (their own data card says what those are like)."
    yield f"Recipe: {recipe.tuning}, rank {recipe.rank}, {recipe.steps} steps, seed {recipe.seed}. Held apart:"
    yield ""
    yield from Measured.model_validate_json(lines[-1]).table()
    yield ""


def _how_good_it_is(bundle: Path, evaluation: Path | None) -> Iterator[str]:
    yield "## How good it is"
    yield ""
    if (bundle / CALIBRATION).is_file():
        fitted = Calibration.load(bundle / CALIBRATION)
        error = fitted.expected_calibration_error
        yield f"Confidence words were fitted on {fitted.fitted_on}; expected calibration error {error:.3f} there."
    else:
        yield "Not calibrated: no confidence is spoken of."
    yield ""
    if evaluation is None:
        yield "Not measured yet (`dxspan-train evaluate-site`)."
        yield ""
        return
    yield from _measured(SiteReport.model_validate_json(evaluation.read_bytes()))


def _measured(report: SiteReport) -> Iterator[str]:
    figures = report.ours.figures
    yield f"`evaluate-site`, {report.date}, model {report.ours.model}, knowledge {report.ours.knowledge}: {figures.notes} coded notes of"
    yield f"{figures.patients} patients, {report.data.split} split; percent with the 95 % interval:"
    yield ""
    sides = (report.ours, *([report.shipped] if report.shipped else []))
    yield f"| figure | this model |{' the shipped one |' if report.shipped else ''}"
    yield f"|---|---:|{'---:|' if report.shipped else ''}"
    for name in ("top1", "top3", "top5", "silent"):
        yield f"| {name} | {' | '.join(_percent(getattr(side.figures, name)) for side in sides)} |"
    for name in ("leading_calibration_error", "calibration_error"):
        yield f"| {name.replace('_', ' ')} | {' | '.join(f'{getattr(side.figures, name):.3f}' for side in sides)} |"
    yield ""
    for dimension, gap in report.gaps.items():
        yield f"- Between the best and the worst group by {dimension}: {gap:.1f} points of top3."
    yield ""


def _percent(share: Share) -> str:
    return f"{100 * share.value:.1f} ({100 * share.low:.0f}–{100 * share.high:.0f})"
