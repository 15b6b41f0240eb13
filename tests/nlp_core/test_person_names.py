"""Names of people are not read as words of medicine, and what is medicine is left alone."""

from __future__ import annotations

import pytest

from nlp_core.person_names import without_names
from tests.nlp_core.small_charts import observed


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Mr Burns has a cough.", "has a cough."),
        ("Seen by Dr. Rash CXR clear.", "Seen by CXR clear."),
        ("Name: RASH, GRACE\nFever.", "Name: Fever."),
        ("Patient: Hope Graves\nFever.", "Patient: Fever."),
        ("I have a fever.\nMany thanks, Grace Rash", "I have a fever. Many thanks,"),
        ("姓名：黄丹 性别：女", "姓名： 性别：女"),
        ("患者张力，男，40岁，咳嗽。", "患者 ，男，40岁，咳嗽。"),
        ("咳嗽三天。\n——热依罕", "咳嗽三天。 ——"),
        ("患者热依汗·买买提，女，咳嗽。", "患者 ，女，咳嗽。"),
    ],
)
def test_names_are_blanks_of_the_same_length(text: str, left: str) -> None:
    assert len(without_names(text)) == len(text)
    assert without_names(text).split() == left.split()


@pytest.mark.parametrize(
    "text",
    [
        "MR Spine shows a burn.",
        "Patient: Fever and cough.",
        "Patient has MS. Weakness of the legs.",
        "患者高热，女友亦发热。",
        "患者腹痛，女性，35岁。",
        "患者黄疸，男友陪同。",
        "Thanks, the rash is better.",
    ],
)
def test_words_of_medicine_are_no_names(text: str) -> None:
    assert without_names(text) == text


def test_a_finding_behind_a_name_is_read_and_quoted_where_it_stands() -> None:
    assert observed("Ms Grace Cough has a fever.") == {"fever": True}
    assert observed("Ms Grace has a cough and fever.") == {"cough": True, "fever": True}
