import pytest

from nlp_core.language import language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The patient denies chest pain and has had a cough for three days.", "en"),
        ("fever cough sob", "en"),
        ("患者发热、咳嗽3天，伴咽痛。", "zh"),
        ("主诉：腹痛。PE: McBurney tenderness. 体温38.5℃，血压正常，无恶心呕吐。", "zh"),
        ("Potilaalla on ollut kuumetta ja yskää kolmen päivän ajan, hän on väsynyt ja hän ei syö", "other"),
        ("El paciente presenta dolor torácico con irradiación al brazo izquierdo y disnea", "other"),
        ("المريض يعاني من الحمى والسعال", "other"),
        ("発熱と咳があります。のどが痛いです。", "other"),
        ("", "en"),
        ("12/80 ...", "en"),
    ],
)
def test_language(text: str, language: str):
    assert language_of(text) == language
