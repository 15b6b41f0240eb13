"""Findings raise and lower diagnoses as the knowledge says, and every share of the sum can be shown."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp_core.assertion import Assertion
from nlp_core.chart import Sex
from nlp_core.diagnoses import Patient, Ranked, Reasoner, told_key
from nlp_core.findings import ChartFindings, Source, Told
from nlp_core.knowledge import Onset
from nlp_core.model_faults import ScoresNotFinite
from nlp_core.note import Span
from nlp_core.share_tables import DEFAULT_WEIGHTS, ShareTables
from tests.nlp_core.small_charts import found_of
from tests.nlp_core.small_knowledge import diagnosis, finding, knowledge_of, small_knowledge
from tests.nlp_core.small_matcher import sentence, speaks_for_the_first

ANYBODY = Patient()


@cache
def reasoner() -> Reasoner:
    return Reasoner(small_knowledge())


def rank(found: ChartFindings, patient: Patient = ANYBODY) -> dict[str, Ranked]:
    return {ranked.diagnosis.id: ranked for ranked in reasoner().rank(found, patient)}


def score(entry: str, *present: str, absent: tuple[str, ...] = (), patient: Patient = ANYBODY) -> float:
    return rank(found_of(present, absent), patient)[entry].score


def named(entry: str, *ways: Assertion) -> ChartFindings:
    return ChartFindings({}, {entry: {way: [] for way in ways}})


def test_a_present_finding_raises_the_diagnosis_that_lists_it() -> None:
    assert score("migraine", "photophobia") > score("migraine")


def test_an_absent_finding_lowers_the_diagnosis_that_lists_it() -> None:
    assert score("migraine", absent=("photophobia",)) < score("migraine")


def test_an_absent_finding_says_nothing_of_diagnoses_without_it() -> None:
    assert score("influenza", absent=("photophobia",)) == score("influenza")


def test_a_finding_against_lowers_its_diagnosis() -> None:
    assert score("common_cold", "high_fever") < score("common_cold")


def test_a_complaint_that_a_diagnosis_does_not_explain_lowers_it() -> None:
    assert score("appendicitis", "oliguria") < score("appendicitis")


def test_the_rarer_a_finding_is_elsewhere_the_more_it_says() -> None:
    by_photophobia = score("migraine", "photophobia") - score("migraine")  # of 2 in 100 people
    by_nausea = score("migraine", "nausea") - score("migraine")  # of 10 in 100
    assert by_photophobia > by_nausea


def test_a_risk_factor_counts_like_a_finding() -> None:
    assert score("pulmonary_embolism", "prior_thrombosis") > score("pulmonary_embolism")


def test_a_child_counts_through_its_listed_parent_though_for_less() -> None:
    by_child = score("influenza", "throbbing_headache") - score("influenza")
    by_parent = score("influenza", "headache") - score("influenza")
    assert 0 < by_child < by_parent


def test_a_parent_counts_through_its_listed_child_though_for_less() -> None:
    by_parent = score("pulmonary_embolism", "chest_pain") - score("pulmonary_embolism")
    by_child = score("pulmonary_embolism", "pleuritic_chest_pain") - score("pulmonary_embolism")
    assert 0 < by_parent < by_child


def test_a_denied_parent_denies_its_listed_child() -> None:
    assert score("pulmonary_embolism", absent=("chest_pain",)) < score("pulmonary_embolism")


def test_a_parent_adds_nothing_to_its_child() -> None:
    assert score("influenza", "high_fever", "fever") == score("influenza", "high_fever")


def siblings() -> Reasoner:
    """A diagnosis that lists headache; seen are two kinds of headache it does not list."""
    findings = [
        finding("headache", "headache", "头痛", background=0.1),
        finding("throbbing_headache", "throbbing headache", "搏动性头痛", background=0.02, is_a=["headache"]),
        finding("morning_headache", "morning headache", "晨起头痛", background=0.02, is_a=["headache"]),
    ]
    return Reasoner(knowledge_of(findings, [diagnosis("flu", "flu", "流感", "J11.1", {"headache": 0.6})]))


def test_two_borrowings_from_one_relative_count_once() -> None:
    (once,) = siblings().rank(found_of(["throbbing_headache"]), ANYBODY)
    (twice,) = siblings().rank(found_of(["throbbing_headache", "morning_headache"]), ANYBODY)
    assert twice.score == pytest.approx(once.score)


def test_a_denied_parent_adds_nothing_to_its_denied_child() -> None:
    child = score("pulmonary_embolism", absent=("pleuritic_chest_pain",))
    both = score("pulmonary_embolism", absent=("pleuritic_chest_pain", "chest_pain"))
    assert both == pytest.approx(child, abs=1e-5)


def test_no_single_finding_proves_a_diagnosis() -> None:
    shares = rank(found_of(["positive_influenza_test"]))["influenza"].shares
    assert shares["positive_influenza_test"] == pytest.approx(DEFAULT_WEIGHTS.strongest * DEFAULT_WEIGHTS.evidence)


@pytest.mark.parametrize(
    ("age", "possible"), [(0.5, False), (3.9, False), (4, True), (30, True), (100.9, True), (102, False)]
)
def test_outside_the_possible_ages_a_diagnosis_is_excluded(age: float, possible: bool) -> None:
    assert ("migraine" in rank(found_of(["photophobia"]), Patient(age_years=age))) is possible


def test_an_unusual_age_lowers_and_does_not_exclude() -> None:
    young, old, older = (score("migraine", "photophobia", patient=Patient(age_years=age)) for age in (30, 70, 95))
    assert young > old > older


@pytest.mark.parametrize(
    ("sex", "possible"), [("female", {"torsion_of_ovary"}), ("male", {"torsion_of_testis"}), ("unknown", None)]
)
def test_the_other_sex_excludes(sex: Sex, possible: set[str] | None) -> None:
    both = [
        diagnosis("torsion_of_ovary", "ovarian torsion", "卵巢扭转", "N83.51", {"nausea": 0.6}, sex="female"),
        diagnosis("torsion_of_testis", "testicular torsion", "睾丸扭转", "N44.00", {"nausea": 0.6}, sex="male"),
    ]
    torsions = Reasoner(knowledge_of([finding("nausea", "nausea", "恶心")], both))
    ranked = {entry.diagnosis.id for entry in torsions.rank(found_of(["nausea"]), Patient(sex=sex))}
    assert ranked == (possible or {"torsion_of_ovary", "torsion_of_testis"})


@pytest.mark.parametrize("age", [130.0, -1.0])
def test_c19_where_nothing_is_possible_the_ranking_is_empty(age: float) -> None:
    assert rank(found_of(["cough"]), Patient(age_years=age)) == {}


def test_an_onset_that_fits_raises_and_one_that_does_not_lowers() -> None:
    def with_onset(onset: Onset | None) -> float:
        return score("pulmonary_embolism", "dyspnea", patient=Patient(onset=onset))

    assert with_onset("sudden") > with_onset(None) > with_onset("years")


def test_without_findings_the_frequent_comes_first() -> None:
    ranked = list(rank(found_of()))
    assert ranked[0] == "common_cold"
    assert ranked[-1] == "pulmonary_embolism"


def test_a_denied_diagnosis_loses_and_stating_or_suspecting_it_adds_nothing() -> None:
    ways = (Assertion.PRESENT, Assertion.POSSIBLE, Assertion.FAMILY, Assertion.ABSENT)
    established, suspected, of_family, denied = (rank(named("migraine", way))["migraine"].score for way in ways)
    assert of_family > denied
    assert established == suspected == of_family == score("migraine")


subsets = st.sets(st.sampled_from(sorted(small_knowledge().findings)))
patients = st.builds(
    Patient,
    age_years=st.none() | st.floats(0, 100),
    sex=st.sampled_from(["female", "male", "unknown"]),
    onset=st.none() | st.sampled_from(["sudden", "days", "years"]),
)


@given(subsets, subsets, patients)
@settings(deadline=None)
def test_the_shares_explain_the_score(present: set[str], absent: set[str], patient: Patient) -> None:
    without = rank(found_of(), patient)
    for entry, ranked in rank(found_of(present, absent - present), patient).items():
        assert ranked.score - without[entry].score == pytest.approx(sum(ranked.shares.values()), abs=1e-4)
        assert set(ranked.shares) <= present | absent


@given(subsets, subsets, patients)
@settings(deadline=None)
def test_probabilities_are_of_one_patient_and_best_first(present: set[str], absent: set[str], patient: Patient) -> None:
    probabilities = [ranked.probability for ranked in rank(found_of(present, absent - present), patient).values()]
    assert sum(probabilities) == pytest.approx(1, abs=1e-4)
    assert probabilities == sorted(probabilities, reverse=True)


@given(st.permutations(sorted(small_knowledge().findings)))
@settings(deadline=None)
def test_the_order_in_which_findings_are_read_does_not_matter(findings: list[str]) -> None:
    read, sorted_read = rank(found_of(findings)), rank(found_of(sorted(findings)))
    assert {e: r.score for e, r in read.items()} == pytest.approx(
        {e: r.score for e, r in sorted_read.items()}, abs=1e-4
    )


@pytest.mark.parametrize(
    ("entry", "seen", "share"),
    [("migraine", "photophobia", 0.75), ("common_cold", "sick_contact", 0.4), ("migraine", "cough", 0.15)],
)
def test_the_share_is_the_knowledges_or_the_background(entry: str, seen: str, share: float) -> None:
    assert reasoner().share(entry, seen) == share


def test_where_a_patient_is_seen_counts_for_those_who_are_seen_there() -> None:
    entries = [
        diagnosis("at_home", "At home", "在家", "A00", {"cough": 0.5}, setting={"ambulatory": 0.9, "inpatient": 0.1}),
        diagnosis("in_haste", "In haste", "急", "A01", {"cough": 0.5}, setting={"emergency": 1.0}),
    ]
    two = Reasoner(knowledge_of([finding("cough", "cough", "咳嗽")], entries))
    for setting, first in (("ambulatory", "at_home"), ("emergency", "in_haste")):
        ranked = two.rank(found_of(["cough"], []), Patient(setting=setting))
        assert ranked[0].diagnosis.id == first
        assert ranked[0].score - ranked[1].score < 2  # it says less than a finding can
    unknown = two.rank(found_of(["cough"], []), Patient())
    assert unknown[0].score == unknown[1].score


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_d13_a_trust_that_is_no_number_is_a_fault_and_no_impossible_diagnosis(bad: float) -> None:
    found = found_of(("photophobia",), ())
    doubtful = {finding: replace(observed, trust=bad) for finding, observed in found.observed.items()}
    with pytest.raises(ScoresNotFinite):
        reasoner().rank(replace(found, observed=doubtful), ANYBODY)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("table", ["present", "absent"])
def test_d13_a_share_that_is_no_number_is_a_fault(bad: float, table: str) -> None:
    tables = ShareTables.of(small_knowledge())
    numbers = np.full_like(getattr(tables, table), bad)
    found = found_of(("photophobia",), ()) if table == "present" else found_of((), ("photophobia",))
    with pytest.raises(ScoresNotFinite):
        Reasoner(small_knowledge(), replace(tables, **{table: numbers})).rank(found, ANYBODY)


def test_a_sentence_as_a_whole_has_a_share_of_its_own() -> None:
    diagnoses = list(small_knowledge().diagnoses)
    matcher = speaks_for_the_first(diagnoses, width=2)
    told = [Told(Source("DocumentReference/1", Span(start=0, end=4), "said", "note"), sentence(1, 0))]
    ranked = Reasoner(small_knowledge(), matcher=matcher).rank(ChartFindings(told=told), ANYBODY)
    share = {one.diagnosis.id: one.shares.get(told_key(0), 0.0) for one in ranked}
    assert share[diagnoses[0]] > 1 > share[diagnoses[1]]
