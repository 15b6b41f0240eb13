"""A vocabulary that training made longer is longer in every model that begins with it, and only there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoModelForMaskedLM

from nlp_core.adapters import ADAPTER, Adapter, AdapterWriter
from nlp_core.bundle_errors import BundleDamaged
from tests.training.tiny_encoders import VOCABULARY, WIDTH, save_encoder
from training.deidentify.identifier_encoder.weights import WORDS
from training.identifier_fit import beginning
from training.model.vocabulary_rows import lengthen
from training.tuning.encoders import apply


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return save_encoder("bert", tmp_path / "base")


def grown(rows: list[int], length: int) -> Adapter:
    """Each of the rows full of its own number."""
    writer = AdapterWriter()
    values = np.repeat(np.array(rows, np.float32)[:, None], WIDTH, axis=1)
    writer.add_rows(WORDS, np.array(rows), values, length)
    return writer.adapter()


def test_the_encoder_gets_the_rows_and_what_they_hold(base: Path) -> None:
    model = AutoModel.from_pretrained(base)
    before = model.get_input_embeddings().weight.detach().numpy().copy()
    apply(model, grown([3, VOCABULARY, VOCABULARY + 1], VOCABULARY + 2))
    words = model.get_input_embeddings().weight.detach().numpy()
    assert len(words) == VOCABULARY + 2
    np.testing.assert_array_equal(words[:3], before[:3])
    np.testing.assert_allclose(words[[3, -2, -1], 0], [3, VOCABULARY, VOCABULARY + 1], rtol=1e-3)


def test_a_head_that_guesses_words_guesses_among_the_further_ones_too(base: Path) -> None:
    model = AutoModelForMaskedLM.from_pretrained(base)
    adapter = grown([VOCABULARY, VOCABULARY + 1], VOCABULARY + 2)
    apply(model.base_model, adapter, whole=model)
    asked = torch.tensor([[1, VOCABULARY + 1, 2]])
    assert model(asked, labels=asked).logits.shape == (1, 3, VOCABULARY + 2)


def test_an_adapter_of_a_shorter_vocabulary_is_refused(base: Path) -> None:
    model = AutoModel.from_pretrained(base)
    with pytest.raises(BundleDamaged, match="does not fit"):
        lengthen(model, grown([1], VOCABULARY - 1))


def test_the_identifier_encoder_begins_without_the_further_rows(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    length, width = beginning.base_tensors([WORDS])[WORDS].shape
    writer = AdapterWriter()
    writer.add_rows(WORDS, np.array([2, length]), np.ones((2, width), np.float32), length + 1)
    writer.save(tmp_path / ADAPTER)
    monkeypatch.setattr(beginning, "SHIPPED_BUNDLE", tmp_path)
    words = beginning.at_the_reading_model().base()[WORDS]
    assert words.shape == (length, width)
    np.testing.assert_allclose(words[2], 1, rtol=1e-3)
