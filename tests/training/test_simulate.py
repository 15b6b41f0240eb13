"""Patients drawn from the knowledge are possible patients, and what is read back is counted rightly."""

from __future__ import annotations

from nlp_core.onset import onset_of
from nlp_core.setting import setting_of
from tests.nlp_core.small_knowledge import small_knowledge
from training.simulate import Outcome, confusions, found_least, within
from training.simulated_patients import _DURATIONS, _PLACES, simulated_patients


def test_equal_seeds_draw_equal_patients() -> None:
    one, two = (list(simulated_patients(small_knowledge(), 30, seed=3)) for _ in range(2))
    assert [patient.chart for patient in one] == [patient.chart for patient in two]


def test_nobody_denies_what_a_finding_of_theirs_implies() -> None:
    for patient in simulated_patients(small_knowledge(), 300, seed=5, known=(1.0, 1.0)):
        said, _, denied = patient.chart.notes[0].text.partition("Denies ")
        if "pleuritic" in said:
            assert "chest pain" not in denied.replace("pleuritic chest pain", "")


def test_patients_fit_their_diagnosis() -> None:
    for patient in simulated_patients(small_knowledge(), 200, seed=7):
        low, high = patient.diagnosis.age.possible
        assert patient.chart.age_years is not None
        assert low <= patient.chart.age_years <= high
        assert patient.diagnosis.sex in ("any", patient.chart.sex)


def test_what_a_note_says_of_onset_and_place_is_read_as_meant() -> None:
    for onset, languages in _DURATIONS.items():
        for text in (text for ways in languages for text in ways):
            stated = onset_of(text)
            assert stated is not None, text
            assert stated.onset == onset, text
    for place, texts in _PLACES.items():
        assert [setting_of(text) for text in texts] == [place, place]


FOUND = [
    Outcome("migraine", 1, "migraine"),
    Outcome("migraine", 2, "influenza"),
    Outcome("migraine", None, "influenza"),
    Outcome("influenza", 4, "common_cold"),
]


def test_shares_within_a_rank() -> None:
    assert [within(FOUND, most) for most in (1, 3, 5)] == [0.25, 0.5, 0.75]


def test_confusions_are_counted_most_frequent_first() -> None:
    assert confusions(FOUND, small_knowledge()) == [(("migraine", "influenza"), 2), (("influenza", "common_cold"), 1)]


def test_what_is_found_least_is_told_of_diagnoses_with_enough_patients() -> None:
    assert found_least(FOUND, least_patients=2) == [("migraine", 3, 2 / 3)]
    assert found_least(FOUND, least_patients=4) == []
