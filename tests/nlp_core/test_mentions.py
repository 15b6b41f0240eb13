"""One note read: what it names or measures, in its own words and exactly where it says so."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings

from nlp_core.chart import Sex
from nlp_core.mentions import Mention, MentionReader
from nlp_core.note import Note
from tests.nlp_core.any_notes import any_note
from tests.nlp_core.small_knowledge import finding, knowledge_of, small_knowledge


@cache
def reader() -> MentionReader:
    return MentionReader(small_knowledge())


def read(text: str, *, sex: Sex = "unknown", age: float | None = 40) -> list[Mention]:
    return reader().read(text, sex=sex, age_years=age)[0]


def said(text: str) -> set[tuple[str, str]]:
    """(entry, assertion) of everything the text names or measures."""
    return {(mention.entry, str(mention.assertion)) for mention in read(text)}


def quotes(text: str) -> dict[str, str]:
    """Entry to the words it was found in."""
    note = Note(reference="DocumentReference/1", text=text)
    return {mention.entry: note.quote(mention.span) for mention in read(text)}


def test_findings_and_diagnoses_are_told_apart() -> None:
    assert {(m.entry, m.about) for m in read("Cough. Influenza.")} == {("cough", "finding"), ("influenza", "diagnosis")}


def test_mentions_come_in_the_order_of_their_place() -> None:
    assert [mention.entry for mention in read("Nausea. Cough. Headache.")] == ["nausea", "cough", "headache"]


@pytest.mark.parametrize(
    ("text", "entry", "quote"),
    [
        ("He has chest pain.", "chest_pain", "chest pain"),
        ("Pain in the right chest.", "chest_pain", "Pain in the right chest"),
        ("患者胸痛3天。", "chest_pain", "胸痛"),
        ("胸疼痛", "chest_pain", "胸疼痛"),
        ("pleuritic chest pain", "pleuritic_chest_pain", "pleuritic chest pain"),
        ("Temp 39.4 °C.", "high_fever", "Temp 39.4 °C"),
        ("血钾 6.2 mmol/L", "hyperkalemia", "血钾 6.2 mmol/L"),
        ("chest\u200b pa\u200bin", "chest_pain", "chest\u200b pa\u200bin"),
        ("🤒 ＣＯＵＧＨ 🤒", "cough", "ＣＯＵＧＨ"),
        ("chest \t  pain", "chest_pain", "chest \t  pain"),
    ],
)
def test_a_quote_is_the_words_of_the_note_as_they_stand(text: str, entry: str, quote: str) -> None:
    assert quotes(text)[entry] == quote


@pytest.mark.parametrize(
    ("text", "entry", "assertion"),
    [
        ("Denies chest pain.", "chest_pain", "absent"),
        ("No evidence of pulmonary embolism.", "pulmonary_embolism", "absent"),
        ("Rule out influenza.", "influenza", "possible"),
        ("Return if fever develops.", "fever", "conditional"),
        ("Allergies: penicillin causes nausea", "nausea", "conditional"),
        ("History of DVT.", "prior_thrombosis", "past"),
        ("否认胸痛。", "chest_pain", "absent"),
        ("没胸痛。", "chest_pain", "absent"),
        ("胸痛没有。", "chest_pain", "absent"),
        ("考虑肺栓塞可能。", "pulmonary_embolism", "possible"),
    ],
)
def test_c11_a_mention_knows_how_it_is_meant(text: str, entry: str, assertion: str) -> None:
    assert said(text) == {(entry, assertion)}


def test_a_number_below_the_threshold_denies_its_finding() -> None:
    assert said("Temp 36.8 °C.") == {("fever", "absent"), ("high_fever", "absent")}


def test_a_number_is_weighed_for_the_patients_age() -> None:
    assert [mention.entry for mention in read("HR 120 bpm", age=40)] == ["tachycardia"]
    assert read("HR 120 bpm", age=3) == []


@pytest.mark.parametrize("text", ["Family history:\nTemp 39.4 °C", "Plan:\nCall if temp 39.4 °C"])
def test_numbers_of_the_family_and_of_the_plan_are_not_the_patients(text: str) -> None:
    assert read(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Return if temperature above 38.5 C.",
        "Call for temp 39.4 °C.",
        "His mother had temp 39.4 °C.",
        "Last year temp was 39.4 °C.",
        "如体温 39.4℃ 请就诊。",
    ],
)
def test_c11_numbers_of_others_of_once_and_of_warnings_are_not_present(text: str) -> None:
    assert "present" not in {assertion for _, assertion in said(text)}


@pytest.mark.parametrize("text", ["PE: lungs clear.", "PE\nLungs clear.", "VITALS: stable\nPE: no edema"])
def test_the_heading_of_the_physical_examination_is_no_embolism(text: str) -> None:
    assert "pulmonary_embolism" not in {entry for entry, _ in said(text)}


@pytest.mark.parametrize("text", ["Impression: PE.", "Diagnosis:\n- PE", "PE", "Assessment\nPE, bilateral."])
def test_an_embolism_in_an_assessment_is_one(text: str) -> None:
    assert ("pulmonary_embolism", "present") in said(text)


def test_an_embolism_in_a_numbered_list_is_one() -> None:
    assert ("pulmonary_embolism", "present") in said("ASSESSMENT:\n1. PE\n2. DVT")


def test_a_denial_reaches_to_the_end_of_a_long_list() -> None:
    assert said(f"Denies {'dizziness, fatigue, rash, ' * 60}cough.") == {("cough", "absent")}


WRAPPED = "A pleasant woman who has never smoked and who today firmly denies fever,{}cough and chest pain."


def test_a_wrapped_line_goes_on() -> None:
    assert said(WRAPPED.format("\n")) == said(WRAPPED.format(" "))


def test_a_line_wrapped_by_crlf_goes_on_too() -> None:
    assert said(WRAPPED.format("\r\n")) == said(WRAPPED.format("\n"))


def test_names_explain_their_words_for_the_second_reader() -> None:
    _, (sentence,) = reader().read("Dull chest pain at night.", sex="unknown", age_years=None)
    words = {sentence.sentence.span.doc[place].text for place in sentence.covered}
    assert words == {"chest", "pain"}


@pytest.mark.parametrize("text", ["", " ", "\u200b\ufeff", "\r\n\t", "...", "🤒"])
def test_text_that_says_nothing_names_nothing(text: str) -> None:
    assert read(text) == []


@given(any_note)
@settings(deadline=None)
def test_d3_every_span_quotes_words_that_are_there(text: str) -> None:
    note = Note(reference="DocumentReference/1", text=text)
    for mention in read(text):
        quote = note.quote(mention.span)  # raises outside of the text
        assert quote == text[mention.span.start : mention.span.end]
        assert not quote.isspace()


@given(any_note)
@settings(deadline=None)
def test_the_words_quoted_name_the_finding_on_their_own(text: str) -> None:
    note = Note(reference="DocumentReference/1", text=text)
    for mention in read(text):
        assert mention.entry in {alone.entry for alone in read(note.quote(mention.span))}


def test_a_relatives_disease_is_the_relatives_and_a_family_history() -> None:
    assert said("Her father had migraine.") == {("migraine", "family"), ("family_history_migraine", "family")}


def test_a_relatives_disease_hides_no_name_of_the_patients_own() -> None:
    knowledge = knowledge_of(
        [
            finding("family_history_menopause", "family history of early menopause", "早绝经家族史", kind="history"),
            finding("menopausal", "menopause", "绝经"),
        ],
        [],
    )
    own = MentionReader(knowledge)
    for text, entry in (
        ("She had early menopause.", "menopausal"),
        ("Her mother had early menopause.", "family_history_menopause"),
    ):
        found = {(m.entry, str(m.assertion)) for m in own.read(text, sex="female", age_years=50)[0]}
        assert (entry, "present" if entry == "menopausal" else "family") in found
