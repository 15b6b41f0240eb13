"""What the problem list already holds, denies or held once, by code and by words."""

from __future__ import annotations

from functools import cache

import pytest

from nlp_core.assessment import ProblemListStatus
from nlp_core.chart import Coding, Problem
from nlp_core.known_problems import ProblemMatcher
from nlp_core.mentions import MentionReader
from tests.nlp_core.small_charts import problem
from tests.nlp_core.small_knowledge import small_knowledge


@cache
def matcher() -> ProblemMatcher:
    return ProblemMatcher(small_knowledge(), MentionReader(small_knowledge()))


def known(*problems: Problem) -> dict[str, ProblemListStatus]:
    return matcher().known(problems)


@pytest.mark.parametrize(
    "system",
    ["http://hl7.org/fhir/sid/icd-10-cm", "urn:oid:2.16.840.1.113883.6.90", "http://hl7.org/fhir/sid/icd-10", "ICD10"],
)
def test_every_way_of_naming_icd_10_is_understood(system: str) -> None:
    coded = Problem(reference="Condition/1", codings=(Coding(system=system, code="J11.1"),))
    assert known(coded) == {"influenza": "active"}


@pytest.mark.parametrize("system", ["http://snomed.info/sct", "http://hl7.org/fhir/sid/icd-9-cm", "http://loinc.org"])
def test_a_code_of_another_system_is_not_read_as_icd_10(system: str) -> None:
    assert known(Problem(reference="Condition/1", codings=(Coding(system=system, code="J11.1"),))) == {}


def test_d4_a_snomed_code_is_matched_by_its_display() -> None:
    coding = Coding(system="http://snomed.info/sct", code="59282003", display="Pulmonary embolism (disorder)")
    assert known(Problem(reference="Condition/1", codings=(coding,))) == {"pulmonary_embolism": "active"}


@pytest.mark.parametrize(
    "text", ["Pulmonary embolism", "PE", "Acute pulmonary embolism, bilateral", "肺栓塞", "急性肺栓塞"]
)
def test_d4_words_alone_are_enough_in_english_and_chinese(text: str) -> None:
    assert known(problem(text)) == {"pulmonary_embolism": "active"}


@pytest.mark.parametrize(
    ("listed", "status"),
    [
        (problem(icd10cm="J11.1"), "active"),
        (problem(icd10cm="J11.1", clinical_status="active", verification_status="confirmed"), "active"),
        (problem(icd10cm="J11.1", verification_status="provisional"), "active"),
        (problem(icd10cm="J11.1", clinical_status="recurrence"), "active"),
        (problem(icd10cm="J11.1", clinical_status="resolved"), "past"),
        (problem(icd10cm="J11.1", clinical_status="inactive"), "past"),
        (problem(icd10cm="J11.1", clinical_status="remission"), "past"),
        (problem(icd10cm="J11.1", verification_status="refuted"), "refuted"),
        (problem("Flu", verification_status="refuted"), "refuted"),
    ],
)
def test_d5_what_the_list_says_of_it(listed: Problem, status: ProblemListStatus) -> None:
    assert known(listed) == {"influenza": status}


def test_d5_an_entry_made_by_mistake_says_nothing() -> None:
    assert known(problem("Flu", icd10cm="J11.1", verification_status="entered-in-error")) == {}


def test_of_several_entries_active_wins_then_refuted() -> None:
    past = problem("Flu", clinical_status="resolved")
    refuted = problem("Flu", verification_status="refuted")
    active = problem("Flu")
    assert known(past, refuted, active) == known(active, refuted, past) == {"influenza": "active"}
    assert known(past, refuted) == known(refuted, past) == {"influenza": "refuted"}


@pytest.mark.parametrize("text", ["Family history of migraine", "偏头痛家族史", "Mother has migraine"])
def test_the_familys_disease_is_not_on_the_patients_list(text: str) -> None:
    assert known(problem(text)) == {}


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("History of pulmonary embolism", {"pulmonary_embolism": "past"}),
        ("既往肺栓塞病史", {"pulmonary_embolism": "past"}),
        ("Pulmonary embolism ruled out", {"pulmonary_embolism": "refuted"}),
        ("At risk for pulmonary embolism", {}),
    ],
)
def test_a_former_denied_or_feared_disease_does_not_hide_a_present_one(
    text: str, status: dict[str, ProblemListStatus]
) -> None:
    assert known(problem(text)) == status


def test_an_empty_list_and_an_empty_entry_know_nothing() -> None:
    assert known() == known(problem()) == {}
