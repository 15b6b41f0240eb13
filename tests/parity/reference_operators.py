"""Operators that ONNX's reference evaluator has not as ONNX defines them; all others are its own.

GatherElements: its own takes no index of one row. LayerNormalization: its own keeps sums in the type of what comes in,
while the graph asks for float32 (stash_type 1).
"""

from __future__ import annotations

import numpy as np
from onnx.reference.op_run import OpRun


class GatherElements(OpRun):  # type: ignore[misc]  # onnx.reference has no types
    op_domain = ""

    def _run(self, data: np.ndarray, indices: np.ndarray, axis: int = 0) -> tuple[np.ndarray]:
        return (np.take_along_axis(data, indices, axis),)


class LayerNormalization(OpRun):  # type: ignore[misc]
    """Over the last axis alone."""

    op_domain = ""

    def _run(
        self,
        data: np.ndarray,
        scale: np.ndarray,
        bias: np.ndarray,
        axis: int = -1,
        epsilon: float = 1e-5,
        stash_type: int = 1,
    ) -> tuple[np.ndarray]:
        assert (axis, stash_type) == (-1, 1)
        centred = data.astype(np.float32) - data.astype(np.float32).mean(-1, keepdims=True)
        normal = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + epsilon)
        return (normal.astype(data.dtype) * scale + bias,)


OPERATORS = [GatherElements, LayerNormalization]
