"""What "non-" is joined to is denied, and nothing else of its sentence."""

from __future__ import annotations

from functools import cache

import pytest

from nlp_core.mentions import MentionReader
from tests.nlp_core.small_knowledge import diagnosis, finding, knowledge_of


@cache
def reader() -> MentionReader:
    return MentionReader(
        knowledge_of(
            [
                finding("smoking", "smoker", "吸烟"),
                finding("cough", "cough", "咳嗽"),
                finding("dry_cough", "nonproductive cough", "干咳"),
                finding("chest_pain", "chest pain", "胸痛"),
                finding("exertional_chest_pain", "exertional chest pain", "劳力性胸痛"),
                finding("abdominal_tenderness", "tender abdomen", "腹部压痛"),
                finding("leg_edema", "pitting edema", "凹陷性水肿"),
                finding("nonpitting_edema", "nonpitting edema", "非凹陷性水肿"),
                finding("fever", "fever", "发热"),
            ],
            [diagnosis("atrial_fibrillation", "atrial fibrillation", "心房颤动", "I48.91", {"cough": 0.1})],
        )
    )


def said(text: str) -> set[str]:
    """Entries, a minus before those that are denied."""
    mentions, _ = reader().read(text, sex="unknown", age_years=50)
    assert all(mention.assertion in ("present", "absent") for mention in mentions)
    return {("-" if mention.assertion == "absent" else "") + mention.entry for mention in mentions}


@pytest.mark.parametrize("non", ["non-", "Non-", "non ", "non\u2011", "non–"])
def test_a_compound_denies_its_own_word_alone(non: str) -> None:
    assert said(f"{non}valvular atrial fibrillation and chest pain.") == {"atrial_fibrillation", "chest_pain"}
    assert said(f"{non}smoker with cough.") == {"-smoking", "cough"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A non-smoker, non-drinker, with fever.", {"-smoking", "fever"}),
        ("Abdomen soft; non-tender abdomen, fever.", {"-abdominal_tenderness", "fever"}),
        ("Non-exertional chest pain.", {"-exertional_chest_pain", "chest_pain"}),
        ("Non-radiating chest pain.", {"chest_pain"}),
        ("No non-radiating chest pain.", {"-chest_pain"}),
        ("Non-productive cough.", {"dry_cough"}),
        ("No non-productive cough.", {"-dry_cough"}),
        ("Nonproductive cough.", {"dry_cough"}),
        ("Non-pitting edema.", {"nonpitting_edema"}),
        ("Pitting edema.", {"leg_edema"}),
        ("Fever, non-", {"fever"}),
        ("腹部无明显压痛。", set()),
        ("无腹部压痛，咳嗽。", {"-abdominal_tenderness", "cough"}),
    ],
)
def test_what_compounds_mean(text: str, expected: set[str]) -> None:
    assert said(text) == expected


def test_the_words_of_a_compound_are_quoted_whole() -> None:
    text = "Today non-pitting edema of both legs."
    (mention,), _ = reader().read(text, sex="unknown", age_years=50)
    assert text[mention.span.start : mention.span.end] == "non-pitting edema"
