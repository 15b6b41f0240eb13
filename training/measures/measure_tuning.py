"""`dxspan-train measure-tuning`: every kind of tuning and every option against the same baseline, as docs/tuning.md.

Input : invented charts to learn from (training/synthetic_charts), our own cases to measure on (training/case_texts)
Output: a table: macro F1 with interval, difference to the baseline, weights that learned, time, memory
The label is the chapter of ICD-10 that the leading diagnosis stands in. Rows that are done are kept in --work, so that a run that
was cut goes on.
"""

from __future__ import annotations

import hashlib
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from tqdm import tqdm

from nlp_core.knowledge import Knowledge
from training.command import Command, deliver, said
from training.measures.own_cases import FOLDER, TEST, read_cases
from training.measures.tuning_rows import BASELINE, Outcome, Task, rows_of, run_row
from training.tuning.labelled_texts import LabelledText, labels_of
from training.tuning.options import TuningOptions

CHAPTERS = {
    "G": "nervous system", "H": "eye and ear", "I": "circulation", "K": "digestion", "M": "musculoskeletal",
    "N": "genitourinary",
}  # fmt: skip
_MOST_CHARTS = 4000


def texts_to_learn(knowledge: Knowledge, per_label: int, seed: int) -> list[LabelledText]:
    """`per_label` invented English notes of each chapter, the newest of each chart."""
    from training.synthetic_charts.charts import ChartWriter

    kept: list[LabelledText] = []
    counts = Counter[str]()
    for chart in ChartWriter(knowledge, seed=seed, chinese=0.0, most_notes=1).charts(_MOST_CHARTS):
        label = CHAPTERS.get(chart.story.diagnosis.icd10cm[0])
        if label and counts[label] < per_label:
            counts[label] += 1
            kept.append(LabelledText(chart.notes[0].text, label))
        if len(kept) == per_label * len(CHAPTERS):
            break
    return kept


def texts_to_measure() -> list[LabelledText]:
    """Our own cases of those chapters, in English."""
    cases = [*read_cases(TEST), *read_cases(FOLDER / "hard.jsonl")]
    return [
        LabelledText(case.en, CHAPTERS[case.gold[0].icd10[0]]) for case in cases if case.gold[0].icd10[0] in CHAPTERS
    ]


def measure(task: Task, work: Path) -> list[Outcome]:
    """Every row, each in a fresh process; those that `work` has of the same task are not run again."""
    done: list[Outcome] = []
    kept = work / _digest(task)
    kept.mkdir(parents=True, exist_ok=True)
    for place, row in enumerate(tqdm(rows_of(task), desc="rows", unit="row", disable=None)):
        file = kept / f"{place:02}.json"
        if not file.is_file() or (outcome := Outcome.model_validate_json(file.read_bytes())).name != row.name:
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as fresh:
                outcome = fresh.submit(run_row, row, task, work / f"row-{place:02}").result()
            file.write_text(outcome.model_dump_json(), encoding="utf-8")
        done.append(outcome)
    return done


def page(task: Task, found: Sequence[Outcome], options: str) -> str:
    """The whole measurement as Markdown."""
    given = task.options
    lines = [
        "# Kinds of tuning, measured",
        "",
        f"Written by `dxspan-train measure-tuning{options}`: {len(task.train)} invented English notes"
        f" (training/synthetic_charts) to learn from, {len(task.test)} English cases of our own (training/case_texts, test and"
        f" hard) to measure on; the label is the chapter of the leading diagnosis, one of {len(task.labels)}. Each row is the"
        f" baseline with one thing changed: full tuning of the shipped encoder, {given.epochs:g} epochs, batches of"
        f" {given.batch}, {given.longest} tokens, fp32, seed {given.seed}. Learning rates are the defaults of each kind, not"
        " searched for. Cases are written otherwise than charts, so these are figures of a hard transfer, not of what a site's own"
        " notes would give.",
        "",
        "Brackets: 95 % intervals, texts drawn anew a thousand times; the difference is paired, text by text. Where its interval"
        " holds 0, nothing is shown. One seed: another moves figures by about as much as the interval says. CPU seconds and the"
        " process's peak memory cover reading the model, training and answering the test.",
        "",
        "| what differs | macro F1 | difference to the baseline | weights that learn | CPU seconds | peak MB | |",
        "|---|---:|---:|---:|---:|---:|---|",
        *_table(task, found),
        "",
    ]
    return "\n".join(lines)


def _table(task: Task, found: Sequence[Outcome]) -> Iterator[str]:
    from training.tuning.measured import interval, macro_f1, resampled

    places = {label: place for place, label in enumerate(labels_of(task.test))}
    right = [places[example.label] for example in task.test]
    base = [places[label] for label in found[0].answers]
    for outcome in found:
        own = [places[label] for label in outcome.answers]
        score, count = macro_f1(right, own, len(places)), len(places)
        drawn = [(macro_f1(r, o, count), macro_f1(r, b, count)) for r, o, b in resampled(right, own, base)]
        low, high = interval([one for one, _ in drawn])
        worse, better = interval([one - other for one, other in drawn])
        difference = f"{score - macro_f1(right, base, count):+.3f} ({worse:+.3f} to {better:+.3f})"
        yield (
            f"| {outcome.name} | {score:.3f} ({low:.3f}–{high:.3f}) | {'baseline' if outcome.name == BASELINE.name else difference}"
            f" | {outcome.trained_weights:,} | {outcome.seconds:.0f} | {outcome.megabytes:.0f} | {outcome.remark} |"
        )


def _digest(task: Task) -> str:
    told = repr((task.options.model_dump(), task.model, [(e.text, e.label) for e in (*task.train, *task.test)]))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--per-label", type=int, default=40, help="texts to learn of each label (default: %(default)s)")
    parser.add_argument("--epochs", type=float, default=4.0, help="default: %(default)s")
    parser.add_argument("--longest", type=int, default=96, help="tokens of a text (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--work", type=Path, default=Path("var/tuning"), help="folder of the runs (default: %(default)s)"
    )
    parser.add_argument("--write", type=Path, help="Markdown file to write; without it the page is printed")


def _run(options: Namespace) -> int:
    from nlp_core.knowledge_files import read_knowledge

    train = texts_to_learn(read_knowledge(), options.per_label, options.seed)
    baseline = TuningOptions(method="full", epochs=options.epochs, longest=options.longest, seed=options.seed)
    task = Task(tuple(train), tuple(texts_to_measure()), baseline)
    found = measure(task, options.work)
    given = said(options, "per_label", "epochs", "longest", "seed", "write").replace("_", "-")
    deliver(page(task, found, given), options.write)
    return 0


COMMAND = Command("measure-tuning", "every kind of tuning and every option against one baseline", _arguments, _run)
