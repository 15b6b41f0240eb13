"""Weights are what the table says, byte for byte."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from nlp_core.bundle_errors import BaseMismatch, ComposeError
from nlp_core.bundle_manifest import Initializer
from nlp_core.compose_weights import column_scales, quantise, transformed, write_weights
from tests.nlp_core.tiny_bundle import TABLE_ROWS

FLOATS = st.floats(-100, 100, width=32)


def test_each_tensor_lies_at_its_offset(base: Path, tmp_path: Path) -> None:
    write_weights(base / "model.safetensors", TABLE_ROWS, tmp_path / "weights")
    content = (tmp_path / "weights").read_bytes()
    tensors = load_file(base / "model.safetensors")
    assert content[:128] == tensors["words.weight"].tobytes()
    assert content[4096:] == np.ascontiguousarray(tensors["up.weight"].T).tobytes()


def test_progress_counts_the_bytes_so_far(base: Path, tmp_path: Path) -> None:
    told: list[int] = []
    write_weights(base / "model.safetensors", TABLE_ROWS, tmp_path / "weights", told.append)
    assert told == [128, 4096 + 64]


@given(arrays.arrays(np.float32, arrays.array_shapes(min_dims=2, max_dims=2, max_side=8), elements=FLOATS))
def test_quantised_weights_are_within_half_a_step(weights: NDArray[np.float32]) -> None:
    scales = column_scales(weights)
    error = np.abs(quantise(weights).astype(np.float64) * scales - weights)
    assert (error <= scales * 0.5001 + np.finfo(np.float32).tiny).all()
    assert np.abs(quantise(weights).astype(int)).max() <= 127


def test_a_column_of_zeros_stays_zero() -> None:
    weights = np.array([[0, 1], [0, -2]], np.float32)
    assert column_scales(weights)[0] == 1
    assert quantise(weights).tolist() == [[0, 64], [0, -127]]


def test_half_precision_tensors_are_widened() -> None:
    row = Initializer(name="w", source="w", dtype="float32", shape=(2,), offset=0)
    assert transformed(np.array([0.5, 2], np.float16), row).tolist() == [0.5, 2]


def test_another_shape_is_refused_with_both() -> None:
    with pytest.raises(ComposeError, match=r"up wants \(4, 4\), but up\.weight gives \(2, 4\)"):
        transformed(np.zeros((4, 2), np.float32), TABLE_ROWS[1])


def test_a_missing_tensor_is_a_mismatch(tmp_path: Path) -> None:
    save_file({"other": np.zeros(1, np.float32)}, tmp_path / "base")
    with pytest.raises(BaseMismatch, match="cannot be read as this bundle's base weights"):
        write_weights(tmp_path / "base", TABLE_ROWS, tmp_path / "weights")


def test_a_pickle_in_place_of_the_weights_is_refused(tmp_path: Path) -> None:
    (tmp_path / "base").write_bytes(b"\x80\x04N.")
    with pytest.raises(BaseMismatch):
        write_weights(tmp_path / "base", TABLE_ROWS, tmp_path / "weights")
