"""Coded facts mean findings: values by threshold or flag, results and problems by the names they hold."""

from __future__ import annotations

from functools import cache

import pytest

from nlp_core.chart import Fact, FactKind, Problem
from nlp_core.facts import FactFinding, FactReader, is_current
from nlp_core.mentions import MentionReader
from tests.nlp_core.small_charts import chart_of, days_ago, laboratory, potassium, problem
from tests.nlp_core.small_knowledge import small_knowledge


@cache
def reader() -> FactReader:
    return FactReader(small_knowledge(), MentionReader(small_knowledge()))


def read(*facts: Fact | Problem, age: float | None = 40) -> list[FactFinding]:
    chart = chart_of(
        facts=tuple(fact for fact in facts if isinstance(fact, Fact)),
        problems=tuple(entry for entry in facts if isinstance(entry, Problem)),
        age_years=age,
    )
    return list(reader().findings(chart))


def meaning(*facts: Fact | Problem, age: float | None = 40) -> dict[str, bool]:
    return {found.finding: found.present for found in read(*facts, age=age)}


def worded(text: str, value_text: str = "", *, kind: FactKind = "laboratory", interpretation: str = "") -> Fact:
    return Fact(kind=kind, reference="Observation/1", text=text, value_text=value_text, interpretation=interpretation)


def test_a_potassium_of_six_is_hyperkalemia() -> None:
    assert meaning(potassium(6.2)) == {"hyperkalemia": True, "severe_hyperkalemia": False, "hypokalemia": False}


def test_a_value_within_range_denies_its_findings() -> None:
    assert not any(meaning(potassium(4.2)).values())
    assert meaning(potassium(4.2))["hyperkalemia"] is False


def test_a_fact_is_said_with_its_value_and_unit() -> None:
    assert {found.said for found in read(potassium(6.2))} == {"Potassium 6.2 mmol/L"}


@pytest.mark.parametrize("flag", ["H", "HH"])
def test_a_flag_without_usable_unit_still_means_the_mild_finding(flag: str) -> None:
    assert meaning(potassium(6.9, "furlongs", interpretation=flag)) == {"hyperkalemia": True}


def test_a_low_flag_means_the_low_finding() -> None:
    assert meaning(potassium(2.9, "furlongs", interpretation="L")) == {"hypokalemia": True}


def test_outside_the_laboratorys_own_range_counts_as_flagged() -> None:
    assert meaning(potassium(69, "furlongs", low=35, high=55)) == {"hyperkalemia": True}
    assert meaning(potassium(29, "furlongs", low=35, high=55)) == {"hypokalemia": True}
    assert meaning(potassium(40, "furlongs", low=35, high=55)) == {}


@pytest.mark.parametrize("flagged", [potassium(5.3, interpretation="H"), potassium(5.3, high=5.0)])
def test_a_value_the_laboratory_calls_high_is_no_word_against_the_finding(flagged: Fact) -> None:
    assert meaning(flagged).get("hyperkalemia") is not False


def test_of_one_analyte_the_newest_value_speaks() -> None:
    assert meaning(potassium(6.2, date=days_ago(3)), potassium(4.2, date=days_ago(1)))["hyperkalemia"] is False
    assert meaning(potassium(4.2, date=days_ago(3)), potassium(6.2, date=days_ago(1)))["hyperkalemia"] is True


def test_a_dated_value_speaks_over_an_undated_one() -> None:
    assert meaning(potassium(4.2, date=None), potassium(6.2, date=days_ago(1)))["hyperkalemia"] is True


def test_a_value_dated_in_the_future_does_not_speak_over_todays() -> None:
    assert meaning(potassium(4.2, date=days_ago(-700)), potassium(6.2, date=days_ago(0)))["hyperkalemia"] is True


def test_a_vital_sign_is_weighed_for_the_patients_age() -> None:
    pulse = laboratory("8867-4", "Heart rate", 120, "/min", kind="vital_sign")
    assert meaning(pulse) == {"tachycardia": True}
    assert meaning(pulse, age=3) == {}


