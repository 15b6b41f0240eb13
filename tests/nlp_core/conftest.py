"""The shipped bundle, composed once for all tests that read with it; and a tiny one to break."""

from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer

from nlp_core.compose_bundle import compose
from nlp_core.model_bundle import Bundle
from nlp_core.onnx_encoder import OnnxEncoder
from tests.nlp_core.tiny_bundle import tiny_base, tiny_shipped


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return Bundle.open(compose(tmp_path_factory.mktemp("composed") / "bundle"))


@pytest.fixture(scope="session")
def tokenizer(bundle: Bundle) -> Tokenizer:
    return bundle.tokenizer()


@pytest.fixture(scope="session")
def encoder(bundle: Bundle) -> OnnxEncoder:
    return OnnxEncoder.open(bundle)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return tiny_base(tmp_path / "base")


@pytest.fixture
def shipped(tmp_path: Path, base: Path) -> Path:
    return tiny_shipped(tmp_path / "shipped", base)


@pytest.fixture
def composed(tmp_path: Path, base: Path, shipped: Path) -> Path:
    return compose(tmp_path / "share" / "composed", shipped=shipped, base=base)
