"""`dxspan-train measure-styles`: are the invented notes varied, or does one style give away the next?

A plain TF-IDF classifier learns the specialty of the diagnosis from notes of one style and is asked on notes of each.
If the styles were one text in other dress it would do as well on the others; it must not.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from nlp_core.knowledge import Frequency, Knowledge
from nlp_core.knowledge_files import read_knowledge
from training.command import Command, deliver
from training.synthetic_charts.charts import ChartWriter
from training.synthetic_charts.styles import styles

Samples = Mapping[str, Sequence[tuple[str, str]]]
"""Style -> (text, diagnosis)."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """right[i, j]: share of notes of style j whose diagnosis a classifier trained on style i finds, 0 to 1."""

    styles: tuple[str, ...]
    right: NDArray[np.float64]

    @property
    def own(self) -> float:
        """Mean over the styles where training and asking agree."""
        return float(np.diag(self.right).mean())

    def others(self, *, same_register: bool | None = None) -> float:
        """Mean over pairs of different styles: all of them, or those of one register or of two."""
        registers = [styles()[name].register_ for name in self.styles]
        counted = [
            self.right[row, column]
            for row in range(len(self.styles))
            for column in range(len(self.styles))
            if row != column and same_register in (None, registers[row] == registers[column])
        ]
        return float(np.mean(counted)) if counted else 0.0


def drawn_samples(
    knowledge: Knowledge, per_style: int, *, diagnoses: int, seed: int
) -> dict[str, list[tuple[str, str]]]:
    """English notes of each style about the same few diagnoses, the commonest of them, half of them asked later."""
    order = get_args(Frequency)
    commonest = sorted(knowledge.diagnoses.values(), key=lambda d: (order.index(d.frequency), d.id))[:diagnoses]
    few = knowledge.model_copy(update={"diagnoses": {diagnosis.id: diagnosis for diagnosis in commonest}})
    samples: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for number, style in enumerate(tqdm(styles(), desc="styles", unit="style")):
        writer = ChartWriter(few, seed=seed + number, chinese=0.0, most_notes=1)
        for chart in writer.charts(per_style, styles_used=[style]):
            samples[style].append((chart.notes[0].text, chart.story.diagnosis.id))
    return samples


def measure_transfer(samples: Samples) -> Transfer:
    """Trains on the first half of each style, asks on the second half of every style."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    names = tuple(samples)
    right = np.zeros((len(names), len(names)))
    for row, trained_on in enumerate(tqdm(names, desc="classifiers", unit="style")):
        half = len(samples[trained_on]) // 2
        model: Any = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(max_iter=300, C=10))
        model.fit(*map(list, zip(*samples[trained_on][:half], strict=True)))
        for column, asked in enumerate(names):
            texts, gold = zip(*samples[asked][len(samples[asked]) // 2 :], strict=True)
            right[row, column] = float(np.mean(model.predict(list(texts)) == np.array(gold)))
    return Transfer(names, right)


def page(transfer: Transfer, per_style: int, diagnoses: int) -> Iterator[str]:
    """The measurement as Markdown lines."""
    yield "# The invented notes"
    yield ""
    yield "Written by `dxspan-train measure-styles`. `dxspan-train write-charts` writes charts as FHIR bundles with their gold; how"
    yield "they come about is said in training/synthetic_charts, the wording is data in its patterns/ and styles.yaml."
    yield ""
    yield from _TWO_KINDS
    yield f"A TF-IDF classifier (words and pairs of words, logistic regression) learns the diagnosis, one of {diagnoses}, from"
    yield f"{per_style // 2} notes of one style (rows) and is asked on {per_style // 2} others of each style (columns). Percent right:"
    yield ""
    yield f"| trained on | {' | '.join(transfer.styles)} |"
    yield f"|---|{'---:|' * len(transfer.styles)}"
    for name, row in zip(transfer.styles, transfer.right, strict=True):
        yield f"| {name} | {' | '.join(f'{100 * value:.0f}' for value in row)} |"
    yield ""
    worst = float(transfer.right.min())
    yield f"On average {100 * transfer.own:.1f} in the style it learned from, {100 * transfer.others(same_register=True):.1f} in another style of the same"
    yield f"register (formal, short, plain words), {100 * transfer.others(same_register=False):.1f} in one of another register; {100 * worst:.0f} at worst."
    yield ""


_TWO_KINDS = (
    "There are two kinds. The *first* charts are what the shipped model learned from, to the letter, and what is measured below; a",
    "recipe of `dxspan-train fit` has them unless it says `charts: fuller`. The *fuller* ones, which `write-charts` writes unless told",
    "`--charts first`, hold besides:",
    "",
    "| form | for example | where | how often |",
    "|---|---|---|---|",
    "| tables | `Cough \\| yes \\| 3 days`, `Fever - neg`, `[x] nausea [ ] vomiting`, `咳嗽：有`, `发热 □有 ☑无` | review of systems, examination, results; not in letters and messages | each of these parts in 5 |",
    "| doubted complaints: possible | `Maybe some fever, which she did not measure.`, `好像有低热，具体不详。` | history | 15 % of the complaints but the first, and 0.6 others a story |",
    "| hedged findings and diagnoses: possible | `Suggestion of effusion.`, `?rash noted, will recheck.`, `似有腹水。` | examination, results, impression | 15 % of signs and results but the first, and 0.4 others of each |",
    "| both languages in a sentence | `患者c/o chest pain 3天，无fever。`, `Pt 咳嗽 x 3 days, no 发热.` | in notes whose writer mixes, names everywhere | 25 % of Chinese notes, 8 % of English ones |",
    "| Chinese slips | `该嗽` for `咳嗽`, `末见` for `未见`, a character twice, a mark lost | 2 % of the characters and marks | 30 % of Chinese notes |",
    "",
    "A row's cell says how its finding is asserted, for old illnesses and relatives' too (`Asthma | as a child`, `糖尿病 | 母亲`). No slip",
    "touches what denies (不, 无, 没), a number or a side; `未` is written as `末` alone. The wording is patterns/fuller_en.yaml and",
    "fuller_zh.yaml, which characters are mistaken is chinese_slips.yaml.",
    "",
)


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--write", type=Path, help="Markdown file to write; without it the page is printed")
    parser.add_argument("--per-style", type=int, default=600, help="notes of each style (default: %(default)s)")
    parser.add_argument("--diagnoses", type=int, default=30, help="how many are told apart (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=7)


def _run(options: Namespace) -> int:
    samples = drawn_samples(read_knowledge(), options.per_style, diagnoses=options.diagnoses, seed=options.seed)
    transfer = measure_transfer(samples)
    deliver("\n".join(page(transfer, options.per_style, options.diagnoses)), options.write)
    return 0


COMMAND = Command("measure-styles", "does one style of invented notes give away the others?", _arguments, _run)
