"""`dxspan-train model-card`: what the shipped reading model is, from the files that say so, beside the bundle; `--site` for a
hospital's own (training.site.site_card).

Every number is read from a file of the repository: the manifest, the recipe and history of the run, the calibration, the
last evaluation. Knows no model.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from itertools import dropwhile, takewhile
from pathlib import Path

from nlp_core.adapters import ADAPTER
from nlp_core.bundle_manifest import CALIBRATION, GRAPH, LINKER, MATCHER, Manifest, read_manifest
from nlp_core.calibration import Calibration
from nlp_core.model_bundle import SHIPPED_BUNDLE
from training.command import Command
from training.measures.evaluate import HistoryEntry, read_history
from training.model.fit import HISTORY, RECIPE
from training.model.measure_training import Measured
from training.model.parity_report import PARITY, Parity, in_words
from training.model.recipe import Recipe, read_recipe
from training.site.site_card import site_card

CARD = "model_card.md"
_TRAINED, _GOOD = "## How it was trained", "## How good it is"


def card(bundle: Path, run: Path, evaluations: Path) -> Iterator[str]:
    """The card's lines. Where the run is gone, how it was trained is said as the bundle's card says it already: it is the same
    bundle. Raises FileNotFoundError where there is no such card either, or the evaluations are not there."""
    manifest = read_manifest(bundle)
    evaluated = read_history(evaluations)
    yield f"# Reading model, bundle {manifest.version}"
    yield ""
    yield "Written by `dxspan-train model-card` from the bundle's manifest, the recipe and history of its training run, its"
    yield "calibration and the last line of docs/evaluation_history.jsonl."
    yield ""
    yield from _what_it_is(manifest, bundle)
    yield from _trained_by(run) if (run / HISTORY).is_file() else _as_it_stands(bundle / CARD)
    yield from _how_good_it_is(evaluated[-1] if evaluated else None, Calibration.load(bundle / CALIBRATION))
    yield from _LIMITS


def _what_it_is(manifest: Manifest, bundle: Path) -> Iterator[str]:
    base = manifest.base
    yield "## What it is"
    yield ""
    yield f"- Base: {base.package} {base.version} (all-MiniLM-L6-v2, Apache-2.0), by checksum; not in the repository."
    yield f"- Added here: {ADAPTER} ({manifest.files[ADAPTER].size / 1e6:.1f} MB of low-rank changes and Chinese characters in the"
    yield f"  vocabulary's free slots) and the heads inside {GRAPH}: {', '.join(manifest.heads) or 'none'}."
    if (bundle / LINKER).is_file():
        yield f"- {LINKER}: which findings clauses mean, learned on judged clauses of our own development notes (docs/linking.md)."
    if (bundle / MATCHER).is_file():
        yield f"- {MATCHER}: how much sentences read like cases of each diagnosis, learned on cases of our own (docs/matching.md)."
    yield f"- Precision {manifest.precision}, {manifest.width} numbers per token, rows of at most {manifest.longest} tokens."
    if (bundle / PARITY).is_file():
        yield f"- {in_words(Parity.model_validate_json((bundle / PARITY).read_bytes()))}"
    yield "- Input: sentences of clinical notes, English and Chinese. Output: token vectors, which tokens are a finding, how it is"
    yield "  asserted, whether the sentence tells anything, and a vector that is dotted with each diagnosis's."
    yield "- Intended use: inside dxspan, which shows a clinician several diagnoses with the words for and against each. Not for"
    yield "  decisions without a clinician, not for triage, not for patients to use on their own."
    yield ""


def _trained_by(run: Path) -> Iterator[str]:
    history = [Measured.model_validate_json(line) for line in (run / HISTORY).read_text("utf-8").splitlines()]
    yield _TRAINED
    yield ""
    yield from _how_it_was_trained(read_recipe(run / RECIPE), history[-1])


def _as_it_stands(written: Path) -> Iterator[str]:
    """That section of a card."""
    lines = iter(written.read_text("utf-8").splitlines())
    yield from dropwhile(lambda line: line != _TRAINED, takewhile(lambda line: line != _GOOD, lines))


def _how_it_was_trained(recipe: Recipe, last: Measured) -> Iterator[str]:
    yield "On text that this project wrote, and on nothing else: names of the knowledge, training/phrases, and invented charts"
    yield "(training/synthetic_charts). No patient's data, no public data set. Phrases held apart by a hash and charts of another"
    yield "seed were measured on:"
    yield ""
    yield from last.table()
    yield ""
    yield f"Recipe: {recipe.tuning}, rank {recipe.rank}, {recipe.steps} steps of {recipe.concepts} pairs and {recipe.sentences}"
    yield f"sentences, {100 * recipe.chinese:.0f} % of the charts Chinese, seed {recipe.seed}. Curves: docs/training.svg."
    yield ""


def _how_good_it_is(evaluated: HistoryEntry | None, calibration: Calibration) -> Iterator[str]:
    yield _GOOD
    yield ""
    if evaluated:
        yield f"With knowledge {evaluated.knowledge} ({evaluated.diagnoses} diagnoses), model {evaluated.model}, {evaluated.date}; percent of"
        yield "texts with an accepted diagnosis first / within three / within five (docs/evaluation.md has intervals, our own cases"
        yield "in both languages and what each part adds):"
        yield ""
        for name, tops in evaluated.top_1_3_5.items():
            yield f"- {name}: {' / '.join(f'{top:g}' for top in tops)} (in scope: {evaluated.in_scope[name]})"
        yield ""
    yield f"Confidence words were fitted on {calibration.fitted_on}; expected calibration error {calibration.expected_calibration_error:.3f} there."
    yield "On texts written by people it is larger (docs/calibration.md). Evidence: docs/evidence.md. Swaps of sex, age and name:"
    yield "docs/fairness.md. Careless and hostile writing: docs/robustness.md."
    yield ""


_LIMITS = (
    "## Limits",
    "",
    "- Invented charts are not real ones: layouts, abbreviations and wordings of a given hospital will be read less well until",
    "  the model is fitted there.",
    "- Numbers of the knowledge are estimates from general medical common ground; no clinician has reviewed them.",
    "- Languages: English and Chinese (both scripts). Others are answered with silence.",
    "- Evaluation texts are public and small; no study in a hospital has been made.",
    "",
)


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--bundle", type=Path, default=SHIPPED_BUNDLE, help="default: %(default)s")
    parser.add_argument("--site", action="store_true", help="a hospital's own bundle, not the shipped one")
    parser.add_argument("--evaluation", type=Path, help="report.json of evaluate-site, with --site")
    parser.add_argument("--run", dest="folder", type=Path, default=Path("var/model"), help="folder of the run of `fit`")
    parser.add_argument(
        "--evaluations", type=Path, default=Path("docs/evaluation_history.jsonl"), help="default: %(default)s"
    )


def _run(options: Namespace) -> int:
    if options.evaluation and not options.site:
        raise ValueError("--evaluation is of a hospital's own bundle: give --site too")
    if options.site:
        lines = site_card(options.bundle, options.folder, options.evaluation)
    else:
        lines = card(options.bundle, options.folder, options.evaluations)
    written = "\n".join(lines)
    (options.bundle / CARD).write_text(written, encoding="utf-8")
    print(options.bundle / CARD)
    return 0


COMMAND = Command("model-card", "write the model card of a bundle from the files that say so", _arguments, _run)
