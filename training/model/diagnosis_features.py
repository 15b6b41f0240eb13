"""What the encoder makes of each diagnosis: its name, and the mean of its findings' names, each as it speaks for it.

Input : the knowledge, and a function from texts to unit vectors
Output: float32 [diagnoses, 2 * width]
A new diagnosis has features as soon as it is written down; no training is needed for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import log

import numpy as np
from numpy.typing import NDArray

from nlp_core.knowledge import Diagnosis, Knowledge

Vectors = NDArray[np.float32]


def diagnosis_features(knowledge: Knowledge, embed: Callable[[Sequence[str]], Vectors]) -> Vectors:
    """In the order of the knowledge. embed: texts to unit vectors [texts, width]."""
    own = embed([diagnosis.names.en[0] for diagnosis in knowledge.diagnoses.values()])
    named = embed([finding.names.en[0] for finding in knowledge.findings.values()])
    rows = {finding: row for row, finding in enumerate(knowledge.findings)}
    weights = np.zeros((len(own), len(named)), np.float32)
    for place, diagnosis in enumerate(knowledge.diagnoses.values()):
        for finding, share in _speaking_for(diagnosis, knowledge):
            weights[place, rows[finding]] = share
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
    return np.concatenate([own, weights @ named], axis=1).astype(np.float32)


def _speaking_for(diagnosis: Diagnosis, knowledge: Knowledge) -> list[tuple[str, float]]:
    """(finding, share times log ratio) of what is commoner with the diagnosis than without."""
    return [
        (finding, share * log(share / knowledge.findings[finding].background))
        for finding, share in diagnosis.shares.items()
        if finding in knowledge.findings and share > knowledge.findings[finding].background
    ]
