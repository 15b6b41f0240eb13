"""What training adds to the base encoder: low-rank changes of its matrices and new rows of its vocabulary. numpy only.

Input : a tensor of the base file, e.g. float32 [1536, 384]
Output: the same tensor with its change added; a vocabulary may be longer than the base's
The change is kept in 16-bit whole numbers over a power of two, and multiplied in whole numbers: every machine composes the
same bytes, whatever its matrix library. Knows arrays; how they were trained is training's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from nlp_core.bundle_errors import BundleDamaged

ADAPTER = "adapter.safetensors"
_LARGEST = 2**15 - 1

Array = NDArray[Any]
Whole = NDArray[np.int16]


def whole_numbers(values: Array) -> tuple[Whole, int]:
    """`values` as round(values * 2**exponent) in 16 bits, with the largest exponent that fits."""
    largest = float(np.abs(values).max()) if values.size else 0.0
    exponent = int(np.floor(np.log2(_LARGEST / largest))) if largest else 0
    return np.rint(values.astype(np.float64) * 2.0**exponent).astype(np.int16), exponent


class Adapter:
    """Changes of base tensors by name; open with `Adapter.open`, make with `AdapterWriter`."""

    def __init__(self, tensors: Mapping[str, Array]) -> None:
        self._tensors = tensors

    @staticmethod
    def open(path: Path) -> Adapter:
        """Raises BundleDamaged where the file is no adapter."""
        try:
            return Adapter(load_file(path))
        except (OSError, SafetensorError, ValueError) as error:
            raise BundleDamaged(f"{path} is no adapter: {error}") from error

    @property
    def changes(self) -> frozenset[str]:
        """Names of the base tensors that it changes."""
        return frozenset(name.rpartition(".")[0] for name in self._tensors)

    def applied(self, name: str, tensor: Array) -> Array:
        """`tensor`, the base's `name`, with its change; unchanged where the adapter has none for it.

        Raises BundleDamaged where the change has another shape.
        """
        try:
            if f"{name}.low_rank_out" in self._tensors:
                tensor = self._with_low_rank(name, tensor)
            if f"{name}.rows" in self._tensors:
                tensor = self._with_rows(name, tensor)
        except (KeyError, ValueError, IndexError) as error:
            raise BundleDamaged(f"the adapter's change of {name} does not fit {tensor.shape}: {error}") from error
        return tensor

    def lengthened(self, name: str, tensor: Array) -> Array:
        """`tensor`, the base's `name`, with rows of zeros behind its last where training adds some; else as it is.

        Raises BundleDamaged where it is longer than the adapter makes it.
        """
        length = int(self._tensors[f"{name}.length"][0]) if f"{name}.length" in self._tensors else len(tensor)
        if length < len(tensor):
            raise BundleDamaged(f"the adapter's change of {name} does not fit {tensor.shape}: {length} rows")
        if length == len(tensor):
            return tensor
        return np.concatenate([tensor, np.zeros((length - len(tensor), *tensor.shape[1:]), tensor.dtype)])

    def _with_low_rank(self, name: str, tensor: Array) -> Array:
        """[out, in] + out [out, rank] times in [rank, in], exact up to the last rounding."""
        out, inner = self._tensors[f"{name}.low_rank_out"], self._tensors[f"{name}.low_rank_in"]
        change = out.astype(np.int64) @ inner.astype(np.int64)
        if change.shape != tensor.shape:
            raise ValueError(f"a change of {change.shape}")
        exponent = int(self._tensors[f"{name}.low_rank_exponent"][0])
        return (tensor.astype(np.float64) + change * 2.0**-exponent).astype(np.float32)

    def _with_rows(self, name: str, tensor: Array) -> Array:
        """Some rows replaced, and those behind the last given theirs."""
        longer = self.lengthened(name, tensor)
        missing = np.setdiff1d(np.arange(len(tensor), len(longer)), self._tensors[f"{name}.rows"])
        if len(missing):
            raise ValueError(f"nothing for row {missing[0]}")
        changed = longer.copy()
        if self._tensors[f"{name}.values"].shape[1:] != tensor.shape[1:]:
            raise ValueError(f"rows of {self._tensors[f'{name}.values'].shape[1:]}")
        exponent = int(self._tensors[f"{name}.rows_exponent"][0])
        changed[self._tensors[f"{name}.rows"]] = self._tensors[f"{name}.values"] * 2.0**-exponent
        return changed


class AdapterWriter:
    """Collects changes and writes them as one file."""

    def __init__(self) -> None:
        self._tensors: dict[str, Array] = {}

    def add_low_rank(self, name: str, out: Array, inner: Array) -> None:
        """The change `out` [out, rank] times `inner` [rank, in] of the base tensor `name` [out, in]."""
        whole_out, exponent_out = whole_numbers(out)
        whole_in, exponent_in = whole_numbers(inner)
        self._tensors[f"{name}.low_rank_out"] = whole_out
        self._tensors[f"{name}.low_rank_in"] = whole_in
        self._tensors[f"{name}.low_rank_exponent"] = np.array([exponent_out + exponent_in], np.int32)

    def add_rows(self, name: str, rows: Array, values: Array, length: int | None = None) -> None:
        """New `values` [n, width] for the `rows` [n] of the base tensor `name`.

        length: rows that the tensor has afterwards, where some are behind the base's last.
        """
        whole, exponent = whole_numbers(values)
        self._tensors[f"{name}.rows"] = rows.astype(np.int32)
        self._tensors[f"{name}.values"] = whole
        self._tensors[f"{name}.rows_exponent"] = np.array([exponent], np.int32)
        if length is not None:
            self._tensors[f"{name}.length"] = np.array([length], np.int32)

    def adapter(self) -> Adapter:
        return Adapter(self._tensors)

    def save(self, path: Path) -> None:
        """The same bytes for the same changes."""
        save_file({name: np.ascontiguousarray(self._tensors[name]) for name in sorted(self._tensors)}, path)
