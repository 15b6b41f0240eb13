"""Every place in an ONNX file that may point to a weight file is found."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import GraphProto, ModelProto, SparseTensorProto, TensorProto, helper

from nlp_core.bundle_manifest import WEIGHTS
from nlp_core.external_data import NotOnnx, external_files
from nlp_core.model_bundle import SHIPPED_BUNDLE


def outside(location: str) -> TensorProto:
    tensor = TensorProto(name="t", dims=[1], data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="offset", value="0")
    tensor.external_data.add(key="location", value=location)
    return tensor


def model_with(graph: GraphProto) -> bytes:
    return bytes(ModelProto(ir_version=10, graph=graph).SerializeToString())


def test_the_shipped_graph_points_to_its_weights_alone() -> None:
    assert external_files((SHIPPED_BUNDLE / "encoder.graph.onnx").read_bytes()) == {WEIGHTS}


@pytest.mark.parametrize("location", [WEIGHTS, "../outside", "/etc/passwd", "a/b"])
def test_initializers(location: str) -> None:
    assert external_files(model_with(GraphProto(initializer=[outside(location)]))) == {location}


def test_constants_in_nodes_and_their_subgraphs() -> None:
    inner = GraphProto(name="inner", initializer=[outside("in a subgraph")])
    nodes = [
        helper.make_node("Constant", [], ["a"], value=outside("in a constant")),
        helper.make_node("If", ["a"], ["b"], then_branch=inner, else_branch=GraphProto(name="empty")),
    ]
    assert external_files(model_with(GraphProto(node=nodes))) == {"in a constant", "in a subgraph"}


def test_sparse_weights_and_functions() -> None:
    sparse = SparseTensorProto(values=outside("values"), indices=outside("indices"))
    model = ModelProto(graph=GraphProto(sparse_initializer=[sparse]))
    node = helper.make_node("Constant", [], ["a"], value=outside("in a function"))
    model.functions.append(helper.make_function("d", "f", [], ["a"], [node], [helper.make_opsetid("", 18)]))
    assert external_files(model.SerializeToString()) == {"values", "indices", "in a function"}


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with suppress(NotOnnx):
        external_files(content)
