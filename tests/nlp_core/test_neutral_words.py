"""To the encoder it is the same whoever has the symptom."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp_core.neutral_words import neutral, neutral_with_offsets
from nlp_core.onnx_encoder import OnnxEncoder


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("he wakes gasping at night", "she wakes gasping at night"),
        ("his feet swell", "her feet swell"),
        ("the woman felt faint", "the man felt faint"),
        ("it wakes him and his brother", "it wakes her and her sister"),
        ("my dad coughs blood", "my mum coughs blood"),
        ("他晚上憋醒", "她晚上憋醒"),
        ("他父亲咯血", "她母亲咯血"),
        ("44岁男厨师，咳黄痰", "44岁女厨师，咳黄痰"),
        ("我男，34岁，咳嗽", "我女，34岁，咳嗽"),
        ("患者女，34岁，咳嗽3天", "患者男，34岁，咳嗽3天"),
        ("这位女士头晕", "这位先生头晕"),
    ],
)
def test_clauses_of_him_and_her_are_one_to_the_encoder(one: str, other: str, encoder: OnnxEncoder) -> None:
    vectors = encoder.embed([neutral(one), neutral(other)])
    assert float(vectors[0] @ vectors[1]) > 0.999


@pytest.mark.parametrize(
    "text",
    [
        "the chest hurts",
        "human heart",
        "brotherhood",
        "maternal fever",
        "胸口疼",
        "manual work",
        "男女同病",
        "妇女保健",
    ],
)
def test_other_words_stay(text: str) -> None:
    assert neutral(text) == text


@given(st.lists(st.sampled_from(["he", "she", "her", " ", "pain", "她", "Woman,", "\n", "他的"]), max_size=12))
def test_the_way_back_leads_to_the_same_words(words: list[str]) -> None:
    text = " ".join(words)
    seen = neutral_with_offsets(text)
    assert seen.text == neutral(text)
    assert len(seen.starts) == len(seen.ends) == len(seen.text)
    for at, character in enumerate(seen.text):
        original = text[seen.starts[at] : seen.ends[at]]
        assert original == character or neutral(original).find(character) >= 0
