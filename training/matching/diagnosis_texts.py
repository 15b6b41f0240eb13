"""Where diagnoses lie by what the knowledge says of them: what the case matcher begins with, and falls back on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import log, sqrt

import numpy as np
from numpy.typing import NDArray

from nlp_core.knowledge import Diagnosis, Knowledge

Floats = NDArray[np.float32]


def diagnosis_vectors(knowledge: Knowledge, embed: Callable[[Sequence[str]], Floats]) -> Floats:
    """[D, 7 W]: unit means of the diagnosis's names, its typical picture, course, neighbours, words for patients, tests, and names of
    its findings, those counting most that tell most.

    embed: texts to vectors [texts, W].
    """
    texts = {text: None for diagnosis in knowledge.diagnoses.values() for part in _parts(diagnosis) for text in part}
    names = {finding.id: finding.names.en[0] for finding in knowledge.findings.values()}
    row = {text: at for at, text in enumerate(dict.fromkeys([*texts, *names.values()]))}
    vectors = embed(list(row))
    rows = []
    for diagnosis in knowledge.diagnoses.values():
        means = [vectors[[row[text] for text in part]].mean(axis=0) for part in _parts(diagnosis)]
        telling = _telling(diagnosis, knowledge)
        findings = sum(
            (weight * vectors[row[names[finding]]] for finding, weight in telling), np.zeros(vectors.shape[1])
        )
        rows.append(np.concatenate([one / max(float(np.linalg.norm(one)), 1e-6) for one in (*means, findings)]))
    return np.array(rows, np.float32)


def _parts(diagnosis: Diagnosis) -> tuple[tuple[str, ...], ...]:
    typical = (diagnosis.typical.en,)
    return (
        diagnosis.names.en,
        typical,
        (diagnosis.course.en,),
        tuple(words.en for words in diagnosis.confused_with.values()) or typical,
        (diagnosis.patients.en,),
        tuple(step.en for step in diagnosis.tests) or typical,
    )


def _telling(diagnosis: Diagnosis, knowledge: Knowledge) -> list[tuple[str, float]]:
    """Findings that speak for it, by how much and how often."""
    shares = diagnosis.shares.items()
    odds = [(finding, log(share / knowledge.findings[finding].background), share) for finding, share in shares]
    return [(finding, ratio * sqrt(share)) for finding, ratio, share in odds if ratio > 0]
