"""Ways of running the encoder on a CPU, each as a function from a batch to its outputs, and each one's GEMM alone.

Knows ONNX Runtime, its fusions, kinds of numbers and (where it is installed, which set-up does not do) OpenVINO. The graphs in
8 bits are made by quantised_graphs.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from benchmarks.quantised_graphs import int8_blocks, int8_channels, int8_rows, int8_weights
from nlp_core.batches import Batch
from nlp_core.model_bundle import Bundle

Run = Callable[[dict[str, np.ndarray]], list[np.ndarray]]
GEMM = (512, 1536, 1536)
"""Rows, inner and columns of the product that a precision's peak is measured with."""
BY_ROWS = "ONNX Runtime int8 by rows"
HAS_OPENVINO = importlib.util.find_spec("openvino") is not None


@dataclass(frozen=True)
class Variant:
    name: str
    precision: str
    """Whose peak it is held against: fp32, int8 or bf16."""
    open: Callable[[int], Run]
    """threads -> run."""


def variants(bundle: Bundle, folder: Path) -> list[Variant]:
    """Graphs are written to `folder`. The first is the one that serves."""
    graph = bundle.graph
    found = [
        Variant("ONNX Runtime fp32 (serves)", "fp32", lambda threads: onnx_run(graph, threads)),
        Variant("ONNX Runtime fp32, fused", "fp32", _later(lambda: fused(graph, folder / "fused.onnx"))),
        Variant(
            "ONNX Runtime int8, per channel", "int8", _later(lambda: int8_channels(graph, folder / "channels.onnx"))
        ),
        Variant(BY_ROWS, "int8", _later(lambda: int8_rows(bundle, folder / "rows.onnx"))),
        Variant(
            "ONNX Runtime int8 by rows, feed-forward alone",
            "int8",
            _later(lambda: int8_rows(bundle, folder / "forward.onnx", feed_forward_alone=True)),
        ),
        Variant(
            "ONNX Runtime int8 by blocks of 32", "int8", _later(lambda: int8_blocks(graph, folder / "blocks.onnx"))
        ),
    ]
    if HAS_OPENVINO:
        found += [
            Variant("OpenVINO fp32", "fp32", lambda threads: openvino_run(graph, threads, "f32")),
            Variant("OpenVINO bf16", "bf16", lambda threads: openvino_run(graph, threads, "bf16")),
            Variant(
                "OpenVINO int8 weights, activations by 64",
                "int8",
                lambda threads: openvino_run(
                    int8_weights(graph, folder / "weights.onnx"), threads, "f32", DYNAMIC_QUANTIZATION_GROUP_SIZE="64"
                ),
            ),
        ]
    return found


def onnx_run(graph: Path, threads: int) -> Run:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads, options.log_severity_level = threads, 1, 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    return lambda inputs: session.run(None, inputs)


def openvino_run(graph: Path, threads: int, precision: str, **options: str) -> Run:
    import openvino

    core = openvino.Core()
    asked = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, **options}
    compiled = core.compile_model(core.read_model(str(graph)), "CPU", {**asked, "ENABLE_CPU_PINNING": False})
    request = compiled.create_infer_request()

    def run(inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        request.infer(inputs)
        return [np.array(request.get_output_tensor(place).data) for place in range(len(compiled.outputs))]

    return run


def _later(write: Callable[[], Path]) -> Callable[[int], Run]:
    return lambda threads: onnx_run(write(), threads)


def fused(graph: Path, target: Path) -> Path:
    """With every fusion for BERT that ONNX Runtime's own optimizer finds in our graph."""
    from onnxruntime.transformers.optimizer import optimize_model

    if not target.exists():
        optimize_model(str(graph), model_type="bert", num_heads=12, hidden_size=384, opt_level=0).save_model_to_file(
            str(target)
        )
    return target


def gemm(precision: str, folder: Path) -> Run:
    """The precision's largest product alone, on one thread."""
    rows, inner, columns = GEMM
    kinds = {"int8": (TensorProto.UINT8, np.int8, TensorProto.INT32, "MatMulInteger")}
    kind, weights, out, operator = kinds.get(precision, (TensorProto.FLOAT, np.float32, TensorProto.FLOAT, "MatMul"))
    numbers = np.random.default_rng(0).integers(-127, 128, (inner, columns)).astype(weights)
    graph = helper.make_graph(
        [helper.make_node(operator, ["a", "b"], ["c"])],
        "gemm",
        [helper.make_tensor_value_info("a", kind, [rows, inner])],
        [helper.make_tensor_value_info("c", out, [rows, columns])],
        [numpy_helper.from_array(numbers, "b")],
    )
    path = folder / f"gemm {precision}.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), str(path))
    run = openvino_run(path, 1, "bf16") if precision == "bf16" else onnx_run(path, 1)
    given = np.ones((rows, inner), np.uint8 if precision == "int8" else np.float32)
    return lambda _: run({"a": given})


def inputs_of(batch: Batch) -> dict[str, Any]:
    return {"input_ids": batch.ids, "attention_mask": batch.mask}
