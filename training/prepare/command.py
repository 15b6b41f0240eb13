"""`dxspan-train prepare`: de-identified NDJSON as training examples, with a report and a data card.

Knows the arguments and the order of the two passes. A second run with the same arguments goes on where the first ended.
"""

from __future__ import annotations

import json
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from nlp_core.knowledge import Knowledge
from nlp_core.knowledge_files import read_knowledge
from nlp_core.mentions import MentionReader
from training.command import Command, said
from training.engines.choice import Engine, add_engine_arguments, engine_of
from training.prepare.chart_index import ChartIndex
from training.prepare.coded_labels import CodedLabels
from training.prepare.data_card import data_card
from training.prepare.index_rows import index_folder
from training.prepare.quality import Quality
from training.prepare.read_notes import NoteReader
from training.prepare.read_patients import ReadingOrder, ReadPatients, notes_of, shared_out
from training.prepare.splits import Splitter, key_of
from training.prepare.write_examples import ExampleWriter, Files, Nowhere, Sink

INDEX, KEY, REPORT, CARD, BAD_ROWS = "index.sqlite", "split.key", "report.json", "data_card.md", "bad-rows.tsv"
WORK = "reading"
"""Folder of what workers have read and this process has not yet taken."""
_KINDS = ("Patient", "Encounter", "Condition", "document", "fact", "Binary")
_OPTIONS = ("within_days", "most_bytes", "shares", "only_labelled", "allow_restricted")


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--from", dest="source", type=Path, required=True, help="folder of de-identified NDJSON")
    parser.add_argument("--out", type=Path, required=True, help="folder for train.jsonl, development.jsonl, test.jsonl")
    parser.add_argument("--split-key", type=Path, help="file of the key that splits patients (default: OUT/split.key)")
    parser.add_argument(
        "--shares", default="80,10,10", help="percent of train, development, test (default: %(default)s)"
    )
    parser.add_argument("--within-days", type=int, default=30, help="how long after the note a code may be recorded")
    parser.add_argument("--most-bytes", type=int, default=1_000_000, help="longer notes are left out")
    parser.add_argument("--only-labelled", action="store_true", help="leave out notes without a coded diagnosis")
    parser.add_argument("--allow-restricted", action="store_true", help="also read what carries a security label")
    parser.add_argument("--allow-identified", action="store_true", help="go on although patients are named")
    parser.add_argument("--dry-run", action="store_true", help="count everything, write no example")
    add_engine_arguments(parser)
    parser.add_argument("--report", type=Path, help="where the report goes (default: OUT/report.json)")


def _run(options: Namespace) -> int:
    if not options.source.is_dir():
        raise ValueError(f"{options.source} is no folder")
    if options.source.resolve() == options.out.resolve():
        raise ValueError("--from and --out are the same folder")
    knowledge = read_knowledge()
    if options.dry_run:
        with tempfile.TemporaryDirectory() as folder:
            return prepare(options, Path(folder), knowledge, MentionReader(knowledge))
    options.out.mkdir(mode=0o700, parents=True, exist_ok=True)
    return prepare(options, options.out, knowledge, MentionReader(knowledge))


def prepare(options: Namespace, folder: Path, knowledge: Knowledge, reader: MentionReader) -> int:
    """Both passes with their index in `folder`."""
    engine = engine_of(options)
    key, shares = _key_file(options, folder).absolute(), _shares(options.shares)
    splitter = Splitter(key_of(key), shares)
    order = ReadingOrder(
        options.source.absolute(), key, shares, options.within_days, options.most_bytes, options.allow_restricted,
        (folder / WORK).absolute(),
    )  # fmt: skip
    with closing(ChartIndex(folder / INDEX)) as index:
        (folder / INDEX).chmod(0o600)
        if index.state("knowledge") not in ("", knowledge.version):
            raise ValueError(f"{folder / INDEX} was made with another knowledge; delete it")
        index.set_state("knowledge", knowledge.version)
        labels = CodedLabels(knowledge, reader)
        if index_folder(options.source, index, labels, allow_identified=options.allow_identified):
            index.set_state("written", "")  # other data, other examples
        settings = {name: getattr(options, name) for name in _OPTIONS}
        writer = ExampleWriter(index, json.dumps([settings, knowledge.version, splitter.fingerprint]))
        with ExitStack() as open_until_done:
            read = open_until_done.enter_context(
                _reading(engine, order, index, order.reader(knowledge, reader, splitter))
            )
            sink: Sink = (
                Nowhere() if options.dry_run else open_until_done.enter_context(closing(Files(folder, writer.sizes)))
            )
            quality = writer.run(sink, read, only_labelled=options.only_labelled)
        _tell(options, index, quality, knowledge)
    return 0


def _key_file(options: Namespace, folder: Path) -> Path:
    """The key to split by; a dry run where there is none makes one that goes with its folder."""
    path: Path = options.split_key or options.out / KEY
    return folder / KEY if options.dry_run and not path.is_file() else path


@contextmanager
def _reading(engine: Engine, order: ReadingOrder, index: ChartIndex, reader: NoteReader) -> Iterator[ReadPatients]:
    if engine.in_this_process:
        yield lambda patients: (notes_of(patient, index, reader) for patient in patients)
    else:
        with shared_out(engine, order, index) as read:
            yield read


def _tell(options: Namespace, index: ChartIndex, quality: Quality, knowledge: Knowledge) -> None:
    """Report, list of bad rows, data card, and some lines for the console."""
    sources = {kind: index.count(kind) for kind in _KINDS}
    bad = list(index.bad_rows())
    page: dict[str, Any] = {
        "knowledge": knowledge.version,
        "sources": sources,
        "bad_rows": len(bad),
        **quality.report(),
    }
    if not options.dry_run or options.report:
        target = options.report or options.out / REPORT
        target.write_text(json.dumps(page, indent=1) + "\n", encoding="utf-8")
    if not options.dry_run:
        (options.out / BAD_ROWS).write_text(
            "".join(f"{file}\t{line}\t{why}\n" for file, line, why in bad), encoding="utf-8"
        )
        given = said(options, "shares", "within_days", "most_bytes").replace("_", "-")
        card = data_card(
            quality, knowledge, made_by=f"dxspan-train prepare{given}", sources=sources, bad_rows=len(bad),
            identified=options.allow_identified,
        )  # fmt: skip
        (options.out / CARD).write_text(card, encoding="utf-8")
    for name in ("notes", "labelled", "without_codes", "copied_share", "bad_rows"):
        print(f"{name.replace('_', ' '):16} {page[name]:>12,}")
    for group in ("left", "split", "joined", "via", "conditions", "language"):
        print(f"{group:16} {', '.join(f'{which} {count:,}' for which, count in page[group].items()) or '-':>12}")
    print("dry run: nothing written" if options.dry_run else f"{options.out / CARD}")


def _shares(text: str) -> tuple[float, float, float]:
    try:
        train, development, test = (float(part) / 100 for part in text.split(","))
    except ValueError:
        raise ValueError("--shares takes three percentages, `80,10,10`") from None
    return train, development, test


COMMAND = Command("prepare", "De-identified FHIR data as training examples with a data card", _arguments, _run)
