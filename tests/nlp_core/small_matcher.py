"""A case matcher that can be followed by hand: a sentence's vector is its direction, every gate is half open."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from nlp_core.case_matcher import FIGURES, CaseMatcher


def tensors_of(placed: ArrayLike, **changed: ArrayLike) -> dict[str, np.ndarray]:
    """placed: [diagnoses, W]. changed: tensors to have otherwise."""
    width = np.shape(placed)[1]
    plain: dict[str, ArrayLike] = {
        "into": np.eye(width),
        "gate": np.zeros(width + FIGURES),
        "shift": [0.0],
        "diagnosis": placed,
        "scale": [4.0],
        "least": [0.0],
        "half": [0.1],
    }
    return {name: np.array(tensor, np.float32) for name, tensor in {**plain, **changed}.items()}


def speaks_for_the_first(diagnoses: Sequence[str], width: int) -> CaseMatcher:
    """Whatever is said speaks for the first diagnosis."""
    placed = np.zeros((len(diagnoses), width))
    placed[0] = 1.0
    return CaseMatcher(tensors_of(placed), diagnoses)


def sentence(*vector: float) -> np.ndarray:
    """Its figures, all but the vector 0."""
    return np.concatenate([np.array(vector, np.float32), np.zeros(FIGURES, np.float32)])
