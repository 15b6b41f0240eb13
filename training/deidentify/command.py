"""`dxspan-train deidentify`: a FHIR export without identifiers, for training."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from datetime import date
from pathlib import Path

from training.command import Command
from training.deidentify.export_parts import PART_BYTES
from training.deidentify.readers import READERS
from training.deidentify.run import PROFILES, LeakError, Order, deidentify
from training.engines.choice import add_engine_arguments, engine_of

LEAKED = 3
"""Exit status where identifiers got through: there is no output."""


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--in", dest="source", type=Path, required=True, help="folder of FHIR R4 NDJSON")
    parser.add_argument("--out", type=Path, required=True, help="folder to make; it exists only when all is well")
    parser.add_argument(
        "--key-file",
        type=Path,
        required=True,
        help="secret of at least 32 characters; the same key gives the same surrogates",
    )
    parser.add_argument(
        "--profile", choices=PROFILES, required=True,
        help="safe-harbor: years only; expert-shift: dates moved by each patient's days, which needs an expert's determination",
    )  # fmt: skip
    parser.add_argument(
        "--work", type=Path, help="folder for unfinished work, offsets and the report; confidential (default: OUT.work)"
    )
    add_engine_arguments(parser)
    parser.add_argument(
        "--as-of", type=date.fromisoformat, help="day that ages are of (default: today, kept for a run that goes on)"
    )
    parser.add_argument(
        "--presidio", action="store_true",
        help="Presidio's recognizers of numbers as well; needs the package presidio-analyzer, which dxspan does not bring (pip install presidio-analyzer)",
    )  # fmt: skip
    parser.add_argument(
        "--reader", choices=READERS, default="head",
        help="head: the small head beside the rules; encoder: where the head is unsure the base encoder reads too, which finds"
        " more and takes longer (docs/deidentification.md; default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", help="do everything, write no output")
    parser.add_argument(
        "--part-bytes", type=int, default=PART_BYTES, help="bytes of a part of the work (default: %(default)s)"
    )


def _run(options: Namespace) -> int:
    out = options.out.absolute()
    order = Order(
        source=options.source.absolute(),
        out=out,
        work=(options.work or out.with_name(f"{out.name}.work")).absolute(),
        key_file=options.key_file,
        profile=options.profile,
        engine=engine_of(options),
        dry_run=options.dry_run,
        as_of=options.as_of,
        with_presidio=options.presidio,
        reader=options.reader,
        part_bytes=options.part_bytes,
    )
    try:
        report = deidentify(order)
    except LeakError as leak:
        print(f"dxspan-train: {leak}", file=sys.stderr)
        return LEAKED
    print("\n".join(report.lines()))
    print(f"{'nothing written (dry run)' if order.dry_run else order.out}; report: {order.work / 'report.json'}")
    return 0


COMMAND = Command("deidentify", "a FHIR export without identifiers: coded fields, notes, a leak test", _arguments, _run)
