"""Asking the chart: a quoted sentence with its note and date, or "not in the chart"; by names and words alone."""

from __future__ import annotations

import pytest

from nlp_core.answers import NOT_UNDERSTOOD, NOWHERE, Answer
from nlp_core.mentions import MentionReader
from nlp_core.question_words import is_general, wanted
from nlp_core.questions import Questions
from tests.nlp_core.small_charts import chart_of, days_ago, note, small_reader
from tests.nlp_core.small_knowledge import small_knowledge

QUESTIONS = Questions(small_knowledge(), MentionReader(small_knowledge()))
TODAY = note("Fever 39.5 °C since Monday. He denies chest pain. BP 118/74, HR 92.", age_days=0)
BEFORE = note("Cough for three days. Takes aspirin 100 mg daily. Photophobia.", age_days=3)


def answered(question: str) -> Answer:
    return QUESTIONS.answer(question, small_reader().read(chart_of(TODAY, BEFORE)))


@pytest.mark.parametrize(
    ("question", "quote"),
    [
        ("Does he have a fever?", "Fever 39.5 °C since Monday."),
        ("他发热吗？", "Fever 39.5 °C since Monday."),
        ("Does he have chest pain?", "He denies chest pain."),
        ("How long has he had the cough?", "Cough for three days."),
        ("什么时候开始咳嗽？", "Cough for three days."),
        ("What is his blood pressure?", "BP 118/74, HR 92."),
        ("心率多少？", "BP 118/74, HR 92."),
        ("Is he on aspirin?", "Takes aspirin 100 mg daily."),
        ("What medication does he take?", "Takes aspirin 100 mg daily."),
    ],
)
def test_the_answer_is_the_sentence_that_speaks_of_it(question: str, quote: str) -> None:
    found = answered(question)
    assert (found.found_in, found.quote) == ("chart", quote)
    of = TODAY if found.reference == TODAY.reference else BEFORE
    assert found.span is not None
    assert of.text[found.span.start : found.span.end] == found.quote
    assert found.date == of.date


@pytest.mark.parametrize(
    "question",
    [
        "Does he have a headache?",
        "有恶心吗？",
        "What is his potassium?",
        "血红蛋白是多少？",
        "Is he on warfarin?",
        "Did he travel?",
    ],
)
def test_what_the_notes_do_not_say_is_not_in_the_chart(question: str) -> None:
    assert answered(question) == NOWHERE.model_copy(update={"notes_read": 2})


@pytest.mark.parametrize("question", ["?", "", "¿Tiene fiebre el paciente desde ayer por la noche?"])
def test_what_is_not_understood_is_not_said_to_be_missing(question: str) -> None:
    assert answered(question) == NOT_UNDERSTOOD


@pytest.mark.parametrize(
    ("question", "quote"),
    [
        ("Has she been abroad?", "Came back from a trip to Kenya."),
        ("最近出过国吗？", "Came back from a trip to Kenya."),
        ("Anybody around her ill?", "同事中有类似病人。"),
        ("她锻炼吗？", "Goes swimming twice a week."),
        ("Does she smoke?", "不吸烟。"),
        ("What work does she do?", "Retired teacher."),
        ("打过疫苗吗？", NOWHERE.quote),
        ("Is she allergic to anything?", NOWHERE.quote),
    ],
)
def test_topics_of_a_history_meet_across_the_languages(question: str, quote: str) -> None:
    text = "Came back from a trip to Kenya. 同事中有类似病人。不吸烟。 Goes swimming twice a week. Retired teacher."
    found = QUESTIONS.answer(question, small_reader().read(chart_of(note(text))))
    assert found.quote == quote


def test_the_newest_note_answers_first() -> None:
    read = small_reader().read(chart_of(note("Cough.", age_days=0), note("Cough.", age_days=9)))
    assert QUESTIONS.answer("Does he cough?", read).date == days_ago(0)


def test_an_empty_chart_answers_nothing() -> None:
    assert QUESTIONS.answer("Does he have a fever?", small_reader().read(chart_of())) == NOWHERE


@pytest.mark.parametrize(
    ("question", "reference"),
    [
        ("What is influenza?", "influenza.patients"),
        ("How is influenza treated?", "influenza.treatment"),
        ("流感怎么治疗？", "influenza.treatment"),
    ],
)
def test_general_questions_are_answered_by_the_knowledge_with_its_source(question: str, reference: str) -> None:
    found = answered(question)
    assert (found.found_in, found.reference, found.span) == ("knowledge", reference, None)


def test_a_question_about_the_patient_is_not_general() -> None:
    assert not is_general("What is his haemoglobin?")
    assert not is_general("How is he?")
    assert wanted("How old is she?") >= {"age"}
