"""Building an engine with the library that builds on the GPU it runs on (`tensorrt`), by stand-ins: neither is at hand in tests.

The library that builds without a GPU is run for real in tests/parity/test_half_graph.py.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("torch", reason="the graph's tools come with torch (make setup-test)")
import numpy as np
from onnx import TensorProto, helper, numpy_helper

from nlp_core.cuda_driver import Cuda
from nlp_core.model_bundle import Bundle, composed_bundle_path
from nlp_core.model_faults import EncoderError
from nlp_core.tensorrt_library import HALF_GRAPH_VERSION, profiles
from tests.nlp_core.device_stand_in import StandInDriver, stand_in_library
from training import export_tensorrt
from training.model.half_graph import half_precision


@dataclass
class StandInBuilder:
    """Builds b"built" of whatever graph it is given, or nothing; keeps what it was told."""

    refuses: bool = False
    flags: int = -1
    bands: list[dict[str, tuple[tuple[int, int], ...]]] = field(default_factory=list)
    config: Any = None
    parsed: bytes = b""

    def create_network(self, flags: int) -> Any:
        self.flags = flags
        inputs = [SimpleNamespace(name=name) for name in ("input_ids", "attention_mask")]
        return SimpleNamespace(num_inputs=len(inputs), get_input=inputs.__getitem__)

    def create_builder_config(self) -> Any:
        self.config = SimpleNamespace(add_optimization_profile=lambda band: self.bands.append(band.shapes))
        return self.config

    def create_optimization_profile(self) -> Any:
        shapes: dict[str, tuple[tuple[int, int], ...]] = {}
        return SimpleNamespace(shapes=shapes, set_shape=lambda name, *given: shapes.update({name: given}))

    def build_serialized_network(self, _network: Any, config: Any) -> bytes | None:
        assert config is self.config
        return None if self.refuses else b"built"


def library_of(builder: StandInBuilder) -> ModuleType:
    """Like `tensorrt` 11: strongly typed networks alone, and no ComputeCapability."""

    def parse(graph: bytes) -> bool:
        builder.parsed = graph
        return True

    module: Any = stand_in_library(None)
    module.Builder = lambda _log: builder
    module.OnnxParser = lambda _network, _log: SimpleNamespace(parse=parse)
    module.NetworkDefinitionCreationFlag = SimpleNamespace()
    module.IProgressMonitor = type("IProgressMonitor", (), {})
    return module  # type: ignore[no-any-return]


@pytest.fixture
def builder(monkeypatch: pytest.MonkeyPatch) -> StandInBuilder:
    made = StandInBuilder()
    monkeypatch.setattr(export_tensorrt, "library", lambda: library_of(made))
    monkeypatch.setattr(export_tensorrt, "Cuda", lambda: Cuda(StandInDriver()))
    return made


def test_it_is_built_for_the_gpu_that_is_here(builder: StandInBuilder, tmp_path: Path) -> None:
    bundle = Bundle.open(composed_bundle_path())
    place = export_tensorrt.build_engine(bundle, folder=tmp_path)
    assert place.read_bytes() == b"built"
    assert place.name.startswith("tensorrt-11.0-stand-in-8.9-fp16-")
    assert builder.flags == 0
    assert not [name for name in vars(builder.config) if "capabilit" in name]  # of portable engines alone
    assert builder.bands == [
        dict.fromkeys(
            ("input_ids", "attention_mask"),
            ((1, band.shortest), (max(1, band.rows // 4), band.longest), (band.rows, band.longest)),
        )
        for band in profiles(bundle.manifest.longest)
    ]
    assert b"last_hidden_state.half" in builder.parsed  # the 16-bit copy


def test_a_library_that_builds_nothing_says_so_and_leaves_no_file(builder: StandInBuilder, tmp_path: Path) -> None:
    builder.refuses = True
    with pytest.raises(EncoderError, match="TensorRT cannot build the engine"):
        export_tensorrt.build_engine(Bundle.open(composed_bundle_path()), folder=tmp_path)
    assert not list(tmp_path.iterdir())


def small_graph() -> Any:
    """A body with all that is halved (weights, a cast), and a head behind it."""
    weights = {"table": np.ones((7, 4)) / 3, "square": np.eye(4) / 3, "scale": np.ones(4), "head.weight": np.eye(4)}
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["rows"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
        helper.make_node("Mul", ["rows", "column"], ["kept"]),
        helper.make_node("MatMul", ["kept", "square"], ["turned"]),
        helper.make_node("LayerNormalization", ["turned", "scale"], ["last_hidden_state"]),
        helper.make_node("MatMul", ["last_hidden_state", "head.weight"], ["finding"]),
    ]
    sides = ["rows", "length"]
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, sides) for name in ("input_ids", "attention_mask")]
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [*sides, 4]) for name in ("last_hidden_state", "finding")
    ]
    held = [numpy_helper.from_array(values.astype(np.float32), name) for name, values in weights.items()]
    held.append(numpy_helper.from_array(np.array([2]), "last"))
    graph = helper.make_graph(nodes, "small", inputs, outputs, held)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])


def test_a_half_graph_that_comes_out_otherwise_has_another_version() -> None:
    """Fails with every change of what half_precision makes: raise HALF_GRAPH_VERSION, then write the new digest here."""
    told = ""
    for precision in ("fp16", "bf16"):
        graph = half_precision(small_graph(), precision).graph
        told += "".join(
            f"{n.op_type} {list(n.input)} {list(n.output)} {[a.i for a in n.attribute]}\n" for n in graph.node
        )
        told += "".join(f"{t.name} {t.data_type} {list(t.dims)} {t.raw_data.hex()}\n" for t in graph.initializer)
    assert (HALF_GRAPH_VERSION, hashlib.sha256(told.encode()).hexdigest()[:16]) == (1, "28543c3973173f79")
