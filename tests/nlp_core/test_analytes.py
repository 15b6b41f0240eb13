"""A number means a finding by its unit, the threshold, and who it was measured in."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp_core.analytes import Analyte, Thresholds
from nlp_core.chart import Sex
from nlp_core.knowledge import Finding, Measured
from tests.nlp_core.small_knowledge import finding, small_knowledge

SMALL = Thresholds(small_knowledge().findings.values())
HEMOGLOBIN, TEMPERATURE = "718-7", "8310-5"


def lab(entry: str, loinc: str, unit: str, **limits: Any) -> Finding:
    measured = Measured(loinc=(loinc,), unit=unit, **limits)
    return finding(entry, entry.replace("_", " "), "化验", kind="lab", measured=[measured])


TROPONIN = Thresholds(
    [
        finding(
            "elevated_troponin",
            "elevated troponin",
            "肌钙蛋白升高",
            kind="lab",
            measured=[
                Measured(loinc=("10839-9",), unit="ng/mL", above=0.04),
                Measured(loinc=("6598-7",), unit="ng/mL", above=0.03),
                Measured(loinc=("67151-1",), unit="ng/L", above=14),
                Measured(loinc=("89579-7",), unit="ng/L", above=26),
            ],
        )
    ]
)


def analyte(loinc: str) -> Analyte:
    return SMALL.by_loinc[loinc]


def meaning(
    thresholds: Thresholds, loinc: str, value: float, *, sex: Sex = "unknown", age: float | None = 40
) -> dict[str, bool]:
    return dict(thresholds.meaning(thresholds.by_loinc[loinc], value, sex=sex, age_years=age))


@pytest.mark.parametrize(
    ("loinc", "value", "unit", "converted"),
    [
        ("2823-3", 6.2, "mmol/L", 6.2),
        ("2823-3", 6.2, "mEq/L", 6.2),
        (TEMPERATURE, 102.2, "[degF]", 39.0),
        (TEMPERATURE, 39.0, "Cel", 39.0),
        (HEMOGLOBIN, 95, "g/L", 9.5),
        ("6690-2", 12_000, "/uL", 12.0),
        ("2823-3", 6.2, "MMOL / L", 6.2),  # case and blanks do not matter
    ],
)
def test_a_value_is_compared_in_one_unit(loinc: str, value: float, unit: str, converted: float) -> None:
    assert analyte(loinc).convert(value, unit) == pytest.approx(converted)


def test_an_unknown_unit_gives_no_value() -> None:
    assert analyte("2823-3").convert(6.2, "furlongs") is None


@pytest.mark.parametrize(("value", "unit"), [(62, "mmol/L"), (-1, "mmol/L"), (0, "")])
def test_an_implausible_number_is_no_value(value: float, unit: str) -> None:
    assert analyte("2823-3").convert(value, unit) is None


@pytest.mark.parametrize(("written", "celsius"), [(39.0, 39.0), (102.2, 39.0)])
def test_without_a_unit_the_plausible_one_is_meant(written: float, celsius: float) -> None:
    assert analyte(TEMPERATURE).convert(written, "") == pytest.approx(celsius)


@given(st.floats(31, 43))
def test_fahrenheit_and_celsius_agree(celsius: float) -> None:
    fahrenheit = celsius * 1.8 + 32
    assert analyte(TEMPERATURE).convert(fahrenheit, "°F") == pytest.approx(celsius)


@pytest.mark.parametrize(
    ("value", "present"),
    [
        (3.0, {"hypokalemia"}),
        (3.5, set()),
        (4.2, set()),
        (5.5, set()),  # the limit itself is not above the limit
        (6.2, {"hyperkalemia"}),
        (7.1, {"hyperkalemia", "severe_hyperkalemia"}),
    ],
)
def test_every_potassium_answers_for_all_its_findings(value: float, present: set[str]) -> None:
    answers = meaning(SMALL, "2823-3", value)
    assert set(answers) == {"hypokalemia", "hyperkalemia", "severe_hyperkalemia"}
    assert {entry for entry, answer in answers.items() if answer} == present


def test_a_threshold_in_another_unit_is_converted() -> None:
    thresholds = Thresholds([lab("anemia", HEMOGLOBIN, "g/L", below=120)])
    assert meaning(thresholds, HEMOGLOBIN, 11.0) == {"anemia": True}
    assert meaning(thresholds, HEMOGLOBIN, 13.0) == {"anemia": False}


def by_sex() -> Thresholds:
    rules = [
        Measured(loinc=(HEMOGLOBIN,), unit="g/dL", below=12, sex="female"),
        Measured(loinc=(HEMOGLOBIN,), unit="g/dL", below=13, sex="male"),
    ]
    return Thresholds([finding("anemia", "anemia", "贫血", kind="lab", measured=rules)])


@pytest.mark.parametrize(
    ("sex", "answers"), [("female", {"anemia": False}), ("male", {"anemia": True}), ("unknown", {})]
)
def test_only_rules_for_this_sex_speak(sex: Sex, answers: dict[str, bool]) -> None:
    assert meaning(by_sex(), HEMOGLOBIN, 12.5, sex=sex) == answers


@pytest.mark.parametrize(("age", "answers"), [(40, {"tachycardia": True}), (3, {}), (None, {"tachycardia": True})])
def test_only_rules_for_this_age_speak_and_an_unknown_age_is_an_adults(
    age: float | None, answers: dict[str, bool]
) -> None:
    assert meaning(SMALL, "8867-4", 120, age=age) == answers


def test_one_of_several_rules_is_enough() -> None:
    rules = [
        Measured(loinc=("2345-7",), unit="mg/dL", **{side: limit}) for side, limit in (("below", 60), ("above", 250))
    ]
    thresholds = Thresholds([finding("glucose_upset", "glucose upset", "血糖紊乱", kind="lab", measured=rules)])
    assert meaning(thresholds, "2345-7", 50) == meaning(thresholds, "2345-7", 300) == {"glucose_upset": True}
    assert meaning(thresholds, "2345-7", 100) == {"glucose_upset": False}


def test_a_flag_means_the_mildest_finding_on_its_side() -> None:
    assert SMALL.direction(analyte("2823-3"), "above", sex="unknown") == ["hyperkalemia"]
    assert SMALL.direction(analyte("2823-3"), "below", sex="unknown") == ["hypokalemia"]
    assert SMALL.direction(analyte("6690-2"), "below", sex="unknown") == []


@pytest.mark.parametrize(("sex", "findings"), [("male", ["low_testosterone"]), ("female", []), ("unknown", [])])
def test_a_flag_means_no_finding_of_the_other_sex(sex: Sex, findings: list[str]) -> None:
    thresholds = Thresholds([lab("low_testosterone", "2986-8", "ng/dL", below=280, sex="male")])
    assert thresholds.direction(thresholds.by_loinc["2986-8"], "below", sex=sex) == findings


@pytest.mark.parametrize("sex", ["female", "male", "unknown"])
def test_a_flag_means_a_finding_that_both_sexes_can_have(sex: Sex) -> None:
    thresholds = by_sex()
    assert thresholds.direction(thresholds.by_loinc[HEMOGLOBIN], "below", sex=sex) == ["anemia"]


def test_the_mildest_is_found_among_limits_in_different_units() -> None:
    fever = lab("fever", TEMPERATURE, "[degF]", above=100.4)
    thresholds = Thresholds([fever, lab("high_fever", TEMPERATURE, "Cel", above=39)])
    assert thresholds.direction(thresholds.by_loinc[TEMPERATURE], "above", sex="unknown") == ["fever"]


def test_a_code_nobody_measures_by_means_nothing() -> None:
    thresholds = Thresholds([lab("oddity", "0-0", "mg/dL", above=1)])
    assert "0-0" not in thresholds.by_loinc


def test_every_analyte_shipped_has_plausible_bounds_and_knows_its_own_unit() -> None:
    for shipped in SMALL.analytes.values():
        low, high = shipped.plausible
        assert low < high, shipped.id
        middle = (low + high) / 2
        assert shipped.convert(middle, shipped.unit) == pytest.approx(middle), shipped.id


@pytest.mark.parametrize(
    ("loinc", "value", "elevated"),
    [
        ("10839-9", 30, False),
        ("10839-9", 50, True),
        ("89579-7", 30, True),
        ("6598-7", 20, False),
        ("67151-1", 20, True),
    ],
)
def test_conventional_and_high_sensitivity_troponin_have_limits_of_their_own(
    loinc: str, value: float, elevated: bool
) -> None:
    assert meaning(TROPONIN, loinc, value) == {"elevated_troponin": elevated}
