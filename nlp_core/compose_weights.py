"""The graph's weights, written from the base model's file and the adapter by the initializer table. numpy only.

Input : model.safetensors and rows like {"name": "up.0", "source": "…dense.weight", "transforms": ["transpose"], …}
Output: encoder.weights, each tensor at its offset, little-endian
Knows arrays. Does not know ONNX: the graph names this file, and the table says what lies where.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from nlp_core.adapters import Adapter
from nlp_core.bundle_errors import BaseMismatch, BundleDamaged, ComposeError
from nlp_core.bundle_manifest import Initializer, Transform

MOST_QUANTISED = 127
"""Signed 8 bits are used from -127 to 127, so that nothing is lost by negation."""

Array = NDArray[Any]


def column_scales(weights: Array) -> NDArray[np.float32]:
    """What quantise divides by, float32 [out] for weights [in, out]; 1 for a column of zeros."""
    largest = np.abs(weights).max(axis=0).astype(np.float32)
    return np.where(largest > 0, largest / np.float32(MOST_QUANTISED), np.float32(1)).astype(np.float32)


def quantise(weights: Array) -> NDArray[np.int8]:
    """Weights [in, out] as signed 8 bits, each column by its own scale, ties to even."""
    steps: NDArray[np.float32] = np.rint(weights.astype(np.float32) / column_scales(weights))
    return steps.astype(np.int8)


_STEPS: dict[Transform, Callable[[Array], Array]] = {
    "transpose": lambda weights: weights.T,
    "quantise": quantise,
    "scales": column_scales,
}


def transformed(source: Array, row: Initializer) -> Array:
    """The tensor the graph wants, C-contiguous little-endian. Raises ComposeError where the shape is another."""
    for step in row.transforms:
        source = _STEPS[step](source)
    if source.shape != row.shape:
        raise ComposeError(f"{row.name} wants {row.shape}, but {row.source} gives {source.shape}")
    return np.ascontiguousarray(source, np.dtype(row.dtype).newbyteorder("<"))


def write_weights(
    base: Path,
    table: Iterable[Initializer],
    target: Path,
    progress: Callable[[int], None] = lambda _: None,
    *,
    adapter: Adapter | None = None,
) -> None:
    """Writes `target`. progress is told the bytes written so far, after each tensor. adapter: what training adds.

    Raises BaseMismatch where `base` lacks a tensor, ComposeError where a tensor has another shape, BundleDamaged where
    the adapter does not fit, OSError.
    """
    table = tuple(table)
    if adapter and (strangers := adapter.changes - {row.source for row in table}):
        raise BundleDamaged(f"the adapter changes what the graph does not use: {', '.join(sorted(strangers))}")
    try:
        with safe_open(base, framework="numpy") as tensors, target.open("wb") as stream:
            for row in table:
                stream.seek(row.offset)
                source = tensors.get_tensor(row.source)
                stream.write(transformed(adapter.applied(row.source, source) if adapter else source, row).data)
                progress(stream.tell())
    except (SafetensorError, TypeError) as error:
        raise BaseMismatch(f"{base} cannot be read as this bundle's base weights: {error}") from error
