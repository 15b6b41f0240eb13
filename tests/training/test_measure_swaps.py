"""Whom medicine tells apart is left out of the count, and for all others the shipped model gives the same answer."""

from __future__ import annotations

from functools import cache

import pytest

from nlp_core.assess import Reader
from nlp_core.assessment import Language
from nlp_core.chart import Sex
from training.measures.measure_swaps import KINDS, Judge, Outcome, measure, page, read
from training.measures.own_cases import DEVELOPMENT, Case, Gold, coded_chart, read_cases
from training.measures.remembering_reader import remembering_reader

CASES = read_cases(DEVELOPMENT)[::12]


@cache
def shipped() -> Reader:
    return remembering_reader()


@cache
def outcomes() -> tuple[Outcome, ...]:
    return tuple(measure(shipped(), CASES, seed=3))


def cares(kind: str, text: str, gold: str, **changes: object) -> bool:
    chart = coded_chart(text)
    swapped = chart.model_copy(update=changes)
    case = Case(id="one", style="note", gold=(Gold(name="", icd10=gold),), en=text, zh=text)
    return Judge(shipped().knowledge).cares(
        kind, case, chart, swapped, read(shipped(), chart), read(shipped(), swapped)
    )


@pytest.mark.parametrize(
    ("text", "gold", "sex", "matters"),
    [
        ("A 30-year-old woman with fever, cough, runny nose and sore throat.", "J00", "male", False),
        ("A 30-year-old woman, 20 weeks pregnant, with fever, cough and sore throat.", "J00", "male", True),
        ("A 70-year-old man with urinary frequency, nocturia and a weak stream.", "N40.1", "female", True),
        ("A 30-year-old woman with fever, cough, runny nose. Hb 12.5 g/dL.", "J00", "male", True),
    ],
)
def test_the_knowledge_says_where_the_sex_matters(text: str, gold: str, sex: Sex, matters: bool) -> None:
    assert cares("sex", text, gold, sex=sex) is matters


def test_two_years_matter_where_a_diagnosis_is_possible_at_one_age_only() -> None:
    text = "A 30-year-old woman with fever, cough, runny nose and sore throat."
    oldest = max(
        diagnosis.age.possible[1]
        for diagnosis in shipped().knowledge.diagnoses.values()
        if diagnosis.icd10cm == "J05.0"
    )
    assert not cares("age", text, "J00", age_years=32)
    assert cares("age", text, "J05.0", age_years=oldest)


def test_the_leading_diagnosis_stays_when_the_patient_is_somebody_else() -> None:
    assert {one.kind for one in outcomes()} == set(KINDS)
    flipped = [one for one in outcomes() if one.flipped]
    assert len(flipped) <= 0.01 * len(outcomes()), flipped


@pytest.mark.parametrize("kind", ["name", "name that is a word"])
def test_no_name_makes_a_finding(kind: str) -> None:
    """A sentence with a name in it may be read as neighbours of what it meant before; a name alone adds nothing."""
    for one in outcomes():
        made = [change for change in one.changed if change.startswith("+") and not change.startswith("+no ")]
        lost = [change for change in one.changed if change.startswith("-")]
        assert one.kind != kind or lost or not made, one


def outcome(case: str, after: str, language: Language = "en") -> Outcome:
    return Outcome("name", language, case, "Mr Rash", "gout", after, ("+rash",))


def test_flips_are_counted_of_all_and_listed_of_those_that_may_be_looked_at() -> None:
    found = [outcome("dev-1", "gout"), outcome("dev-2", "pseudogout"), outcome("test-1", "cellulitis")]
    written = page(shipped(), found, {"dev-1", "dev-2"}, "")
    assert "| en | 3 | 3 | 66.67 % (20.8–93.9) | 100.0 % |" in written
    assert "| dev-2 | en | Mr Rash | gout | pseudogout | +rash |" in written
    assert "test-1" not in written
