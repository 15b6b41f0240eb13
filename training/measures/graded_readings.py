"""Patients and texts read the serving way, each leading candidate with its probability and whether it is right.

Knows the sets: patients drawn from the knowledge, our own cases, the evaluation texts. What is right of a text is decided by
the three-character ICD-10-CM category, as in docs/evaluation.md. Does not know what the figures are for (measure_calibration).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from nlp_core.assess import Reader
from nlp_core.assessment import Assessment, Candidate, Language
from nlp_core.chart import Chart
from training.calibrate import KNOWN, LEADING, SECOND_ILLNESS
from training.measures.evaluate import SETS, asked_rows, category
from training.measures.own_cases import DEVELOPMENT, TEST, coded_chart, read_cases
from training.simulated_patients import simulated_patients

Right = Callable[[Candidate], bool]


@dataclass(frozen=True, slots=True, eq=False)
class Graded:
    """One row per patient, one column per leading candidate; 0 and False where there are fewer candidates."""

    name: str
    probability: NDArray[np.float64]
    right: NDArray[np.bool_]
    silent: NDArray[np.bool_]
    """[patients]: no card, for whatever reason."""

    @property
    def leading(self) -> NDArray[np.float64]:
        """[patients]: probability of the first candidate."""
        return self.probability[:, 0]

    @property
    def within_three(self) -> NDArray[np.bool_]:
        return np.asarray(self.right[:, :3].any(axis=1))


def grade(name: str, read: Iterable[tuple[Assessment, Right]]) -> Graded:
    """read: each assessment, and what says of a candidate whether it is right."""
    probability, right, silent = [], [], []
    for assessment, is_right in read:
        row = [(candidate.probability, is_right(candidate)) for candidate in assessment.candidates[:LEADING]]
        row += [(0.0, False)] * (LEADING - len(row))
        probability.append([value for value, _ in row])
        right.append([good for _, good in row])
        silent.append(assessment.silence is not None)
    return Graded(name, np.array(probability), np.array(right, dtype=np.bool_), np.array(silent, dtype=np.bool_))


def simulated(reader: Reader, count: int, *, seed: int) -> Graded:
    """Patients drawn from the knowledge; the diagnosis drawn is right and no other."""
    patients = simulated_patients(reader.knowledge, count, seed=seed, known=KNOWN, second_illness=SECOND_ILLNESS)
    shown = tqdm(patients, total=count, desc="simulated patients", unit="patient")
    return grade("simulated patients", ((reader.assess(p.chart), _is_diagnosis(p.diagnosis.id)) for p in shown))


def own(reader: Reader, language: Language) -> Graded:
    """Our own cases of both files in one language."""
    cases = [case for path in (DEVELOPMENT, TEST) for case in read_cases(path)]
    pairs = [(coded_chart(case.text(language)), {category(gold.icd10) for gold in case.gold}) for case in cases]
    return _read(reader, f"own cases, {language}", pairs)


def evaluation(reader: Reader, folder: Path) -> list[Graded]:
    """The evaluation sets of a folder, rows that ask nothing left out. Raises FileNotFoundError."""
    return [
        _read(reader, name, [(coded_chart(text), gold) for text, gold in asked_rows(folder, name)]) for name in SETS
    ]


def together(name: str, sets: Sequence[Graded]) -> Graded:
    """Several sets as one."""
    probability, right, silent = (
        np.concatenate(columns) for columns in zip(*((s.probability, s.right, s.silent) for s in sets), strict=True)
    )
    return Graded(name, probability, right, silent)


def _read(reader: Reader, name: str, pairs: Sequence[tuple[Chart, set[str]]]) -> Graded:
    shown = tqdm(pairs, desc=name, unit="text")
    return grade(name, ((reader.assess(chart), _is_one_of(gold)) for chart, gold in shown))


def _is_diagnosis(diagnosis: str) -> Right:
    return lambda candidate: candidate.diagnosis == diagnosis


def _is_one_of(gold: set[str]) -> Right:
    return lambda candidate: category(candidate.icd10cm) in gold
