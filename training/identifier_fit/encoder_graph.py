"""The fitted encoder as a graph for ONNX Runtime, without its weights: they are composed from the base's file when it is read.

Input : number of layers     Output: an ONNX model whose initializers are external, named as the base's tensors
Knows ONNX. Linear layers are written as the base keeps them ([out, in]), so that a tensor goes in as it is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from training.identifier_fit.encoder_net import CLASSES, HEADS, MARKS_WIDTH, WIDTH

OPSET = 20
_INNER = 4 * WIDTH


class _Graph:
    """Nodes as they are added."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.constants = [
            numpy_helper.from_array(np.array([1, -1, HEADS, WIDTH // HEADS], np.int64), "split"),
            numpy_helper.from_array(np.array([1, -1, WIDTH], np.int64), "whole"),
            numpy_helper.from_array(np.array((WIDTH // HEADS) ** -0.5, np.float32), "scale"),
        ]

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def weight(self, name: str, *shape: int) -> str:
        tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=shape, data_location=TensorProto.EXTERNAL)
        tensor.external_data.add(key="location", value="given")
        self.weights.append(tensor)
        return name

    def linear(self, values: str, name: str, out: int, inner: int) -> str:
        """values [rows, length, inner]; the weight is turned once, when the session is made."""
        turned = self.node("Transpose", self.weight(f"{name}.weight", out, inner), perm=[1, 0])
        return self.node("Add", self.node("MatMul", values, turned), self.weight(f"{name}.bias", out))

    def norm(self, values: str, name: str) -> str:
        scale, bias = (self.weight(f"{name}.LayerNorm.{part}", WIDTH) for part in ("weight", "bias"))
        return self.node("LayerNormalization", values, scale, bias, axis=-1, epsilon=1e-12)

    def layer(self, values: str, name: str) -> str:
        parts = []
        for part, turned in (("query", [0, 2, 1, 3]), ("key", [0, 2, 3, 1]), ("value", [0, 2, 1, 3])):
            own = self.linear(values, f"{name}.attention.self.{part}", WIDTH, WIDTH)
            parts.append(self.node("Transpose", self.node("Reshape", own, "split"), perm=turned))
        query, key, value = parts
        seen = self.node("Softmax", self.node("Mul", self.node("MatMul", query, key), "scale"), axis=-1)
        seen = self.node("Transpose", self.node("MatMul", seen, value), perm=[0, 2, 1, 3])
        seen = self.linear(self.node("Reshape", seen, "whole"), f"{name}.attention.output.dense", WIDTH, WIDTH)
        values = self.norm(self.node("Add", values, seen), f"{name}.attention.output")
        more = self.node("Gelu", self.linear(values, f"{name}.intermediate.dense", _INNER, WIDTH))
        more = self.linear(more, f"{name}.output.dense", WIDTH, _INNER)
        return self.norm(self.node("Add", values, more), f"{name}.output")


def graph(layers: int) -> onnx.ModelProto:
    """words float [1, length, width]: each piece's vector with its place's; said float [1, length, marks' width].

    Gives chances float [1, length, classes].
    """
    made = _Graph()
    values = made.node("Add", "words", made.node("MatMul", "said", made.weight("from_marks", MARKS_WIDTH, WIDTH)))
    values = made.norm(values, "embeddings")
    for at in range(layers):
        values = made.layer(values, f"encoder.layer.{at}")
    scores = made.node("MatMul", values, made.weight("last", WIDTH, CLASSES))
    beside = made.node("MatMul", "said", made.weight("beside", MARKS_WIDTH, CLASSES))
    scores = made.node("Add", made.node("Add", scores, beside), made.weight("last.bias", CLASSES))
    made.nodes.append(helper.make_node("Softmax", [scores], ["chances"], axis=-1))
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, "length", wide])
        for name, wide in (("words", WIDTH), ("said", MARKS_WIDTH))
    ]
    outputs = [helper.make_tensor_value_info("chances", TensorProto.FLOAT, [1, "length", CLASSES])]
    whole = helper.make_graph(made.nodes, "identifiers", inputs, outputs, [*made.constants, *made.weights])
    model = helper.make_model(whole, opset_imports=[helper.make_opsetid("", OPSET)])
    model.ir_version = 9
    return model
