"""Forms, tables and boxes: what an answer says of what stands beside it, and that prose is left alone."""

from __future__ import annotations

from functools import cache

import pytest

from nlp_core.filled_forms import FilledForms
from nlp_core.mentions import MentionReader
from nlp_core.model_bundle import Bundle, composed_bundle_path


@cache
def forms() -> FilledForms:
    return FilledForms()


@cache
def reader() -> MentionReader:
    bundle = Bundle.open(composed_bundle_path())
    return MentionReader(bundle.knowledge(), bundle.lexicons(), bundle.spelling())


def answers(text: str) -> dict[str, str]:
    return {text[one.start : one.end]: one.answer for one in forms().answered(text)}


def asserted(text: str) -> dict[str, str]:
    """Words of the findings that a note names, as they are asserted; each a slice of the note."""
    mentions, _ = reader().read(text, sex="unknown", age_years=None)
    return {text[one.span.start : one.span.end].lower(): one.assertion.value for one in mentions}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("| Symptom | Y/N |\n|---|---|\n| Cough | no |\n| Fever | Yes |", {"Cough": "absent", "Fever": "present"}),
        ("Cough | denied | -", {"Cough": "absent"}),
        ("Cough\tnot sure\t3 days", {"Cough": "possible"}),
        ("No | fever, cough", {"fever, cough": "absent"}),
        ("Item | Present | Absent |\nCough | | X |\nFever | X | |", {"Cough": "absent", "Fever": "present"}),
        ("Item | No | Yes |\nCough | X | |", {"Cough": "absent"}),
        ("[x] nausea [ ] vomiting", {"nausea": "present", "vomiting": "absent"}),
        ("☑ nausea\n☐ vomiting", {"nausea": "present", "vomiting": "absent"}),
        ("nausea [x], vomiting [ ]", {"nausea": "present", "vomiting": "absent"}),
        ("Fever: [ ] yes [x] no", {"Fever": "absent"}),
        ("Fever  Yes ☒ No ☐", {"Fever": "present"}),
        ("Fever: [ ] yes [ ] no", {"Fever": "possible"}),
        ("Chest pain ( ) yes (x) no", {"Chest pain": "absent"}),
        ("+cough, -rash", {"cough": "present", "rash": "absent"}),
        ("ROS: (-) fever, chills (+) cough. Sleeps well", {"fever, chills": "absent", "cough": "present"}),
        ("cough+ rash- fever-", {"cough": "present", "rash": "absent", "fever": "absent"}),
        ("cough (+), rash (-), fever (+/-)", {"cough": "present", "rash": "absent", "fever": "possible"}),
        ("fever (no), cough (unsure)", {"fever": "absent", "cough": "possible"}),
        ("Fever: no, cough: yes", {"Fever": "absent", "cough": "present"}),
        ("fever=no, asthma=as a child", {"fever": "absent", "asthma": "past"}),
        ("Gout - mother only", {"Gout": "family"}),
        ("NEG cough POS rash", {"cough": "absent", "rash": "present"}),
        ("fever,no,\ncough,yes,3 days", {"fever": "absent", "cough": "present"}),
        ("Fever yes\nChest pain no", {"Fever": "present", "Chest pain": "absent"}),
        ("发热：无，咳嗽：有", {"发热": "absent", "咳嗽": "present"}),
        ("发热（-）、咳嗽（+）", {"发热": "absent", "咳嗽": "present"}),
        ("□发热 ☑咳嗽", {"发热": "absent", "咳嗽": "present"}),
        ("胸痛：□有 ☑无", {"胸痛": "absent"}),
        ("胸痛：有 无√", {"胸痛": "absent"}),
        ("1. 皮疹：阴性", {"皮疹": "absent"}),
        ("哮喘：小时候有", {"哮喘": "past"}),
        ("无 | 头痛、呕吐", {"头痛、呕吐": "absent"}),
    ],
)
def test_an_answer_speaks_of_what_stands_beside_it(text: str, said: dict[str, str]) -> None:
    assert answers(text) == said


@pytest.mark.parametrize(
    "text",
    [
        "- fever\n- cough",
        "○ fever\n○ cough",
        "□ fever\n□ cough",
        "Skin: no rash. Heart: regular.",
        "Cough: no sputum",
        "2 x 3 cm, 4×5 mm",
        "Weight 64 -> 58 kg over 3-4 months, non-smoker",
        "Denies rash (mum), well otherwise",
        "WBC 12.3, CRP 40, Na 138",
        "BP 120/80 - 130/85",
        "Pain - worse at night + nausea",
        "",
    ],
)
def test_what_is_no_form_is_answered_by_nothing(text: str) -> None:
    assert answers(text) == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[ ] vomiting [x] cough", {"vomiting": "absent", "cough": "present"}),
        ("Cough: no, sore throat: yes", {"cough": "absent", "sore throat": "present"}),
        ("Denies: fever, rash", {"fever": "absent", "rash": "absent"}),
        ("Cough (no), fever for three days", {"cough": "absent", "fever": "present"}),
        ("| headache | mother |\n| cough | yes |", {"headache": "family", "cough": "present"}),
        ("Family history\n| cough | yes |", {"cough": "family"}),
        ("No cough | yes", {"cough": "absent"}),
        ("| 咳嗽 | 无 |\n| 发热 | 有 |", {"咳嗽": "absent", "发热": "present"}),
    ],
)
def test_a_form_rules_what_it_answers_and_nothing_else(text: str, said: dict[str, str]) -> None:
    found = asserted(text)
    assert {words: found.get(words) for words in said} == said


def test_every_answer_is_a_slice_of_its_line() -> None:
    text = "ROS\n[x] nausea [ ] vomiting\nFever: no\n\n| Cough | denied |\n+rash, -itch"
    for one in forms().answered(text):
        assert "\n" not in text[one.start : one.end]
        assert text[one.start : one.end].strip() == text[one.start : one.end] != ""
        assert one.said_start < one.said_end


def test_long_notes_of_shapes_cost_no_more_than_their_length() -> None:
    """Nothing here may backtrack: twenty thousand bars, boxes and signs are read at once."""
    for shape in ("|", "[ ]", "( )", "+", "-", "□", "a:", "(no", "有√ ", "- ", "a(b),,,"):
        assert isinstance(forms().answered(shape * 20_000), list)
        assert isinstance(forms().answered((shape * 30 + "x\n") * 700), list)
