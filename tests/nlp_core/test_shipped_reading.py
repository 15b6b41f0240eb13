"""What the shipped model makes of plain texts: the whole core with the real knowledge and the real encoder."""

from __future__ import annotations

import pytest

from nlp_core.assess import diagnose

COLD, FLU = "发热、咳嗽、咽痛", "发热、咳嗽、咽痛、高热、全身酸痛、流行季节"


def first(text: str) -> str:
    return diagnose(text)[0][1]


def test_the_articles_own_example_puts_the_cold_first():
    assert first(COLD) == "J00"


def test_high_fever_aches_and_season_move_influenza_above_the_cold():
    codes = [code for _, code, _ in diagnose(FLU)]
    assert codes[0] == "J11.1"
    assert codes.index("J11.1") < codes.index("J00")


def test_the_example_holds_in_english():
    assert first("Fever, cough and sore throat.") == "J00"
    assert first("Fever, cough, sore throat, high fever, body aches all over, flu season.") == "J11.1"


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("62M, crushing chest pain radiating to the left arm, sweating. ECG: ST elevation. Troponin elevated.", "I21"),
        ("Sudden worst headache of my life, like a thunderclap, with neck stiffness and vomiting.", "I60"),
        ("22F, burning when she pees, urinary frequency and urgency, suprapubic pain. No fever, no flank pain.", "N39"),
        ("突发剧烈胸痛，呈撕裂样，向背部放射，血压190/110mmHg", "I71"),
        ("女，28岁，停经7周，突发右下腹痛，晕厥，阴道流血，妊娠试验阳性，附件区压痛，附件包块，宫颈举痛", "O00"),
        ("3-month-old boy with barking cough, hoarse voice and inspiratory stridor at night", "J05"),
    ],
)
def test_plain_cases_come_first(text: str, category: str):
    assert first(text)[:3] == category


def test_c15_words_no_name_holds_are_matched_by_meaning():
    worded_otherwise = "It feels like a tight band around my chest when I climb the stairs; it goes away when I stop."
    assert "I20" in [code[:3] for _, code, _ in diagnose(worded_otherwise)[:3]]


@pytest.mark.parametrize("text", ["", "hello", "患者", "12/80", "المريض يعاني من الحمى"])
def test_there_are_always_at_least_ten_and_probabilities_fall(text: str):
    found = diagnose(text)
    assert len(found) >= 10
    probabilities = [probability for _, _, probability in found]
    assert probabilities == sorted(probabilities, reverse=True)
    assert all(0 <= probability <= 1 for probability in probabilities)
    assert all(name and code for name, code, _ in found)


def test_what_is_said_to_be_normal_is_no_finding():
    plain = "Sudden shortness of breath and pleuritic chest pain."
    assert diagnose(f"{plain} Lungs clear. Heart regular. Abdomen soft.")[:5] == diagnose(plain)[:5]
