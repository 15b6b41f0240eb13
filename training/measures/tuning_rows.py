"""One row of docs/tuning.md: a tuning that differs from the baseline in one thing, run in a process of its own.

Input : a row's name, texts, a folder to work in
Output: what it answered, what it took
Knows what each row does; how it is told is measure_tuning's business.
"""

from __future__ import annotations

import resource
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from training.tuning.labelled_texts import LabelledText, labels_of
from training.tuning.options import TuningOptions

SHOTS = 16
"""Of the label that is added, at most; fewer where it has fewer."""
_PRETRAINED_STEPS = 60


@dataclass(frozen=True, slots=True)
class Row:
    """changes: options other than the baseline's. way: how the texts are learned."""

    name: str
    group: str
    changes: dict[str, Any] = field(default_factory=dict)
    way: Literal["at once", "few shots", "label added alone", "label added with replay", "pretrained first"] = "at once"


BASELINE = Row("full", "baseline")
ROWS: tuple[Row, ...] = (
    BASELINE,
    Row("LoRA", "kind", {"method": "lora"}),
    Row("DoRA", "kind", {"method": "dora"}),
    Row("AdaLoRA", "kind", {"method": "adalora"}),
    Row("IA3", "kind", {"method": "ia3"}),
    Row("prefix", "kind", {"method": "prefix"}),
    Row("cosine instead of a straight line", "steps", {"schedule": "cosine"}),
    Row("constant rate, no warm-up", "steps", {"schedule": "constant", "warm_up": 0.0}),
    Row("batches of 4, gradients of 4 added up", "steps", {"batch": 4, "accumulate": 4}),
    Row("bf16", "steps", {"precision": "bf16"}),
    Row("twice the epochs, early stopping", "steps", {"epochs": 2.0, "patience": 1}),
    Row("synonyms", "augmentation", {"augment": ("synonyms",)}),
    Row("abbreviations", "augmentation", {"augment": ("abbreviations",)}),
    Row("typos", "augmentation", {"augment": ("typos",)}),
    Row("denied stories", "augmentation", {"augment": ("negation",)}),
    Row("sections moved", "augmentation", {"augment": ("sections",)}),
    Row("FGM", "adversarial", {"adversarial": "fgm"}),
    Row("PGD", "adversarial", {"adversarial": "pgd"}),
    Row("three distilled to one", "ensemble", {"ensemble": 3}),
    Row("pretrained first", "pretraining", way="pretrained first"),
    Row("one label added from {shots}, with replay", "continual", way="few shots"),
    Row("one label added from all its texts, with replay", "continual", way="label added with replay"),
    Row("one label added from all its texts, no replay", "continual", way="label added alone"),
)


class Outcome(BaseModel):
    """What came of a row."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    answers: tuple[str, ...]
    """A label for each test text."""
    trained_weights: int
    seconds: float
    megabytes: float
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """What all rows have in common."""

    train: tuple[LabelledText, ...]
    test: tuple[LabelledText, ...]
    options: TuningOptions
    model: str | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        return labels_of(self.train)


def rows_of(task: Task) -> tuple[Row, ...]:
    """ROWS, where the one of few shots says how many the task has for it."""
    own = sum(example.label == task.labels[-1] for example in task.train)
    shots = f"{SHOTS} texts" if own > SHOTS else f"{own} texts (all there are)"
    return tuple(replace(row, name=row.name.format(shots=shots)) for row in ROWS)


def run_row(row: Row, task: Task, folder: Path) -> Outcome:
    """Trains and answers. To be called in a fresh process, whose memory is then the row's."""
    folder.mkdir(parents=True, exist_ok=True)
    changes = dict(row.changes)
    if "epochs" in changes:
        changes["epochs"] *= task.options.epochs
    options = task.options.model_copy(update=changes)
    if row.way in ("few shots", "label added alone", "label added with replay"):
        return _added(row, task, options, folder)
    model, remark = task.model, ""
    if row.way == "pretrained first":
        model, remark = _pretrained(task, folder)
    train, shares = list(task.train), None
    development: list[LabelledText] = []
    if options.patience:
        from training.tuning.labelled_texts import split_apart

        train, development = split_apart(train, 0.15, options.seed)
    if options.augment:
        train, shares, remark = _augmented(task, options)
    from training.tuning.distillation import distilled

    found = distilled(model, train, development, task.labels, options, folder, shares=shares)
    return _outcome(row, found, task, remark)


def _augmented(task: Task, options: TuningOptions) -> tuple[list[LabelledText], Any, str]:
    from nlp_core.knowledge_files import read_knowledge
    from training.tuning.augmentation import Augmenter
    from training.tuning.examples import shares_of

    augmenter = Augmenter(read_knowledge(), options.augment, copies=1, seed=options.seed)
    texts, shares = augmenter.augmented(task.train, shares_of(task.train, task.labels))
    return texts, shares, f"{len(texts) - len(task.train)} copies"


def _pretrained(task: Task, folder: Path) -> tuple[str, str]:
    """(folder of an encoder that has read the training texts, its perplexity before and after)."""
    from training.pretraining.language_model import ENCODER
    from training.pretraining.options import PretrainOptions
    from training.pretraining.pretrain import Pretraining
    from training.pretraining.site_texts import SiteTexts

    texts = [example.text for example in task.train]
    split = len(texts) // 10
    read = SiteTexts(tuple(texts[split:]), tuple(texts[:split]), (), 0)
    options = PretrainOptions(steps=_PRETRAINED_STEPS, longest=task.options.longest, threads=task.options.threads)
    figures = Pretraining(task.model, read, options, folder / "pretrained").train(resume=False, report_to="none")
    remark = f"perplexity {figures['perplexity_before']:.0f} → {figures['perplexity_after']:.0f}, the head being new"
    return str(folder / "pretrained" / ENCODER), remark


def _added(row: Row, task: Task, options: TuningOptions, folder: Path) -> Outcome:
    """All labels but the last are learned first, then the last is added."""
    from training.tuning.continual import gone_on
    from training.tuning.run import tuned

    *known, added = task.labels
    old = [example for example in task.train if example.label != added]
    new = [example for example in task.train if example.label == added]
    first = tuned(task.model, old, [], known, options, folder / "first")
    first.save(folder / "first")
    shots = SHOTS if row.way == "few shots" else None
    replay: Sequence[LabelledText] = () if row.way == "label added alone" else old
    found, gate = gone_on(folder / "first", new, replay, task.test, options, folder / "second", shots=shots)
    verdict = "gate passed" if gate.passed else "gate shut"
    return _outcome(row, found, task, f"old labels {gate.before:.2f} → {gate.after:.2f}, {verdict}")


def _outcome(row: Row, found: Any, task: Task, remark: str) -> Outcome:
    answers = found.answers([example.text for example in task.test])
    spent = resource.getrusage(resource.RUSAGE_SELF)
    from training.tuning.peak_memory import peak_megabytes

    return Outcome(
        name=row.name, answers=tuple(found.labels[place] for place in answers),
        trained_weights=found.figures.trained_weights, seconds=round(spent.ru_utime + spent.ru_stime, 1),
        megabytes=peak_megabytes(), remark=remark,
    )  # fmt: skip
