"""The record in a few of its own sentences: quoted to the letter, newest first, nothing denied, nothing of relatives."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from nlp_core.assessment import RecordSummary, SummaryItem
from nlp_core.note import Note
from nlp_core.sections import Section
from nlp_core.summary import LONGEST_QUOTE, MOST_ITEMS, Summariser
from nlp_core.summary_cues import heading_of
from tests.nlp_core.small_charts import chart_of, days_ago, note, small_reader
from tests.nlp_core.small_knowledge import small_knowledge

WARD = """HPI: Fever and cough since Monday, getting worse. Sudden shortness of breath today.
He denies chest pain. No runny nose.
Family history: His father had chest pain and oliguria.
Medications: aspirin 100 mg daily; paracetamol as needed.
Allergies: penicillin causes headache.
Plan: blood culture pending. Return if photophobia develops."""
CHINESE = """主诉：发热、咳嗽3天。
现病史：患者3天前出现发热，咳嗽较前加重。无胸痛，无恶心。
家族史：父亲有头痛。
目前用药：阿司匹林100mg 口服 每日一次。
计划：血培养结果待回报。"""


def summary(*notes: Note | str, **fields: object) -> RecordSummary:
    found = small_reader().assess(chart_of(*notes, **fields)).summary
    assert found is not None
    return found


def told(found: RecordSummary) -> dict[str, list[str]]:
    """Quotes by heading."""
    return {item.heading: [one.quote for one in found.items if one.heading == item.heading] for item in found.items}


@pytest.mark.parametrize(
    "text", [WARD, CHINESE, "\u200bFever\u200b and cough.\r\n- Dyspnea 😀 today.\n\u202echest pain"]
)
def test_every_sentence_is_a_slice_of_its_note(text: str) -> None:
    items = summary(text).items
    assert items
    assert all(text[item.span.start : item.span.end] == item.quote for item in items)


def test_problems_course_medication_and_what_is_pending_are_told_apart() -> None:
    assert told(summary(WARD)) == {
        "problem": ["Sudden shortness of breath today."],
        "course": ["Fever and cough since Monday, getting worse."],
        "medication": ["aspirin 100 mg daily;", "paracetamol as needed."],
        "pending": ["blood culture pending."],
    }


def test_chinese_is_told_apart_alike() -> None:
    found = told(summary(CHINESE))
    assert found["medication"] == ["阿司匹林100mg 口服 每日一次。"]
    assert found["pending"] == ["血培养结果待回报。"]
    assert any("较前加重" in quote for quote in found["course"])


def test_c11_denials_relatives_allergies_and_advice_are_no_part_of_it() -> None:
    quotes = " ".join(item.quote for item in summary(WARD).items)
    for left_out in ("denies", "No runny nose", "father", "penicillin", "Return if"):
        assert left_out not in quotes


def test_what_a_newer_note_denies_is_no_problem_any_more() -> None:
    found = summary(note("No fever now. Cough.", age_days=0), note("Fever. Photophobia.", age_days=2))
    assert [item.quote for item in found.items] == ["Cough.", "Photophobia."]


def test_c10_a_sentence_copied_forward_is_quoted_once_from_the_newest_note() -> None:
    (item,) = summary(*(note("Sudden shortness of breath and cough.", age_days=days) for days in (0, 1, 2))).items
    assert item.reference == "DocumentReference/0"
    assert item.date == days_ago(0)


def test_newest_first_and_undated_last() -> None:
    found = summary(
        note("Oliguria.", age_days=None, reference="DocumentReference/undated"),
        note("Cough.", age_days=5),
        note("Photophobia.", age_days=1),
    )
    assert [item.quote for item in found.items] == ["Photophobia.", "Cough.", "Oliguria."]


def test_medication_of_long_ago_is_not_current() -> None:
    found = summary(note("Cough.", age_days=0), note("Takes aspirin 100 mg daily.", age_days=200))
    assert "medication" not in told(found)


@pytest.mark.parametrize(
    ("text", "section", "heading"),
    [
        ("Aspirin 100 mg daily", Section.CURRENT, "medication"),
        ("Aspirin was stopped, 100 mg daily before", Section.MEDICATIONS, None),
        ("Glucose 180 mg/dL", Section.RESULTS, None),
        ("CT scheduled for tomorrow", Section.PLAN, "pending"),
        ("Follow up if symptoms persist", Section.PLAN, None),
        ("长期服用二甲双胍", Section.PAST, "medication"),
        ("青霉素过敏，口服100mg", Section.CURRENT, None),
        ("一周后复查血常规", Section.PLAN, "pending"),
        ("Discharged in stable condition", Section.CURRENT, "course"),
        ("Mother is stable", Section.FAMILY, None),
    ],
)
def test_words_say_which_part_a_sentence_belongs_to(text: str, section: Section, heading: str | None) -> None:
    assert heading_of(text, section) == heading


def test_it_keeps_to_its_length() -> None:
    names = [finding.names.en[0] for finding in small_knowledge().findings.values()]
    text = " ".join(
        f"The patient complains today of {name} in word number {place}." for place, name in enumerate(names)
    )
    found = summary(text)
    assert len(found.items) <= MOST_ITEMS
    short = Summariser(small_knowledge(), most_items=2, most_characters=120).summarise(
        small_reader().read(chart_of(text))
    )
    assert 1 <= len(short.items) <= 2
    assert sum(len(item.quote) for item in short.items) <= 120


def test_a_sentence_too_long_is_cut_at_its_end_alone() -> None:
    text = "He denies headache but has fever, " + "and was seen by many people of the ward, " * 12 + "oliguria."
    (item,) = summary(text).items
    assert item.span.start == 0
    assert item.span.end <= LONGEST_QUOTE
    assert text.startswith(item.quote)


@pytest.mark.parametrize(
    ("notes", "fields", "silence"),
    [
        ((), {}, "no_note"),
        (("Fever and cough.",), {"deceased": True}, "deceased"),
        (("He is well. No fever, no cough.",), {}, "no_finding"),
        ((". .",), {}, "too_little_text"),
        (("يعاني المريض من حمى وسعال منذ ثلاثة أيام",), {}, "unsupported_language"),
        ((note("Fever and cough.", age_days=3000),), {}, "old_notes"),
    ],
)
def test_silence_has_its_reason(notes: tuple[Note | str, ...], fields: dict[str, object], silence: str) -> None:
    assert summary(*notes, **fields) == RecordSummary(silence=silence)


def test_equal_charts_have_equal_summaries() -> None:
    assert summary(WARD, CHINESE) == summary(WARD, CHINESE)


def test_a_summary_holds_sentences_or_a_reason() -> None:
    (item, *_) = summary(WARD).items
    assert isinstance(item, SummaryItem)
    for wrong in ({}, {"items": (item,), "silence": "no_finding"}):
        with pytest.raises(ValidationError):
            RecordSummary(**wrong)
