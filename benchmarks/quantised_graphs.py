"""The encoder's graph with its weights in 8 bits, four ways; each is written to a file.

Knows ONNX and the operators of ONNX Runtime and OpenVINO. Does not know how they are run (encoder_variants).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from nlp_core.bundle_manifest import TABLE, Initializer, read_table
from nlp_core.compose_weights import column_scales, quantise
from nlp_core.model_bundle import Bundle
from training.model.quantise_rows import quantise_products

_MICROSOFT = "com.microsoft"
_LEAST = 64
"""Columns of a product below which it is a head, and left in fp32."""


def int8_channels(graph: Path, target: Path) -> Path:
    """ONNX Runtime's own dynamic quantisation: weights by column, activations by batch."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    if not target.exists():
        quantize_dynamic(
            graph,
            target,
            per_channel=True,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["MatMul"],
            extra_options={"MatMulConstBOnly": True},
        )
    return target


def int8_rows(bundle: Bundle, target: Path, *, feed_forward_alone: bool = False) -> Path:
    """What `export-model --precision int8-rows` composes: weights by column, activations by token.

    feed_forward_alone: attention and heads stay fp32.
    """
    if not target.exists():
        model = onnx.load(str(bundle.graph))
        whole = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
        rows = read_table(bundle.path / TABLE)
        for row in quantise_products(model, filter(_feeds_forward, rows) if feed_forward_alone else rows):
            name, _, kind = row.name.rpartition(".")
            if kind in ("int8", "scales"):
                made = quantise(whole[name]) if kind == "int8" else column_scales(whole[name])
                model.graph.initializer.append(numpy_helper.from_array(made, row.name))
        onnx.save(model, str(target))
    return target


def int8_blocks(graph: Path, target: Path, block: int = 32) -> Path:
    """Weights and activations by `block` numbers of a row (ONNX Runtime's MatMulNBits): nearest to fp32."""
    if not target.exists():
        model = onnx.load(str(graph))
        for node, weights in list(_products(model)):
            inner, columns = weights.shape
            parts = weights.T.reshape(columns, inner // block, block)
            scales = np.maximum(np.abs(parts).max(-1) / 127, 1e-12).astype(np.float32)
            name = node.input[1]
            model.graph.initializer.extend(
                (
                    numpy_helper.from_array(
                        (np.rint(parts / scales[..., None]) + 128).astype(np.uint8), f"{name}.blocks"
                    ),
                    numpy_helper.from_array(scales, f"{name}.scales"),
                )
            )
            options = {"K": inner, "N": columns, "bits": 8, "block_size": block, "accuracy_level": 4}
            inputs = [node.input[0], f"{name}.blocks", f"{name}.scales"]
            node.CopyFrom(
                helper.make_node("MatMulNBits", inputs, list(node.output), node.name, domain=_MICROSOFT, **options)
            )
        model.opset_import.append(helper.make_opsetid(_MICROSOFT, 1))
        _save(model, target)
    return target


def int8_weights(graph: Path, target: Path) -> Path:
    """Weights alone, by column; what runs the graph may round activations as it goes (OpenVINO does)."""
    if not target.exists():
        model = onnx.load(str(graph))
        whole = []
        for node, weights in list(_products(model)):
            name = node.input[1]
            made: dict[str, NDArray[Any]] = {"int8": quantise(weights), "scales": column_scales(weights)}
            model.graph.initializer.extend(
                numpy_helper.from_array(array, f"{name}.{kind}") for kind, array in made.items()
            )
            whole.append(
                helper.make_node("DequantizeLinear", [f"{name}.int8", f"{name}.scales"], [f"{name}.whole"], axis=1)
            )
            node.input[1] = f"{name}.whole"
        nodes = [*whole, *model.graph.node]
        del model.graph.node[:]
        model.graph.node.extend(nodes)
        _save(model, target)
    return target


def _feeds_forward(row: Initializer) -> bool:
    return ".intermediate." in row.source or (".output." in row.source and ".attention." not in row.source)


def _products(model: onnx.ModelProto) -> Iterator[tuple[onnx.NodeProto, np.ndarray]]:
    """Products with constant weights [in, out] but the smallest."""
    whole = {tensor.name: tensor for tensor in model.graph.initializer if len(tensor.dims) == 2}
    for node in model.graph.node:
        if node.op_type == "MatMul" and node.input[1] in whole and whole[node.input[1]].dims[1] >= _LEAST:
            yield node, numpy_helper.to_array(whole[node.input[1]])


def _save(model: onnx.ModelProto, target: Path) -> None:
    """Without the weights that nothing uses any more."""
    used = {name for node in model.graph.node for name in node.input}
    kept = [tensor for tensor in model.graph.initializer if tensor.name in used]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    onnx.save(model, str(target))
