"""`dxspan-train`: everything the data team runs, one subcommand each."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Sequence

from nlp_core.bundle_errors import BundleError
from training import calibrate, export_model, export_tensorrt, fit_trust, model_card, simulate, write_charts
from training.bulk_export import command as bulk_export
from training.command import Command
from training.deidentify import command as deidentify
from training.identifier_fit import command as fit_identifier_head
from training.identifier_fit import encoder_command as fit_identifier_encoder
from training.linking import fit_centres, fit_linker
from training.matching import fit_matcher
from training.measures import (
    assertion_texts,
    compare_precisions,
    evaluate,
    measure_ablations,
    measure_calibration,
    measure_concepts,
    measure_deidentification,
    measure_evidence,
    measure_questions,
    measure_robustness,
    measure_styles,
    measure_summary,
    measure_swaps,
    measure_tuning,
    reading_tables,
)
from training.model import fit, plot_training
from training.prepare import command as prepare
from training.pretraining import command as pretrain
from training.site import evaluate_site, from_feedback
from training.tuning import command as tune

COMMANDS: tuple[Command, ...] = (
    bulk_export.COMMAND,
    prepare.COMMAND,
    write_charts.COMMAND,
    deidentify.COMMAND,
    fit_identifier_head.COMMAND,
    fit_identifier_encoder.COMMAND,
    measure_styles.COMMAND,
    fit.COMMAND,
    pretrain.COMMAND,
    tune.COMMAND,
    plot_training.COMMAND,
    model_card.COMMAND,
    export_model.COMMAND,
    export_tensorrt.COMMAND,
    compare_precisions.COMMAND,
    measure_concepts.COMMAND,
    assertion_texts.COMMAND,
    measure_robustness.COMMAND,
    reading_tables.COMMAND,
    simulate.COMMAND,
    fit_trust.COMMAND,
    fit_centres.COMMAND,
    fit_linker.COMMAND,
    fit_matcher.COMMAND,
    calibrate.COMMAND,
    measure_calibration.COMMAND,
    measure_ablations.COMMAND,
    evaluate.COMMAND,
    evaluate_site.COMMAND,
    from_feedback.COMMAND,
    measure_evidence.COMMAND,
    measure_swaps.COMMAND,
    measure_deidentification.COMMAND,
    measure_summary.COMMAND,
    measure_questions.COMMAND,
    measure_tuning.COMMAND,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one subcommand; returns its exit status, 1 with the reason on stderr where the input is at fault."""
    parser = ArgumentParser(prog="dxspan-train", description=__doc__)
    subparsers = parser.add_subparsers(required=True, metavar="command")
    for command in COMMANDS:
        subparser = subparsers.add_parser(command.name, help=command.help, description=command.help)
        command.add_arguments(subparser)
        subparser.set_defaults(run=command.run)
    parsed = parser.parse_args(arguments)
    try:
        return int(parsed.run(parsed))
    except (BundleError, ValueError, FileNotFoundError) as error:
        print(f"dxspan-train: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
