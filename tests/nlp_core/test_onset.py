import pytest

from nlp_core.onset import onset_of


@pytest.mark.parametrize(
    ("text", "onset"),
    [
        ("sudden onset of chest pain", "sudden"),
        ("cough for 3 days", "days"),
        ("a 2-week history of rash", "weeks"),
        ("started six months ago", "months"),
        ("for the past 5 years", "years"),
        ("pain x 6 hours", "hours"),
        ("咳嗽3天", "days"),
        ("腹痛半年", "months"),
        ("突发胸痛", "sudden"),
    ],
)
def test_onset(text: str, onset: str):
    stated = onset_of(text)
    assert stated is not None
    assert stated.onset == onset
    assert text[stated.start : stated.end].strip()


@pytest.mark.parametrize("text", ["A 48-year-old woman", "no duration", ""])
def test_no_onset(text: str):
    assert onset_of(text) is None
