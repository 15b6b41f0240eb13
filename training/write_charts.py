"""`dxspan-train write-charts`: invented charts on disk, as FHIR bundles with their gold beside them.

bundles.ndjson holds a Bundle a line, gold.jsonl a note a line: its diagnosis, text, spans and sentences. Serves as training
text, demo and load-test data; equal seeds write equal bytes.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import numpy as np
from tqdm import tqdm

from nlp_core.knowledge_files import read_knowledge
from training.command import Command
from training.synthetic_charts.charts import ChartWriter, WrittenChart
from training.synthetic_charts.identities import with_identity
from training.synthetic_charts.styles import Charts

BUNDLES = "bundles.ndjson"
GOLD = "gold.jsonl"


def gold_lines(chart: WrittenChart) -> Iterator[dict[str, Any]]:
    """One line per note, offsets in code points of its text."""
    for number, note in enumerate(chart.notes):
        yield {
            "patient": f"synthetic-{chart.number}",
            "note": f"synthetic-{chart.number}-note-{number}",
            "diagnosis": chart.story.diagnosis.id,
            "icd10cm": chart.story.diagnosis.icd10cm,
            "language": note.language,
            "style": note.style,
            "text": note.text,
            "spans": [asdict(span) for span in note.spans],
            "sentences": [asdict(sentence) for sentence in note.sentence_spans],
        }


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=Path, default=Path("var/charts"), help="folder to write to (default: %(default)s)"
    )
    parser.add_argument("--count", type=int, default=100, help="patients (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--chinese", type=float, default=0.35, help="share of patients told in Chinese, 0 to 1")
    parser.add_argument(
        "--charts",
        choices=get_args(Charts),
        default="fuller",
        help="first: without tables, doubts, mixed languages and Chinese slips (default: %(default)s)",
    )
    parser.add_argument("--named", action="store_true", help="invented names, numbers and addresses in chart and notes")
    parser.add_argument(
        "--coded", action="store_true", help="the diagnosis as a Condition, and encounters to join it by"
    )


def _run(options: Namespace) -> int:
    from training.synthetic_charts.fhir_bundle import fhir_bundle  # fhir.resources takes a second to load

    knowledge = read_knowledge()
    options.out.mkdir(parents=True, exist_ok=True)
    writer = ChartWriter(knowledge, seed=options.seed, chinese=options.chinese, charts=options.charts)
    with (
        (options.out / BUNDLES).open("w", encoding="utf-8") as bundles,
        (options.out / GOLD).open("w", encoding="utf-8") as gold,
    ):
        random = np.random.default_rng(
            [options.seed, 1]
        )  # of the names alone: with them or without, the stories are the same
        for chart in tqdm(writer.charts(options.count), total=options.count, desc="charts", unit="chart"):
            chart = with_identity(chart, random) if options.named else chart
            bundle = fhir_bundle(chart, knowledge, coded=options.coded)
            bundles.write(json.dumps(bundle, ensure_ascii=False) + "\n")
            gold.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in gold_lines(chart))
    print(f"{options.out / BUNDLES} and {options.out / GOLD}: {options.count} patients")
    return 0


COMMAND = Command("write-charts", "write invented charts: FHIR bundles and their gold", _arguments, _run)
