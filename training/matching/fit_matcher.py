"""What charts of each diagnosis read like, learned and measured: `dxspan-train fit-matcher`.

Reads the cases of training/cases the serving way, learns on two thirds (of each diagnosis one case is kept apart) to measure, and on all
for nlp_core/bundle/case_matcher.safetensors. Our own development cases, by other writers, are measured beside. Run again after
training, as `fit-linker`: a matcher is good for the heads it was learned behind alone. Then compose, and calibrate anew.
"""

from __future__ import annotations

import zlib
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from nlp_core.assess import Reader
from nlp_core.assessment import Language
from nlp_core.bundle_manifest import HEAD_WEIGHTS, MATCHER
from nlp_core.case_matcher import CaseMatcher
from nlp_core.model_bundle import SHIPPED_BUNDLE, Bundle, composed_bundle_path
from nlp_core.onnx_encoder import OnnxEncoder
from training.command import Command, deliver
from training.matching.case_readings import ReadCase, read_charts
from training.matching.cases import FOLDER, STYLES, TrainingCase, read_cases
from training.measures.evaluate import category
from training.measures.own_cases import DEVELOPMENT, ENCOUNTERS_DEVELOPMENT, coded_chart
from training.measures.own_cases import FOLDER as OWN_FOLDER
from training.measures.own_cases import read_cases as own_cases

SHIPPED = SHIPPED_BUNDLE / MATCHER
OWN = {
    "development cases": DEVELOPMENT,
    "harder ones": OWN_FOLDER / "hard.jsonl",
    "encounter notes": ENCOUNTERS_DEVELOPMENT,
}
"""Written by others than the cases, for other ends, and not learned from here."""
_LANGUAGES: tuple[tuple[Language, str], ...] = (("en", "English"), ("zh", "Chinese"))


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A read case and the categories that are right."""

    read: ReadCase
    right: frozenset[str]


@dataclass(frozen=True, slots=True)
class Answered:
    """Of several cases: share with a right category first, within three, and the mean natural-log loss of the right ones."""

    cases: int
    first: float
    within_three: float
    loss: float

    def cells(self) -> str:
        return f"{100 * self.first:.1f} | {100 * self.within_three:.1f} | {self.loss:.3f}"


def is_apart(case: TrainingCase) -> bool:
    """One case of each diagnosis, of a style that hangs on its id."""
    return STYLES[zlib.crc32(case.diagnosis.encode()) % len(STYLES)] == case.style


def answered(asked: Sequence[Asked], categories: NDArray[np.str_], matcher: CaseMatcher | None) -> Answered:
    """How well findings alone (None), or with the matcher, find what is right. categories: [D]."""
    ranks, losses = [], []
    for one in asked:
        moved = matcher.moved(list(one.read.figures)).sum(axis=0) if matcher else 0
        scores = one.read.scores + moved
        odds = np.exp(scores - scores.max())
        right = np.isin(categories, list(one.right))
        losses.append(-np.log(max(float(odds[right].sum() / odds.sum()), 1e-4)))
        best = dict.fromkeys(categories[np.argsort(-scores, kind="stable")].tolist())
        ranks.append(next((rank for rank, name in enumerate(best) if name in one.right), len(best)))
    found = np.array(ranks)
    return Answered(len(asked), float((found < 1).mean()), float((found < 3).mean()), float(np.mean(losses)))


def page(rows: Iterable[tuple[str, Answered, Answered]], *, cases: int, diagnoses: int, model: str) -> str:
    """docs/matching.md. rows: what was asked, answered by findings alone, and with the matcher."""
    lines = [
        "# What charts of each diagnosis read like",
        "",
        f"Written by `make matcher` (`dxspan-train fit-matcher`), on the heads of model {model}. {cases:,} short cases of {diagnoses:,}",
        "diagnoses, written by the project (training/cases), teach a second opinion beside the findings: each sentence of a chart,",
        "as the encoder reads it, counts for diagnoses whose cases read alike (nlp_core/case_matcher.py). Rows of the cases themselves are of those",
        "kept apart, one for each diagnosis, by the same writers; our own development cases are by others. First, within three (%, by",
        "category) and log loss of the right diagnosis, uncalibrated:",
        "",
        "| asked | texts | findings alone | | | with the matcher | | |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [f"| {name} | {alone.cases} | {alone.cells()} | {both.cells()} |" for name, alone, both in rows]
    return "\n".join([*lines, ""])


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--bundle", type=Path, help="composed bundle (default: the one set-up composes)")
    parser.add_argument("--cases", type=Path, default=FOLDER, help="folder of cases (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=SHIPPED, help="where the matcher goes (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", type=Path, help="Markdown page (default: print)")


def _run(options: Namespace) -> int:
    from training.matching.diagnosis_texts import diagnosis_vectors
    from training.matching.network import learned  # torch

    path = options.bundle or composed_bundle_path()
    bundle = Bundle.open(path)
    if HEAD_WEIGHTS not in bundle.manifest.files:
        raise ValueError(f"the model at {bundle.path} has no heads: it reads no sentences")
    knowledge, width = bundle.knowledge(), bundle.manifest.width
    place = {diagnosis: at for at, diagnosis in enumerate(knowledge.diagnoses)}
    categories = np.array([category(diagnosis.icd10cm) for diagnosis in knowledge.diagnoses.values()])
    cases = read_cases(options.cases, place)
    reader = Reader.load(path, calibrated=False)
    charts = tqdm((coded_chart(case.text) for case in cases), total=len(cases), desc="cases", unit="case")
    read = list(read_charts(reader, charts, width))
    vectors = diagnosis_vectors(knowledge, OnnxEncoder.open(bundle, threads=0).embed)
    diagnoses = [place[case.diagnosis] for case in cases]
    seen = [at for at, case in enumerate(cases) if not is_apart(case)]
    ids, heads = list(knowledge.diagnoses), bundle.manifest.files[HEAD_WEIGHTS].sha256
    partial = learned([read[at] for at in seen], [diagnoses[at] for at in seen], vectors, seed=options.seed)
    rows = []
    for style in STYLES:
        asked = [
            Asked(one, frozenset({categories[at]}))
            for case, one, at in zip(cases, read, diagnoses, strict=True)
            if is_apart(case) and case.style == style
        ]
        if asked:
            half = partial.matcher(ids, heads).of(ids)
            rows.append((f"{style}s", answered(asked, categories, None), answered(asked, categories, half)))
    matcher = learned(read, diagnoses, vectors, seed=options.seed).matcher(ids, heads)
    for name, own in _own(reader, width):
        rows.append((name, answered(own, categories, None), answered(own, categories, matcher.of(ids))))
    matcher.save(options.out)
    told = page(rows, cases=len(cases), diagnoses=len(set(diagnoses)), model=bundle.model_version)
    deliver(told, options.write)
    return 0


def _own(reader: Reader, width: int) -> Iterator[tuple[str, list[Asked]]]:
    for name, path in OWN.items():
        for language, said in _LANGUAGES:
            cases = own_cases(path)
            charts = (coded_chart(case.text(language)) for case in cases)
            shown = tqdm(charts, total=len(cases), desc=f"{name}, {said}", unit="case")
            right = [frozenset(category(gold.icd10) for gold in case.gold) for case in cases]
            yield (
                f"{name}, {said}",
                [Asked(*pair) for pair in zip(read_charts(reader, shown, width), right, strict=True)],
            )


COMMAND = Command("fit-matcher", "learn what charts of each diagnosis read like, on cases", _arguments, _run)
