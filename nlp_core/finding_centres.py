"""Where findings lie in the encoder's space, as training has learnt it: one vector for each finding that is told in words.

Written by training (training.model.learned_centres), shipped with the bundle, read where the index of names is composed. The
wordings it was learned from stay with training.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_TENSOR, _FINDINGS = "centres", "findings"


@dataclass(frozen=True, slots=True, eq=False)
class FindingCentres:
    """centres: [findings, width], all of one length: a product with a unit vector is a likeness as a name's is; half precision is
    enough for a direction."""

    findings: tuple[str, ...]
    centres: NDArray[np.float16]

    @staticmethod
    def of(centres: Mapping[str, NDArray[np.float32]]) -> FindingCentres:
        """centres: finding -> [width]."""
        return FindingCentres(tuple(centres), np.array(list(centres.values()), np.float16))

    def by_finding(self) -> dict[str, NDArray[np.float32]]:
        return {finding: self.centres[row].astype(np.float32) for row, finding in enumerate(self.findings)}

    def save(self, path: Path) -> None:
        from nlp_core.tensor_files import save_halves

        save_halves(path, {_TENSOR: self.centres}, {_FINDINGS: " ".join(self.findings)})

    @staticmethod
    def load(path: Path) -> FindingCentres:
        """Raises OSError, or ValueError where the file is something else."""
        from nlp_core.tensor_files import read_tensors

        tensors, told = read_tensors(path, "centres of findings")
        if _TENSOR not in tensors:
            raise ValueError(f"{path} holds no centres of findings")
        findings, centres = tuple(told.get(_FINDINGS, "").split()), tensors[_TENSOR]
        if len(findings) != len(centres):
            raise ValueError(f"{path}: {len(findings)} findings for {len(centres)} centres")
        return FindingCentres(findings, centres)
