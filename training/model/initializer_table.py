"""Which tensor of the base file each weight of a graph is, and where it lies in encoder.weights.

Input : a traced graph with its weights inside, and model.safetensors
Output: the table, and the same graph with its weights pointing into encoder.weights
Knows tensors by content, so any exporter's names will do. Constants that are no weights stay in the graph.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper
from safetensors import safe_open

from nlp_core.adapters import Adapter
from nlp_core.bundle_manifest import WEIGHTS, Initializer, Transform

_PAGE = 4096
"""Each tensor begins on a memory page, so that ONNX Runtime can map it instead of copying it."""
_LARGEST_CONSTANT = 1024
"""Bytes up to which floating-point numbers in the graph are constants, not weights."""

_TYPES = {"float32": TensorProto.FLOAT, "float16": TensorProto.FLOAT16, "int8": TensorProto.INT8}
_Key = tuple[tuple[int, ...], bytes]


def match_initializers(
    graph: onnx.GraphProto, base: Path, heads: Path | None = None, adapter: Adapter | None = None
) -> tuple[Initializer, ...]:
    """A row for each weight, offsets not yet given; the graph's weights are renamed after their sources.

    heads: file of weights that stay in the graph, being small and nobody else's. adapter: may lengthen tensors of the base.
    Raises ValueError for a weight that is no tensor of `base` or `heads`, as it is or transposed.
    """
    known = _tensors_by_content(base, adapter)
    kept = _tensors_by_content(heads) if heads else {}
    rows: list[Initializer] = []
    names: dict[str, str] = {}
    for tensor in graph.initializer:
        array = numpy_helper.to_array(tensor)
        if not np.issubdtype(array.dtype, np.floating):
            continue
        found = known.get(_key(array))
        if found is None:
            if array.nbytes > _LARGEST_CONSTANT and _key(array) not in kept:
                raise ValueError(f"the graph's {tensor.name} {array.shape} is no tensor of {base.name}")
            continue
        source, transforms = found
        names[tensor.name] = _new_name(source, transforms, taken=set(names.values()))
        rows.append(
            Initializer(
                name=names[tensor.name],
                source=source,
                transforms=transforms,
                dtype="float32",
                shape=array.shape,
                offset=0,
            )
        )
    _rename(graph, names)
    return tuple(rows)


def placed(rows: Iterable[Initializer]) -> tuple[Initializer, ...]:
    """The rows with offsets, in order, each on a page of its own."""
    table: list[Initializer] = []
    end = 0
    for row in rows:
        offset = -(-end // _PAGE) * _PAGE
        table.append(row.model_copy(update={"offset": offset}))
        end = offset + row.size
    return tuple(table)


def point_outside(graph: onnx.GraphProto, table: Iterable[Initializer]) -> None:
    """Replaces each weight's numbers by its place in encoder.weights."""
    rows = {row.name: row for row in table}
    kept = [tensor for tensor in graph.initializer if tensor.name not in rows]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    for row in rows.values():
        tensor = graph.initializer.add(name=row.name, dims=row.shape, data_type=_TYPES[row.dtype])
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", WEIGHTS), ("offset", str(row.offset)), ("length", str(row.size))):
            tensor.external_data.add(key=key, value=value)


def _tensors_by_content(base: Path, adapter: Adapter | None = None) -> dict[_Key, tuple[str, tuple[Transform, ...]]]:
    known: dict[_Key, tuple[str, tuple[Transform, ...]]] = {}
    with safe_open(base, framework="numpy") as tensors:
        for name in sorted(tensors.keys()):
            array = tensors.get_tensor(name)
            if not np.issubdtype(array.dtype, np.floating):
                continue
            array = adapter.lengthened(name, array) if adapter else array
            if array.ndim == 2:
                known.setdefault(_key(array.T), (name, ("transpose",)))
            known[_key(array)] = (name, ())
    return known


def _key(array: NDArray[Any]) -> _Key:
    return array.shape, hashlib.sha256(np.ascontiguousarray(array, np.float32).data).digest()


def _new_name(source: str, transforms: tuple[Transform, ...], taken: set[str]) -> str:
    """The source's name; a graph may use one tensor both ways, or twice."""
    name = ".".join((source, *transforms))
    number = sum(other == name or other.startswith(f"{name}#") for other in taken)
    return f"{name}#{number + 1}" if number else name


def _rename(graph: onnx.GraphProto, names: dict[str, str]) -> None:
    for tensor in graph.initializer:
        tensor.name = names.get(tensor.name, tensor.name)
    for node in graph.node:
        for place, name in enumerate(node.input):
            node.input[place] = names.get(name, name)
