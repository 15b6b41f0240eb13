"""The fp32 graph with a 16-bit body, for builders that take precision from the graph (TensorRT, strongly typed).

Input : the graph with its weights inside, float32
Output: a copy whose encoder computes in fp16 or bf16; token vectors leave it as float32, and the heads stay float32
Knows ONNX. LayerNormalization keeps its sums in float32 (stash_type), as the operator defines.
Whoever changes what comes out raises HALF_GRAPH_VERSION (nlp_core.tensorrt_library), so that no older engine is met.
"""

from __future__ import annotations

import ml_dtypes
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from nlp_core.tensorrt_library import HalfPrecision
from training.model.trace_graph import OUTPUT

_KINDS: dict[HalfPrecision, int] = {"fp16": TensorProto.FLOAT16, "bf16": TensorProto.BFLOAT16}
_LARGEST_FP16 = float(np.finfo(np.float16).max)


def half_precision(model: onnx.ModelProto, precision: HalfPrecision) -> onnx.ModelProto:
    """A copy of `model`, which must hold its weights.

    Raises ValueError where the graph has no `last_hidden_state` or mixes the types of its body and its heads.
    """
    half = onnx.ModelProto()
    half.CopyFrom(model)
    graph = half.graph
    body = _before(graph, OUTPUT)
    if OUTPUT not in {value.name for value in graph.output}:
        raise ValueError(f"the graph has no output {OUTPUT}")
    halved = _halve_weights(graph, body, precision)
    for node in body:
        node.input[:] = [f"{name}.half" if name in halved else name for name in node.input]
        node.output[:] = [f"{name}.half" if name == OUTPUT else name for name in node.output]
        for attribute in node.attribute:
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i == TensorProto.FLOAT:
                attribute.i = _KINDS[precision]
    last = max(place for place, node in enumerate(graph.node) if f"{OUTPUT}.half" in node.output)
    widen = helper.make_node("Cast", [f"{OUTPUT}.half"], [OUTPUT], name="widen", to=TensorProto.FLOAT)
    graph.node.insert(last + 1, widen)
    try:
        onnx.shape_inference.infer_shapes(half, check_type=True, strict_mode=True)
    except onnx.shape_inference.InferenceError as error:
        raise ValueError(f"body and heads of the graph mix their types: {error}") from error
    return half


def _before(graph: onnx.GraphProto, output: str) -> list[onnx.NodeProto]:
    """The nodes that `output` is computed by, in the graph's order."""
    wanted, found = {output}, []
    for node in reversed(graph.node):
        if wanted.intersection(node.output):
            wanted.update(node.input)
            found.append(node)
    return found[::-1]


def _halve_weights(graph: onnx.GraphProto, body: list[onnx.NodeProto], precision: HalfPrecision) -> set[str]:
    """Gives the body its own copies, named with `.half`; returns whose. What only the body used is dropped."""
    of_body = {name for node in body for name in node.input}
    elsewhere = {name for node in graph.node if node not in body for name in node.input}
    kept: list[onnx.TensorProto] = []
    halved: set[str] = set()
    for tensor in graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or tensor.name not in of_body:
            kept.append(tensor)
            continue
        halved.add(tensor.name)
        kept.append(_halved(tensor, precision))
        if tensor.name in elsewhere:
            kept.append(tensor)
    del graph.initializer[:]
    graph.initializer.extend(kept)
    return halved


def _halved(tensor: onnx.TensorProto, precision: HalfPrecision) -> onnx.TensorProto:
    values = numpy_helper.to_array(tensor)
    if precision == "fp16":  # the mask adds float32's least number, which fp16 has not
        narrow = np.clip(values, -_LARGEST_FP16, _LARGEST_FP16).astype(np.float16)
    else:
        narrow = values.astype(ml_dtypes.bfloat16)
    return helper.make_tensor(f"{tensor.name}.half", _KINDS[precision], tensor.dims, narrow.tobytes(), raw=True)
