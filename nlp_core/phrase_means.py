"""What findings are called besides their names, as training has learnt it: one mean vector for each finding.

Written by training where its run ends, shipped with the bundle, read where the index of names is composed. The wordings
themselves stay with training.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_TENSOR, _FINDINGS = "means", "findings"


@dataclass(frozen=True, slots=True, eq=False)
class PhraseMeans:
    """means: [findings, width], the mean of unit vectors; half precision is enough for a direction."""

    findings: tuple[str, ...]
    means: NDArray[np.float16]

    @staticmethod
    def of(vectors: Mapping[str, NDArray[np.float32]]) -> PhraseMeans:
        """vectors: finding -> [wordings, width]."""
        means = [own.mean(axis=0) for own in vectors.values()]
        return PhraseMeans(tuple(vectors), np.array(means, np.float16))

    def by_finding(self) -> dict[str, NDArray[np.float32]]:
        return {finding: self.means[row].astype(np.float32) for row, finding in enumerate(self.findings)}

    def save(self, path: Path) -> None:
        from safetensors.numpy import save_file

        save_file({_TENSOR: self.means}, path, metadata={_FINDINGS: " ".join(self.findings)})

    @staticmethod
    def load(path: Path) -> PhraseMeans:
        """Raises OSError, or ValueError where the file is something else."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, framework="numpy") as stored:
                findings = tuple((stored.metadata() or {}).get(_FINDINGS, "").split())
                means = stored.get_tensor(_TENSOR)
        except SafetensorError as error:
            raise ValueError(f"{path} holds no means of phrases: {error}") from error
        if len(findings) != len(means):
            raise ValueError(f"{path}: {len(findings)} findings for {len(means)} means")
        return PhraseMeans(findings, means)
