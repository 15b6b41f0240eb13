"""`dxspan-train tune`: an encoder learns to tell labelled texts apart, by the kind of tuning that is asked for.

Input : --texts CSV, TSV, JSONL or a folder of `dxspan-train prepare`
Output: OUT/report.json, classification_report.txt, options.yaml, bad-rows.tsv, curves, the encoder and its head, and the
        ONNX graph where one is asked for
`torchrun --nproc-per-node 2 -m training tune …` and `accelerate launch -m training tune …` train on several processes.
"""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import ValidationError

from training.command import Command
from training.tuning.inputs import Inputs, read_inputs
from training.tuning.labelled_texts import LabelledText, labels_of
from training.tuning.options import ATTACKS, AUGMENTATIONS, METHODS, PRECISIONS, SCHEDULES, TuningOptions
from training.tuning.reporting import add_report_argument, check_reporter

if TYPE_CHECKING:
    from training.tuning.continual import Gate
    from training.tuning.run import Tuned

OPTIONS = "options.yaml"


def _arguments(parser: ArgumentParser) -> None:
    defaults = TuningOptions()
    parser.add_argument("--texts", type=Path, required=True, help="CSV, TSV or JSONL; or a folder of `prepare`")
    parser.add_argument("--text-column", default="text", help="default: %(default)s")
    parser.add_argument("--label-column", default="label", help="default: %(default)s")
    parser.add_argument(
        "--test",
        type=Path,
        help="texts to measure on, or a folder of `prepare` (default: a fifth of each label, held apart)",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument(
        "--model", help="encoder by folder or hub id, or a folder of `fit` (default: the shipped one, with its Chinese)"
    )
    _tuning_arguments(parser, defaults)
    parser.add_argument("--negated-label", help="label of a text whose findings were denied by --augment negation")
    parser.add_argument("--go-on-from", type=Path, help="folder of an earlier run: its labels are kept, new ones added")
    parser.add_argument(
        "--replay",
        type=Path,
        help="texts of the earlier run, or its folder of `prepare`, learned again beside the new ones",
    )
    parser.add_argument("--few-shot", type=int, help="at most so many texts of each new label")
    parser.add_argument(
        "--forgets-at-most", type=float, default=0.02, help="fall of macro F1 on old labels (default: %(default)s)"
    )
    parser.add_argument("--export", choices=("fp32", "int8"), help="write the classifier as an ONNX graph too")
    add_report_argument(parser)
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    parser.add_argument("--dry-run", action="store_true", help="count texts and steps, train nothing")


def _tuning_arguments(parser: ArgumentParser, defaults: TuningOptions) -> None:
    parser.add_argument("--method", choices=METHODS, default=defaults.method, help="default: %(default)s")
    for name, kind, words in (
        ("rank", int, "of low-rank changes; tokens of a prefix"),
        ("epochs", float, "times that every text is seen"),
        ("batch", int, "texts read together"),
        ("accumulate", int, "batches whose gradients make one step"),
        ("learning-rate", float, "of the encoder (default: by the method)"),
        ("head-learning-rate", float, "of the head"),
        ("warm-up", float, "share of the steps over which the rates rise"),
        ("patience", int, "epochs without a better development loss before stopping; 0 = never"),
        ("longest", int, "tokens of a text"),
        ("dropout", float, "before the head, while training"),
        ("copies", int, "augmented copies of each text and kind"),
        ("epsilon", float, "size of the adversarial disturbance"),
        ("ensemble", int, "classifiers that teach the one"),
        ("temperature", float, "softens what an ensemble teaches"),
        ("seed", int, "equal seeds give equal weights"),
        ("threads", int, "of the CPU"),
    ):
        default = getattr(defaults, name.replace("-", "_"))
        shown = words if default is None else f"{words} (default: {default})"
        parser.add_argument(f"--{name}", type=kind, default=default, help=shown)
    parser.add_argument("--schedule", choices=SCHEDULES, default=defaults.schedule, help="default: %(default)s")
    parser.add_argument("--precision", choices=PRECISIONS, default=defaults.precision, help="default: %(default)s")
    parser.add_argument("--augment", nargs="+", choices=AUGMENTATIONS, default=(), help="kinds of rewritten copies")
    parser.add_argument("--adversarial", choices=ATTACKS, help="learn from disturbed token vectors too")


def options_of(given: Namespace) -> TuningOptions:
    """Raises ValueError naming the option at fault."""
    try:
        return TuningOptions.model_validate({name: getattr(given, name) for name in TuningOptions.model_fields})
    except ValidationError as error:
        faults = "; ".join(f"--{str(one['loc'][0]).replace('_', '-')}: {one['msg']}" for one in error.errors())
        raise ValueError(faults) from None


def _run(given: Namespace) -> int:
    options = options_of(given)
    check_reporter(given.report_to)
    _check(given, options)
    inputs = read_inputs(given, options)
    if given.dry_run:
        inputs.tell_bad(None)
        inputs.tell_plan(options)
        print(f"dry run: nothing written to {given.out}")
        return 0
    given.out.mkdir(mode=0o700, parents=True, exist_ok=True)
    inputs.tell_bad(given.out)
    (given.out / OPTIONS).write_text(yaml.safe_dump(options.model_dump(mode="json"), sort_keys=False), encoding="utf-8")
    tuned, gate = _tuned(given, options, inputs)
    if os.environ.get("RANK", "0") != "0":
        return 0  # one process writes
    from training.tuning.finish import finish

    return finish(given.out, tuned, gate, inputs, given.export)


def _check(given: Namespace, options: TuningOptions) -> None:
    if given.export and options.method == "prefix":
        from training.tuning.methods import NO_MERGE

        raise ValueError(NO_MERGE)
    if given.go_on_from and (options.augment or given.model):
        raise ValueError(
            "--go-on-from takes the earlier run's encoder and the texts as they are: no --model, no --augment"
        )
    if given.go_on_from and options.patience:
        raise ValueError("--go-on-from learns for a set number of epochs: no --patience")
    if not given.go_on_from and (given.replay or given.few_shot):
        raise ValueError("--replay and --few-shot belong to --go-on-from")


def _tuned(given: Namespace, options: TuningOptions, inputs: Inputs) -> tuple[Tuned, Gate | None]:
    from training.tuning.continual import gone_on
    from training.tuning.distillation import distilled
    from training.tuning.examples import shares_of

    if given.go_on_from:
        return gone_on(
            given.go_on_from, inputs.train, inputs.replay, inputs.test, options, given.out, shots=given.few_shot,
            may_fall=given.forgets_at_most, resume=given.resume, report_to=given.report_to,
        )  # fmt: skip
    train = list(inputs.train)
    labels = labels_of(train)
    shares = shares_of(train, labels)
    if options.augment:
        train, shares = _augmented(given, options, train, labels)
    found = distilled(
        given.model, train, inputs.development, labels, options, given.out, shares=shares, resume=given.resume,
        report_to=given.report_to,
    )  # fmt: skip
    return found, None


def _augmented(given: Namespace, options: TuningOptions, train: list[LabelledText], labels: tuple[str, ...]) -> Any:
    from nlp_core.knowledge_files import read_knowledge
    from training.tuning.augmentation import Augmenter
    from training.tuning.examples import shares_of

    if given.negated_label and given.negated_label not in labels:
        raise ValueError(f"--negated-label {given.negated_label} is none of the labels: {', '.join(labels)}")
    denied = labels.index(given.negated_label) if given.negated_label else None
    augmenter = Augmenter(read_knowledge(), options.augment, copies=options.copies, seed=options.seed)
    texts, shares = augmenter.augmented(train, shares_of(train, labels), denied)
    print(f"{len(train)} texts and {len(texts) - len(train)} rewritten copies")
    return texts, shares


COMMAND = Command("tune", "an encoder learns to tell labelled texts apart, by any kind of tuning", _arguments, _run)
