"""`dxspan-train pretrain`: the encoder goes on learning the language of a site, by guessing masked words of its notes.

Input : --from, a folder of `dxspan-train prepare` or any JSONL and TXT
Output: OUT/encoder (for `--model` of fit, tune and export-model), OUT/masked-language-model (to go on with),
        report.json with the perplexity on texts held apart before and after, bad-rows.tsv, curves
Hugging Face's Trainer: seeded, goes on from its last checkpoint, trains on several processes under torchrun or accelerate.
"""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from training.command import Command
from training.pretraining.options import PretrainOptions
from training.pretraining.site_texts import SiteTexts, read_site_texts
from training.tuning.options import PRECISIONS
from training.tuning.reporting import add_report_argument, check_reporter

REPORT, BAD_ROWS = "report.json", "bad-rows.tsv"
_TOLD = 5
"""Bad rows that are told on the console; all are in bad-rows.tsv."""


_HELP = {
    "epochs": (float, "times that every text is seen"),
    "steps": (int, "instead of epochs"),
    "batch": (int, "blocks read together"),
    "accumulate": (int, "batches whose gradients make one step"),
    "learning-rate": (float, "at its highest"),
    "warm-up": (float, "share of the steps over which the rate rises"),
    "longest": (int, "tokens of a block"),
    "masked": (float, "share of the words that are asked for"),
    "save-every": (int, "steps between checkpoints"),
    "seed": (int, "equal seeds give equal weights"),
    "threads": (int, "of the CPU"),
}


def _arguments(parser: ArgumentParser) -> None:
    defaults = PretrainOptions()
    parser.add_argument(
        "--from", dest="source", type=Path, required=True, help="folder of `prepare`, or of JSONL and TXT"
    )
    parser.add_argument("--text-column", default="text", help="of JSONL (default: %(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument(
        "--model", help="encoder by folder or hub id, or a folder of `fit` (default: the shipped one, with its Chinese)"
    )
    for name, (kind, words) in _HELP.items():
        default = getattr(defaults, name.replace("-", "_"))
        shown = words if default is None else f"{words} (default: {default})"
        parser.add_argument(f"--{name}", type=kind, default=default, help=shown)
    parser.add_argument("--precision", choices=PRECISIONS, default=defaults.precision, help="default: %(default)s")
    add_report_argument(parser)
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    parser.add_argument(
        "--dry-run", action="store_true", help="count texts, tokens and steps, estimate the time, train nothing"
    )


def _run(given: Namespace) -> int:
    options = _options(given)
    check_reporter(given.report_to)
    texts = read_site_texts(given.source, given.text_column)
    if not given.dry_run:
        given.out.mkdir(mode=0o700, parents=True, exist_ok=True)
    _tell_bad(texts, None if given.dry_run else given.out)
    from training.pretraining.pretrain import Pretraining

    run = Pretraining(given.model, texts, options, given.out)
    page: dict[str, Any] = {
        "texts": len(texts.train), "held_apart_texts": len(texts.held_apart), "copies_left_out": texts.copies,
        "bad_rows": len(texts.bad), **run.counts(), "options": options.model_dump(),
    }  # fmt: skip
    if given.dry_run:
        page["estimated_minutes"] = round(run.seconds_per_step() * page["steps"] / 60, 1)
        _tell(page)
        print(f"dry run: nothing written to {given.out}")
        return 0
    page |= run.train(resume=given.resume, report_to=given.report_to)
    if os.environ.get("RANK", "0") != "0":
        return 0  # one process writes
    (given.out / REPORT).write_text(json.dumps(page, indent=1) + "\n", encoding="utf-8")
    _tell(page)
    print(f"{given.out / REPORT}")
    return 0


def _options(given: Namespace) -> PretrainOptions:
    """Raises ValueError naming the option at fault."""
    try:
        return PretrainOptions.model_validate({name: getattr(given, name) for name in PretrainOptions.model_fields})
    except ValidationError as error:
        faults = "; ".join(f"--{str(one['loc'][0]).replace('_', '-')}: {one['msg']}" for one in error.errors())
        raise ValueError(faults) from None


def _tell_bad(texts: SiteTexts, out: Path | None) -> None:
    for one in texts.bad[:_TOLD]:
        print(f"left out: {one}", file=sys.stderr)
    if len(texts.bad) > _TOLD:
        print(f"left out: {len(texts.bad) - _TOLD} more" + (f", see {out / BAD_ROWS}" if out else ""), file=sys.stderr)
    if out:
        rows = "".join(f"{one.file}\t{one.line}\t{one.reason}\n" for one in texts.bad)
        (out / BAD_ROWS).write_text(rows, encoding="utf-8")


def _tell(page: dict[str, Any]) -> None:
    for name, value in page.items():
        if isinstance(value, int | float):
            print(
                f"{name.replace('_', ' '):24} {value:>14,.6g}"
                if isinstance(value, float)
                else f"{name.replace('_', ' '):24} {value:>14,}"
            )


COMMAND = Command(
    "pretrain", "the encoder goes on learning a site's language by guessing masked words", _arguments, _run
)
