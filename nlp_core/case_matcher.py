"""How much what a chart says reads like cases of each diagnosis: learned on cases that the project wrote (training.matching).

Input : the sentences of a chart, each as the encoder read it (sentence_figures)
Output: [sentences, diagnoses] natural-log odds that each sentence adds
Findings are what a list names; this is the rest of what a sentence means: "mass with calcium filling the globe". A sentence counts as far
as its gate opens. A chart is the sum of its sentences brought to a length of 1, so that a long chart moves diagnoses no more than a short
one, but for one that says next to nothing: "fever, cough and sore throat" is what findings are for. Beside a diagnosis's direction
each sentence has its exact share. Knows arrays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp_core.encoder import check_finite
from nlp_core.head_outputs import ASSERTIONS
from nlp_core.sentence_readings import SentenceReading

Floats = NDArray[np.float32]

_HEADS, _DIAGNOSES = "heads", "diagnoses"
FIGURES = 4 + len(ASSERTIONS)
"""Numbers of a sentence beside its vector."""
VECTOR = 10.0
"""Brings components of unit vectors to about 1."""


def sentence_figures(piece: SentenceReading) -> Floats:
    """[W + FIGURES]: unit mean of its tokens, mean and highest probability of standing in a finding, that it tells anything of the
    illness, log of one more than its tokens, mean probability of each assertion."""
    mean = piece.mean / max(float(np.linalg.norm(piece.mean)), 1e-12)
    beside = [piece.finding.mean(), piece.finding.max(), piece.telling, np.log1p(len(piece.starts))]
    return np.concatenate([mean, beside, piece.assertion.mean(axis=0)], dtype=np.float32)


class CaseMatcher:
    """Weighs the sentences of charts; safe to use from several threads. W: width of the encoder, K: of the matcher, D: diagnoses."""

    def __init__(self, tensors: Mapping[str, NDArray[Any]], diagnoses: Sequence[str], heads: str = "") -> None:
        """tensors: see TENSORS. diagnoses: ids, one a row of `diagnosis`. heads: hex SHA-256 of the bundle's heads it was learned
        behind. Raises ValueError where a tensor is missing or has another shape."""
        missing = [name for name in TENSORS if name not in tensors]
        if missing:
            raise ValueError(f"a case matcher wants {', '.join(missing)}")
        self.heads, self.diagnoses = heads, tuple(diagnoses)
        self._tensors = {name: np.asarray(tensors[name], np.float32) for name in TENSORS}
        width, length = self._tensors["into"].shape
        shapes = {
            "gate": (width + FIGURES,),
            "shift": (1,),
            "diagnosis": (len(diagnoses), length),
            "scale": (1,),
            "least": (1,),
            "half": (1,),
        }
        wrong = [name for name, shape in shapes.items() if self._tensors[name].shape != shape]
        if wrong:
            raise ValueError(f"a case matcher's {', '.join(wrong)} do not fit its other tensors")

    @property
    def width(self) -> int:
        """W."""
        return int(self._tensors["into"].shape[0])

    def of(self, diagnoses: Sequence[str]) -> CaseMatcher:
        """The same for other diagnoses in another order; one that it has learned nothing of is moved by no sentence."""
        rows = {diagnosis: row for row, diagnosis in enumerate(self.diagnoses)}
        own = self._tensors["diagnosis"]
        learned = [rows[diagnosis] for diagnosis in diagnoses if diagnosis in rows]
        middle = own[learned].mean(axis=0) if learned else np.zeros(own.shape[1], np.float32)
        placed = np.stack([own[rows[d]] if d in rows else middle for d in diagnoses]) - middle
        return CaseMatcher({**self._tensors, "diagnosis": placed}, diagnoses, self.heads)

    def moved(self, sentences: Sequence[Floats]) -> Floats:
        """[sentences, D]: what each adds to each diagnosis, the whole chart's sentences given. Raises NotFinite."""
        own = self._tensors
        if not len(sentences):
            return np.zeros((0, len(self.diagnoses)), np.float32)
        figures = np.stack(sentences)
        vectors = figures[:, : self.width]
        gates = 1 / (1 + np.exp(-(gate_inputs(figures, self.width) @ own["gate"] + own["shift"])))
        counted = (vectors @ own["into"]) * gates[:, None]
        length = float(np.linalg.norm(counted.sum(axis=0)))
        beyond = max(0.0, length - float(own["least"][0]))
        if not beyond:
            return np.zeros((len(sentences), len(self.diagnoses)), np.float32)
        strength = own["scale"] * beyond / np.hypot(beyond, own["half"])
        with np.errstate(invalid="ignore"):  # told by the check
            moved = strength * (counted / length) @ own["diagnosis"].T
        check_finite("what sentences move", moved)
        return np.asarray(moved, np.float32)

    def save(self, path: Path) -> None:
        """In half precision."""
        from nlp_core.tensor_files import save_halves

        save_halves(path, self._tensors, {_HEADS: self.heads, _DIAGNOSES: " ".join(self.diagnoses)})

    @staticmethod
    def load(path: Path) -> CaseMatcher:
        """Raises OSError, or ValueError where the file is something else."""
        from nlp_core.tensor_files import read_tensors

        tensors, told = read_tensors(path, "case matcher")
        return CaseMatcher(tensors, told.get(_DIAGNOSES, "").split(), told.get(_HEADS, ""))


TENSORS = ("into", "gate", "shift", "diagnosis", "scale", "least", "half")
"""into [W, K]; gate [W + FIGURES] and shift [1]; diagnosis [D, K], about unit length; scale [1], natural-log odds of full agreement;
least [1], length of a chart up to which it moves nothing, and half [1], what is beyond that where it moves 7 tenths of all."""


def gate_inputs(figures: Floats, width: int) -> Floats:
    """[sentences, W + FIGURES]: what the gate is given."""
    return np.concatenate([figures[:, :width] * VECTOR, figures[:, width:]], axis=1)
