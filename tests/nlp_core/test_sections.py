import pytest

from nlp_core.sections import Section, sentences
from nlp_core.words import blank_pipeline

NLP = blank_pipeline()


def cut(text: str) -> list[tuple[str, Section]]:
    return [(sentence.span.text.strip(), sentence.section) for sentence in sentences(text, NLP)]


def test_headings_rule_what_follows():
    text = (
        "HPI: Cough for a week.\nPast medical history:\nAsthma.\nFamily History\nGout in father.\nExam: Lungs clear.\n"
    )
    assert cut(text) == [
        ("HPI: Cough for a week.", Section.CURRENT),
        ("Past medical history:", Section.PAST),
        ("Asthma.", Section.PAST),
        ("Family History", Section.FAMILY),
        ("Gout in father.", Section.FAMILY),
        ("Exam: Lungs clear.", Section.EXAMINATION),
    ]


def test_chinese_headings_and_stops():
    assert cut("主诉：发热2天。\n既往史：哮喘。") == [
        ("主诉：发热2天。", Section.CURRENT),
        ("既往史：哮喘。", Section.PAST),
    ]


def test_abbreviations_and_decimals_end_nothing():
    assert len(cut("Seen by Dr. Who at approx. 38.5 C today.")) == 1


def test_a_wrapped_line_goes_on():
    text = "The patient is a 40-year-old man who has been coughing since the day before\nyesterday and has a fever."
    assert len(cut(text)) == 1


def test_every_token_lies_in_one_sentence():
    text = "A. b!\n\n- one\n- two\nPlan: rest;  drink?"
    doc_tokens = [t.i for t in NLP.make_doc(text) if not t.is_space]
    seen = [t.i for s in sentences(text, NLP) for t in s.span if not t.is_space]
    assert sorted(seen) == doc_tokens


def test_a_heading_within_a_line_speaks_for_the_rest_of_that_line():
    assert cut("Cough. PMH: gout. FH: nil.\nFever.") == [
        ("Cough.", Section.CURRENT),
        ("PMH: gout.", Section.PAST),
        ("FH: nil.", Section.FAMILY),
        ("Fever.", Section.CURRENT),
    ]
    assert cut("咳嗽。既往史：哮喘。")[1] == ("既往史：哮喘。", Section.PAST)


def test_within_a_line_a_heading_needs_its_colon():
    assert cut("Cough. Plan - rest.")[-1][1] is Section.CURRENT


@pytest.mark.parametrize(
    ("text", "count"),
    [("?PE", 1), ("? appendicitis", 1), ("Fever. ?PE", 2), ("Flu? Rest.", 2), ("Flu ? Rest.", 2), ("Flu?? Rest.", 3)],
)
def test_a_question_mark_before_what_it_asks_of_ends_nothing(text: str, count: int):
    assert len(cut(text)) == count