def test_a_value_nobody_has_a_threshold_for_means_nothing() -> None:
    assert meaning(laboratory("9999-9", "Unobtainium", 7, "mg/dL", interpretation="H")) == {}


@pytest.mark.parametrize(
    ("fact", "present"),
    [
        (worded("Blood count", "leukocytosis"), True),
        (worded("Leukocytosis", interpretation="POS"), True),
        (worded("Leukocytosis", interpretation="NEG"), False),
        (worded("Leukocytosis", "negative"), False),
        (worded("Leukocytosis", "Not detected"), False),
        (worded("白细胞增多", "阴性"), False),
        (worded("No leukocytosis"), False),
    ],
)
def test_a_result_in_words_is_read_like_a_note(fact: Fact, present: bool) -> None:
    assert meaning(fact) == {"leukocytosis": present}


@pytest.mark.parametrize(
    "fact",
    [
        worded("Blood count", "possible leukocytosis"),
        worded("Blood count to rule out leukocytosis", kind="report"),
        worded("Rule out leukocytosis", kind="reason"),
        worded("Return if nausea", kind="report"),
        worded("Mother has headache", kind="report"),
        worded("History of headache", kind="reason"),
    ],
)
def test_a_result_in_doubt_of_once_or_of_others_is_not_present(fact: Fact) -> None:
    assert not any(meaning(fact).values())


def test_an_allergy_is_no_finding() -> None:
    assert meaning(worded("Penicillin", "nausea", kind="allergy")) == {}


@pytest.mark.parametrize("kind", ["procedure", "medication"])
def test_what_was_done_or_prescribed_is_no_symptom(kind: FactKind) -> None:
    assert meaning(worded("Syrup for cough", kind=kind)) == {}
    assert meaning(worded("Filter for deep vein thrombosis", kind=kind)) == {"prior_thrombosis": True}


def test_a_denial_at_the_start_of_a_result_does_not_hide_the_rest() -> None:
    assert meaning(worded("Blood count", "No hypokalemia, but leukocytosis"))["leukocytosis"] is True


def test_the_familys_disease_is_family_history() -> None:
    assert meaning(worded("migraine", kind="family_history")) == {"family_history_migraine": True}


def test_the_familys_symptom_is_not_the_patients() -> None:
    assert meaning(worded("cough", kind="family_history")) == {}


@pytest.mark.parametrize("text", ["Cough", "咳嗽"])
def test_a_problem_means_the_findings_it_names(text: str) -> None:
    assert meaning(problem(text)) == {"cough": True}


@pytest.mark.parametrize("status", ["refuted", "entered-in-error"])
def test_a_problem_denied_or_entered_by_mistake_means_nothing(status: str) -> None:
    assert meaning(problem("Cough", verification_status=status)) == {}


def test_a_lasting_history_outlives_its_resolution() -> None:
    assert meaning(problem("Deep vein thrombosis", clinical_status="resolved")) == {"prior_thrombosis": True}


@pytest.mark.parametrize(
    "listed",
    [
        problem("Headache", clinical_status="resolved", date=days_ago(4000)),
        problem("Headache", clinical_status="inactive"),
        problem("Family history of headache"),
        problem("No headache"),
    ],
)
def test_a_symptom_that_is_over_or_anothers_is_not_present(listed: Problem) -> None:
    assert meaning(listed).get("headache") is not True


@pytest.mark.parametrize(
    ("clinical", "verification", "current"),
    [
        ("active", "confirmed", True),
        ("", "", True),
        ("recurrence", "provisional", True),
        ("resolved", "confirmed", False),
        ("active", "refuted", False),
        ("active", "entered-in-error", False),
    ],
)
def test_which_problems_are_current(clinical: str, verification: str, current: bool) -> None:
    assert is_current(problem("Cough", clinical_status=clinical, verification_status=verification)) is current
