"""A folder that is not what its manifest says is never opened."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nlp_core.bundle_errors import BundleDamaged
from nlp_core.bundle_manifest import GRAPH, MANIFEST, WEIGHTS, read_manifest, stored_file, write_manifest
from nlp_core.model_bundle import Bundle
from tests.nlp_core.tiny_bundle import graph_with_weights_at


def seal(folder: Path) -> None:
    """Names every file of the folder as it lies, as an attacker who knows the manifest would."""
    files = {path.name: stored_file(path) for path in folder.iterdir() if path.name != MANIFEST and path.is_file()}
    write_manifest(folder, read_manifest(folder).model_copy(update={"files": files}))


def pickled_archive(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data.pkl", pickle.dumps([1]))


def pickled_array(path: Path) -> None:
    np.savez(path, entries=np.array([{"a": 1}], dtype=object))


@pytest.mark.parametrize("name", [GRAPH, WEIGHTS, "tokenizer.json"])
@pytest.mark.parametrize("same_size", [True, False])
def test_a_changed_file_is_refused(composed: Path, name: str, same_size: bool) -> None:
    content = bytearray((composed / name).read_bytes())
    content[len(content) // 2] ^= 1
    (composed / name).write_bytes(bytes(content) if same_size else bytes(content) + b" ")
    with pytest.raises(BundleDamaged, match="differs from its checksum"):
        Bundle.open(composed)


def test_a_missing_file_is_refused(composed: Path) -> None:
    (composed / WEIGHTS).unlink()
    with pytest.raises(BundleDamaged, match="is missing"):
        Bundle.open(composed)


def test_a_file_nobody_named_is_refused(composed: Path) -> None:
    (composed / "more.json").write_text("{}")
    with pytest.raises(BundleDamaged, match="not named by the manifest"):
        Bundle.open(composed)


def test_a_link_is_refused(composed: Path, tmp_path: Path) -> None:
    (composed / WEIGHTS).rename(tmp_path / "elsewhere")
    os.symlink(tmp_path / "elsewhere", composed / WEIGHTS)
    with pytest.raises(BundleDamaged, match="no plain file"):
        Bundle.open(composed)


@pytest.mark.parametrize("location", ["/etc/hostname", "../outside.weights", "other.weights"])
def test_a_graph_that_points_elsewhere_is_refused(composed: Path, location: str) -> None:
    (composed / GRAPH).write_bytes(graph_with_weights_at(location))
    seal(composed)
    with pytest.raises(BundleDamaged, match="points to weights that are no file of the bundle"):
        Bundle.open(composed)


def test_a_graph_that_is_none_is_refused(composed: Path) -> None:
    (composed / GRAPH).write_bytes(b"\x0b\x0b\x0b")
    seal(composed)
    with pytest.raises(BundleDamaged, match="not an ONNX file"):
        Bundle.open(composed)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("model.pkl", lambda path: path.write_bytes(pickle.dumps([1]))),
        ("model.json", lambda path: path.write_bytes(pickle.dumps([1]))),
        ("names.npz", pickled_array),
        ("names.npz", pickled_archive),
        ("names.npz", lambda path: path.write_bytes(pickle.dumps([1]))),
        ("run.py", lambda path: path.write_text("print()")),
    ],
)
def test_pickles_and_programs_are_refused_under_any_name(
    composed: Path, name: str, write: Callable[[Path], object]
) -> None:
    write(composed / name)
    seal(composed)
    with pytest.raises(BundleDamaged):
        Bundle.open(composed)


def test_arrays_of_numbers_and_words_are_welcome(composed: Path) -> None:
    content = io.BytesIO()
    np.savez(content, entries=np.array(["fever"]), vectors=np.ones((1, 4), np.float16))
    (composed / "names.npz").write_bytes(content.getvalue())
    seal(composed)
    assert Bundle.open(composed).file("names.npz").exists()
