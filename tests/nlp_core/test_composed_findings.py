"""Findings put together from a symptom and what is said of it: when, with which words, and when not."""

from __future__ import annotations

from functools import cache

import pytest

from nlp_core.knowledge import AttributeKind, Finding, Knowledge
from nlp_core.mentions import Mention, MentionReader
from nlp_core.note import Note
from tests.nlp_core.small_knowledge import diagnosis, finding, knowledge_of


def special(entry: str, parent: str, attributes: dict[AttributeKind, tuple[str, ...]]) -> Finding:
    """A finding that no note of these tests names: it can only be put together."""
    parents = (parent,) if parent else ()
    plain = finding(entry, f"{entry} by another name", f"{entry}别名", is_a=parents)
    return plain.model_copy(update={"attributes": attributes})


@cache
def knowledge() -> Knowledge:
    return knowledge_of(
        [
            finding("chest_pain", "chest pain", "胸痛"),
            finding("cough", "cough", "咳嗽"),
            finding("headache", "headache", "头痛"),
            finding("myalgia", "body aches", "全身酸痛"),
            special("bad_headache", "headache", {"quality": ("severe",)}),
            special("pleuritic_pain", "chest_pain", {"trigger": ("breathing", "coughing")}),
            special("exertional_pain", "chest_pain", {"trigger": ("exertion",)}),
            special("exertional_pain_eased_by_rest", "exertional_pain", {"relief": ("rest",)}),
            special("night_cough", "cough", {"timing": ("night",)}),
            special("thunderclap", "headache", {"onset": ("sudden",), "quality": ("severe",)}),
            special("chronic_cough", "cough", {"duration": ("months", "years")}),
            special("epigastric_pain", "", {"symptom": ("pain",), "site": ("epigastrium",)}),
            finding("rash", "rash", "皮疹"),
            special("rash_on_extremities", "rash", {"site": ("foot", "toes", "hand")}),
            special("rash_on_feet", "rash_on_extremities", {"site": ("foot", "toes")}),
            special("headache_of_one_side", "headache", {"side": ("one_side",)}),
            special("fasting_pain", "epigastric_pain", {"trigger": ("fasting",)}),
        ],
        [diagnosis("asthma", "asthma", "哮喘", "J45.909", {"cough": 0.8})],
    )


@cache
def reader() -> MentionReader:
    return MentionReader(knowledge())


def composed(text: str) -> list[Mention]:
    mentions, _ = reader().read(text, sex="unknown", age_years=50)
    return [mention for mention in mentions if mention.via == "attributes"]


def said(text: str) -> set[tuple[str, str]]:
    return {(mention.entry, str(mention.assertion)) for mention in composed(text)}


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("Chest pain that gets worse when breathing in.", "pleuritic_pain"),
        ("On inspiration he has chest pain.", "pleuritic_pain"),
        ("Chest pain since this morning. It is sharp. It is worse with a deep breath.", "pleuritic_pain"),
        ("胸痛2天，吸气时加重。", "pleuritic_pain"),
        ("Cough, worse at night.", "night_cough"),
        ("Headache. It came on suddenly and is the worst of her life.", "thunderclap"),
        ("Cough for 4 months.", "chronic_cough"),
        ("咳嗽3年。", "chronic_cough"),
        ("He has pain, mostly in the upper abdomen.", "epigastric_pain"),
        ("He has pain in the upper belly when hungry.", "fasting_pain"),
        ("Chest pain on exertion, relieved by rest.", "exertional_pain_eased_by_rest"),
        ("She has a rash, mostly round her toes.", "rash_on_feet"),
    ],
)
def test_a_symptom_and_what_is_said_of_it_make_a_finding(text: str, entry: str) -> None:
    assert (entry, "present") in said(text)


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("Chest pain, not worse when breathing in.", "pleuritic_pain"),
        ("Headache that came on suddenly, not severe.", "thunderclap"),
        ("Chest pain. Exertion does not make it worse.", "exertional_pain"),
        ("Chest pain unrelated to exertion.", "exertional_pain"),
        ("胸痛，活动后不加重。", "exertional_pain"),
    ],
)
def test_a_denied_attribute_denies_the_finding(text: str, entry: str) -> None:
    assert (entry, "absent") in said(text)


@pytest.mark.parametrize(
    "text",
    [
        "No chest pain on exertion.",
        "His mother has chest pain on exertion.",
        "Return if you have chest pain when breathing in.",
        "Headache that came on suddenly.",  # half of what a thunderclap needs
        "Cough for 2 weeks.",
        "He has a cough. He retired 10 years ago.",
        "Cough for 2 days and asthma for 10 years.",
        "Cough for 2 days, headache for 4 years.",
        "咳嗽3天。哮喘10年。",
        "A 60-year-old man with cough.",  # an age is no duration
        "60岁男性，咳嗽。",
        "Cough. Fever. Sore throat. Vomiting. Worse at night.",  # too far behind
        "He has pain. Abdomen: soft in the epigastrium.",  # a bare symptom and a site of two sentences
        "Headache. Swelling of the leg, only one side.",  # a side stays in its sentence
        "Chest pain.\nExamination: on exertion no change.",  # another section
    ],
)
def test_what_is_not_said_of_a_present_symptom_makes_none(text: str) -> None:
    assert not {entry for entry, assertion in said(text) if assertion == "present"}


def test_an_attribute_belongs_to_the_nearest_symptom_it_can_change() -> None:
    text = "Chest pain on exertion and a cough at night."
    assert said(text) == {("exertional_pain", "present"), ("night_cough", "present")}


@pytest.mark.parametrize(
    ("text", "severe"),
    [
        ("Fever, severe body aches, headache.", False),
        ("Headache, severe body aches.", False),
        ("Body aches, severe headache.", True),
        ("Body aches and headache, severe since noon.", True),
        ("剧烈全身酸痛，头痛。", False),
        ("全身酸痛，剧烈头痛。", True),
    ],
)
def test_a_quality_is_of_what_it_stands_before(text: str, severe: bool) -> None:
    assert (("bad_headache", "present") in said(text)) is severe


def test_the_words_are_a_slice_of_the_note() -> None:
    text = "Chest pain since this morning. It is worse with a deep breath."
    note = Note(reference="DocumentReference/1", text=text)
    (mention,) = composed(text)
    assert note.quote(mention.span) == "It is worse with a deep breath"


def test_a_long_sentence_is_quoted_only_where_it_says_so() -> None:
    text = f"He says that {'very ' * 40}much chest pain comes with a deep breath."
    note = Note(reference="DocumentReference/1", text=text)
    (mention,) = composed(text)
    assert note.quote(mention.span) == "chest pain comes with a deep breath"


def test_each_finding_keeps_the_words_that_made_it() -> None:
    text = "Chest pain on exertion. The man is 60. Worse with a deep breath."
    note = Note(reference="DocumentReference/1", text=text)
    assert {mention.entry: note.quote(mention.span) for mention in composed(text)} == {
        "exertional_pain": "Chest pain on exertion",
        "pleuritic_pain": "Worse with a deep breath",
    }
