"""A traced graph whose matrices lie in 16 bits in the file and are widened when they are read: half the bytes, fp32 sums.

Knows ONNX. Every runtime and CPU computes it, unlike a graph of 16-bit products (half_graph, for TensorRT). ONNX Runtime
widens the weights once, when it opens the graph.
"""

from __future__ import annotations

from collections.abc import Iterable

import onnx
from onnx import TensorProto, helper

from nlp_core.bundle_manifest import Initializer

_STORED = ".half"


def store_in_half(model: onnx.ModelProto, rows: Iterable[Initializer]) -> tuple[Initializer, ...]:
    """Changes `model` in place; returns the rows with each matrix's weights as float16. Vectors (biases, norms) stay."""
    graph, found = model.graph, []
    widening: list[onnx.NodeProto] = []
    for row in rows:
        if len(row.shape) < 2:
            found.append(row)
            continue
        stored = f"{row.name}{_STORED}"
        widening.append(helper.make_node("Cast", [stored], [row.name], name=f"widen.{row.name}", to=TensorProto.FLOAT))
        found.append(row.model_copy(update={"name": stored, "dtype": "float16"}))
    widened = {node.output[0] for node in widening}
    nodes = [*widening, *graph.node]
    kept = [tensor for tensor in graph.initializer if tensor.name not in widened]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(kept)
    return tuple(found)
