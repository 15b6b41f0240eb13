"""To the encoder it is the same whoever has the symptom."""

from __future__ import annotations

import pytest

from nlp_core.neutral_words import neutral
from nlp_core.onnx_encoder import OnnxEncoder


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("he wakes gasping at night", "she wakes gasping at night"),
        ("his feet swell", "her feet swell"),
        ("the woman felt faint", "the man felt faint"),
        ("他晚上憋醒", "她晚上憋醒"),
    ],
)
def test_clauses_of_him_and_her_are_one_to_the_encoder(one: str, other: str, encoder: OnnxEncoder) -> None:
    vectors = encoder.embed([neutral(one), neutral(other)])
    assert float(vectors[0] @ vectors[1]) > 0.999


@pytest.mark.parametrize("text", ["the chest hurts", "human heart", "mother had gout", "胸口疼", "manual work"])
def test_other_words_stay(text: str) -> None:
    assert neutral(text) == text
