"""A traced graph with 8-bit matrix products: weights per output column, activations per token.

Knows ONNX and ONNX Runtime's CPU operators. ONNX Runtime's own dynamic quantisation takes one scale for all tokens of a
batch: a patient's vectors would then depend on whose notes share the batch. Here each token has its own scale, so a
row means the same in any batch, at a third of the error (`dxspan-train compare-precisions`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from nlp_core.bundle_manifest import Initializer

_ZERO, _LEVELS = 128, 127
_MICROSOFT = "com.microsoft"


def quantise_products(model: onnx.ModelProto, rows: Iterable[Initializer]) -> tuple[Initializer, ...]:
    """Changes `model` in place; returns the rows with each product's weights as int8 and scales."""
    graph = model.graph
    weights = {row.name: row for row in rows}
    products = {
        node.input[1]: node
        for node in graph.node
        if node.op_type == "MatMul" and len(weights[node.input[1]].shape if node.input[1] in weights else ()) == 2
    }
    nodes: list[onnx.NodeProto] = []
    done: set[str] = set()
    for node in graph.node:
        if node.op_type != "MatMul" or node.input[1] not in products:
            nodes.append(node)
            continue
        if node.input[0] not in done:
            done.add(node.input[0])
            nodes += _quantised_tokens(node.input[0])
        nodes += _product(node)
    del graph.node[:]
    graph.node.extend(nodes)
    _set_constants(graph, drop=set(products))
    model.opset_import.append(helper.make_opsetid(_MICROSOFT, 1))
    return tuple(new for row in weights.values() for new in (_split(row) if row.name in products else (row,)))


def _quantised_tokens(value: str) -> list[onnx.NodeProto]:
    """Each token [.., width] divided by its own largest magnitude, as unsigned 8 bits around 128."""
    return [
        helper.make_node("Abs", [value], [f"{value}.abs"]),
        helper.make_node("ReduceMax", [f"{value}.abs", "int8.axis"], [f"{value}.largest"], keepdims=1),
        helper.make_node("Max", [f"{value}.largest", "int8.tiny"], [f"{value}.scale"]),
        helper.make_node("Div", [value, f"{value}.scale"], [f"{value}.unit"]),
        helper.make_node("QuantizeLinear", [f"{value}.unit", "int8.step", "int8.zero"], [f"{value}.int8"]),
    ]


def _product(node: onnx.NodeProto) -> list[onnx.NodeProto]:
    value, weight = node.input
    inputs = [f"{value}.int8", f"{weight}.int8", "int8.step", f"{weight}.scales", "int8.zero"]
    return [
        helper.make_node("MatMulIntegerToFloat", inputs, [f"{node.output[0]}.unit"], domain=_MICROSOFT),
        helper.make_node("Mul", [f"{node.output[0]}.unit", f"{value}.scale"], [node.output[0]]),
    ]


def _set_constants(graph: onnx.GraphProto, drop: set[str]) -> None:
    kept = [tensor for tensor in graph.initializer if tensor.name not in drop]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    constants: dict[str, NDArray[Any]] = {
        "int8.axis": np.array([-1], np.int64),
        "int8.tiny": np.array([1e-12], np.float32),
        "int8.step": np.array(1 / _LEVELS, np.float32),
        "int8.zero": np.array(_ZERO, np.uint8),
    }
    graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in constants.items())


def _split(row: Initializer) -> tuple[Initializer, Initializer]:
    quantised = {"name": f"{row.name}.int8", "transforms": (*row.transforms, "quantise"), "dtype": "int8"}
    scales = {"name": f"{row.name}.scales", "transforms": (*row.transforms, "scales"), "shape": row.shape[1:]}
    return row.model_copy(update=quantised), row.model_copy(update=scales)
