import pytest

from nlp_core.assertion import assertion_of
from nlp_core.sections import sentences
from nlp_core.text_view import view
from nlp_core.triggers import AssertionRules
from nlp_core.words import blank_pipeline


@pytest.fixture(scope="module")
def asserted():
    nlp = blank_pipeline()
    rules = AssertionRules(nlp)

    def of(text: str, words: str) -> str:
        text = view(text).text
        start = text.index(words)
        for sentence in sentences(text, nlp):
            inside = [t.i for t in sentence.span if t.idx < start + len(words) and t.idx + len(t) > start]
            if inside:
                triggers = rules.triggers(sentence.span.doc)
                return str(assertion_of(inside[0], inside[-1] + 1, sentence.span, sentence.section, triggers))
        raise AssertionError("not found")

    return of


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("He has chest pain.", "chest pain", "present"),
        ("She denies fever, chills, chest pain or cough.", "cough", "absent"),
        ("No evidence of pulmonary embolism.", "pulmonary embolism", "absent"),
        ("Pneumonia was ruled out.", "Pneumonia", "absent"),
        ("No history of asthma.", "history of asthma", "absent"),
        ("Fever: none", "Fever", "absent"),
        ("rule out MI", "MI", "possible"),
        ("possible pneumonia", "pneumonia", "possible"),
        ("PE cannot be excluded.", "PE", "possible"),
        ("History of stroke.", "stroke", "past"),
        ("a 3-day history of cough", "cough", "present"),
        ("PAST MEDICAL HISTORY\nGout, asthma.", "asthma", "past"),
        ("Her father had a myocardial infarction.", "myocardial infarction", "family"),
        ("Family history: breast cancer", "breast cancer", "family"),
        ("His mother reports that he has a fever.", "fever", "present"),
        ("Return if fever develops.", "fever", "conditional"),
        ("Allergies: penicillin causes rash", "rash", "conditional"),
        ("gained weight without eating more, is constipated", "constipated", "present"),
        ("no improvement of the cough", "cough", "present"),
        ("He denies chest pain but reports palpitations.", "palpitations", "present"),
        ("无发热、寒战、胸痛。", "胸痛", "absent"),
        ("无发热，咳嗽3天。", "咳嗽", "present"),
        ("否认胸痛、咯血。", "咯血", "absent"),
        ("父亲患糖尿病。", "糖尿病", "family"),
        ("既往高血压病史10年。", "高血压", "past"),
        ("考虑肺炎可能。", "肺炎", "possible"),
        ("如出现胸痛，立即就诊。", "胸痛", "conditional"),
        ("下肢无力2天。", "下肢无力", "present"),
    ],
)
def test_c11_assertion(asserted, text: str, words: str, expected: str):
    assert asserted(text, words) == expected
