"""Weights are known by content, constants stay, strangers are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import GraphProto, TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

from training.model.initializer_table import match_initializers, placed, point_outside

RANDOM = np.random.default_rng(0)
WORDS = RANDOM.normal(size=(30, 20)).astype(np.float32)
SQUARE = RANDOM.normal(size=(20, 20)).astype(np.float32)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    save_file({"words": WORDS, "square": SQUARE}, tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


def graph_of(**arrays: np.ndarray) -> GraphProto:  # type: ignore[type-arg]  # any dtype
    graph = GraphProto(initializer=[numpy_helper.from_array(array, name) for name, array in arrays.items()])
    graph.node.append(helper.make_node("Sum", list(arrays), ["out"]))
    return graph


def test_tensors_are_found_as_they_are_and_transposed(base: Path) -> None:
    graph = graph_of(val_1=WORDS, val_2=np.ascontiguousarray(SQUARE.T))
    rows = match_initializers(graph, base)
    assert [(row.source, row.transforms) for row in rows] == [("words", ()), ("square", ("transpose",))]
    assert list(graph.node[0].input) == ["words", "square.transpose"]


def test_one_tensor_used_twice_has_two_names(base: Path) -> None:
    graph = graph_of(a=WORDS, b=WORDS)
    match_initializers(graph, base)
    assert list(graph.node[0].input) == ["words", "words#2"]


def test_numbers_that_are_no_weights_stay_in_the_graph(base: Path) -> None:
    graph = graph_of(scale=np.array(0.125, np.float32), shape=np.array([0, 0, 4, 5], np.int64))
    assert match_initializers(graph, base) == ()
    assert [tensor.name for tensor in graph.initializer] == ["scale", "shape"]


def test_a_weight_the_base_does_not_have_is_refused(base: Path) -> None:
    with pytest.raises(ValueError, match=r"stranger \(30, 20\) is no tensor of model\.safetensors"):
        match_initializers(graph_of(stranger=WORDS + 1), base)


def test_weights_lie_on_pages_in_order_and_the_graph_points_there(base: Path) -> None:
    graph = graph_of(a=WORDS, b=SQUARE)
    table = placed(match_initializers(graph, base))
    assert [row.offset for row in table] == [0, 4096]
    point_outside(graph, table)
    for tensor, row in zip(graph.initializer, table, strict=True):
        assert tensor.data_location == TensorProto.EXTERNAL
        assert {entry.key: entry.value for entry in tensor.external_data} == {
            "location": "encoder.weights",
            "offset": str(row.offset),
            "length": str(row.size),
        }
        assert not tensor.raw_data
