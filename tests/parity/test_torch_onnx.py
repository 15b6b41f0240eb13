"""The shipped, composed graph gives what torch gives for the same base model and adapter, whatever the mask.

Tolerance: token vectors within 2e-5 (their numbers reach about 2), sentence vectors within 2e-6.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from nlp_core.adapters import ADAPTER, Adapter
from nlp_core.base_package import base_files
from nlp_core.batches import Batch
from nlp_core.compose_bundle import compose
from nlp_core.encoder import embed_texts
from nlp_core.model_bundle import Bundle
from nlp_core.onnx_encoder import OnnxEncoder
from nlp_core.windows import windows_over

torch = pytest.importorskip("torch", reason="parity with torch needs torch (make setup-test)")

from training.model.parity import padded, put_in  # noqa: E402

TOKENS, SENTENCES = 2e-5, 2e-6
NOTE = (
    "67-year-old man with 3 days of crushing chest pain on exertion, radiating to the jaw, relieved by rest. "
    "No fever, no cough. 否认发热。 BP 150/90, HR 96, troponin 0.8 ng/mL ↑. "
)

Run = Callable[[Batch], NDArray[np.float32]]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return Bundle.open(compose(tmp_path_factory.mktemp("composed") / "bundle"))


@pytest.fixture(scope="module")
def shipped(bundle: Bundle) -> Run:
    return OnnxEncoder.open(bundle).encode


def encoder_in_torch(bundle: Bundle, adapter: Adapter | None) -> Run:
    """The base model, with what training adds put into its own tensors."""
    from training.model.trace_graph import load_encoder

    model = load_encoder(base_files(bundle.manifest.base)["model.safetensors"].parent)
    if adapter is not None:
        put_in(adapter, model)

    def encode(batch: Batch) -> NDArray[np.float32]:
        with torch.no_grad():
            vectors = model(torch.from_numpy(batch.ids), torch.from_numpy(batch.mask))
        return np.asarray(vectors.numpy(), np.float32)

    return encode


@pytest.fixture(scope="module")
def reference(bundle: Bundle) -> Run:
    return encoder_in_torch(bundle, Adapter.open(bundle.file(ADAPTER)))


def differ(one: Run, other: Run, batch: Batch) -> float:
    """The largest difference at tokens that are not masked."""
    return float(np.abs(one(batch) - other(batch))[batch.mask.astype(bool)].max())


def notes(bundle: Bundle, *times: int) -> list[NDArray[np.int64]]:
    return [windows_over(NOTE * n, bundle.tokenizer(), length=512)[0].ids for n in times]


@pytest.mark.parametrize("times", [1, 2, 9, 30])
def test_unpadded(bundle: Bundle, shipped: Run, reference: Run, times: int) -> None:
    assert differ(shipped, reference, padded(notes(bundle, times), left=False)) < TOKENS


@pytest.mark.parametrize("left", [False, True])
def test_padded_on_either_side(bundle: Bundle, shipped: Run, reference: Run, left: bool) -> None:
    assert differ(shipped, reference, padded(notes(bundle, 1, 3, 7), left=left)) < TOKENS


def test_masks_with_holes(bundle: Bundle, shipped: Run, reference: Run) -> None:
    whole = padded(notes(bundle, 2, 2), left=False)
    mask = np.random.default_rng(1).integers(0, 2, whole.mask.shape)
    assert differ(shipped, reference, Batch(whole.ids, mask, whole.members)) < TOKENS


def test_the_longest_row(shipped: Run, reference: Run) -> None:
    ids = np.random.default_rng(2).integers(999, 30000, (1, 512))
    assert differ(shipped, reference, Batch(ids, np.ones_like(ids), (0,))) < TOKENS


def test_sentence_vectors(bundle: Bundle, shipped: Run, reference: Run) -> None:
    texts = ["exertional chest pain", "tight band round the chest on stairs", "胸痛", "fever", "SOB", "😀"]
    one, other = (
        embed_texts(texts, tokenizer=bundle.tokenizer(), encode=encode, width=384) for encode in (shipped, reference)
    )
    assert np.abs(one - other).max() < SENTENCES


def test_the_base_is_the_one_sentence_transformers_publishes(bundle: Bundle) -> None:
    """Likeness of a published pair (model card of all-MiniLM-L6-v2), so that pooling is the one meant."""
    folder: Path = base_files(bundle.manifest.base)["model.safetensors"].parent
    pooling = (folder / "1_Pooling" / "config.json").read_text()
    assert '"pooling_mode_mean_tokens": true' in pooling
    vectors = embed_texts(
        ["This is an example sentence", "Each sentence is converted"],
        tokenizer=bundle.tokenizer(),
        encode=encoder_in_torch(bundle, None),
        width=384,
    )
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(2), abs=1e-6)
    assert vectors[0, :3] == pytest.approx(np.array([0.0677, 0.0635, 0.0487]), abs=5e-4)
