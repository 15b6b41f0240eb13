"""The same story of somebody else: who it is of changes, and nothing else."""

from __future__ import annotations

import pytest

from nlp_core.assessment import Language
from nlp_core.demographics import demographics_of
from training.measures.counterfactuals import ORIGINS, WORDS_TOO, aged, name_of, named, other_sex
from training.measures.own_cases import DEVELOPMENT, coded_chart, read_cases


@pytest.mark.parametrize(
    ("text", "turned"),
    [
        ("A 48-year-old woman; she saw her son.", "A 48-year-old man; he saw his daughter."),
        ("I saw her in clinic. Her husband came.", "I saw him in clinic. His wife came."),
        ("ED note. 74M. CC: cough. T 38.9 C, temp 101 F.", "ED note. 74F. CC: cough. T 38.9 C, temp 101 F."),
        ("Breast clinic. F 54. Lump.", "Breast clinic. M 54. Lump."),
        ("The human heart. Then and there.", "The human heart. Then and there."),
    ],
)
def test_every_english_word_of_a_sex_is_turned_round(text: str, turned: str) -> None:
    assert other_sex(text, "en") == turned


@pytest.mark.parametrize(
    ("text", "turned"),
    [
        ("患者男，45岁，他妻子陪同。", "患者女，45岁，她丈夫陪同。"),
        ("我女儿3岁，她爸爸也咳嗽。", "我儿子3岁，他妈妈也咳嗽。"),
        ("其他药物：阿托伐他汀。子女体健，兄弟姐妹3人。", "其他药物：阿托伐他汀。子女体健，兄弟姐妹3人。"),
    ],
)
def test_every_chinese_word_of_a_sex_is_turned_round(text: str, turned: str) -> None:
    assert other_sex(text, "zh") == turned


@pytest.mark.parametrize("language", ["en", "zh"])
def test_most_notes_turned_round_are_read_as_of_the_other_sex(language: Language) -> None:
    texts = [case.text(language) for case in read_cases(DEVELOPMENT)]
    stated = [text for text in texts if coded_chart(text).sex != "unknown"]
    turned = [demographics_of(other_sex(text, language)).sex for text in stated]
    same = sum(sex == coded_chart(text).sex for sex, text in zip(turned, stated, strict=True))
    assert same / len(stated) < 0.15  # what only one sex has is not turned, and may decide


def test_an_age_is_moved_where_it_stands_and_nowhere_else() -> None:
    assert aged("BP 48/20? A 48-year-old, 48 kg.", 48, 2) == "BP 48/20? A 50-year-old, 48 kg."


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        ("note", "Patient: Ms Priya Patel\nCough. Ms Patel coughs."),
        ("message", "Cough. Ms Patel coughs.\nMany thanks, Ms Priya Patel"),
    ],
)
def test_a_name_stands_where_charts_and_letters_have_it(style: str, expected: str) -> None:
    name = name_of(("Priya", "Raj", "Patel"), "female", "en")
    assert named("Cough. She coughs.", name, style, "en") == expected


def test_a_chinese_name_stands_behind_the_word_patient() -> None:
    name = name_of(("秀英", "建国", "王"), "male", "zh")
    assert named("患者男，45岁。", name, "note", "zh") == "姓名：王建国\n患者王建国男，45岁。"


def test_without_a_known_sex_a_name_has_no_title() -> None:
    assert name_of(("Priya", "Raj", "Patel"), "unknown", "en").full == "Priya Patel"


def test_there_are_names_of_many_origins_and_names_that_are_words() -> None:
    assert all(len(names) >= 12 for names in ORIGINS.values())
    assert all(len(names) >= 6 for names in WORDS_TOO.values())
