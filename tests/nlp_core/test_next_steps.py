"""What to ask or test next: what tells the leading diagnoses apart, and never what is known."""

from __future__ import annotations

from collections.abc import Set
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp_core.assessment import NextStep
from nlp_core.diagnoses import Patient, Reasoner
from nlp_core.next_steps import next_steps
from tests.nlp_core.small_charts import found_of
from tests.nlp_core.small_knowledge import diagnosis, finding, knowledge_of, small_knowledge, step


@cache
def reasoner() -> Reasoner:
    return Reasoner(small_knowledge())


def steps(present: Set[str], absent: Set[str] = frozenset()) -> list[NextStep]:
    found = found_of(present, absent - present)
    return next_steps(reasoner().rank(found, Patient()), found.observed, reasoner())


subsets = st.sets(st.sampled_from(sorted(small_knowledge().findings)))


@given(subsets, subsets)
@settings(deadline=None)
def test_steps_are_few_useful_and_about_the_unknown(present: set[str], absent: set[str]) -> None:
    offered = steps(present, absent)
    assert not {one.finding for one in offered} & (present | absent)
    assert all(0 <= one.gain <= 1 for one in offered), "an answer of yes or no tells one bit at most"
    assert [one.gain for one in offered] == sorted((one.gain for one in offered), reverse=True)
    for kind in ("question", "test"):
        assert sum(one.kind == kind for one in offered) <= 2


def test_no_finding_is_asked_twice() -> None:
    offered = [one.finding for one in steps({"cough"})]
    assert len(offered) == len(set(offered))


def test_between_a_cold_and_influenza_the_influenza_test_tells_most() -> None:
    first = steps({"cough", "headache"})[0]
    assert (first.kind, first.finding, first.words.en) == ("test", "positive_influenza_test", "Influenza test")


def test_an_answered_question_makes_room_for_the_next() -> None:
    before = {one.finding for one in steps({"cough", "headache"})}
    after = {one.finding for one in steps({"cough", "headache"}, before)}
    assert after
    assert not before & after


def test_what_a_more_specific_finding_implies_is_not_asked() -> None:
    assert "fever" not in _asked_about_fever({"high_fever"}, set())


def test_what_a_denied_general_finding_rules_out_is_not_asked() -> None:
    assert "high_fever" not in _asked_about_fever(set(), {"fever"})


def _asked_about_fever(present: set[str], absent: set[str]) -> set[str]:
    """Two diagnoses, of which one asks for fever and for high fever."""
    findings = [finding("fever", "fever", "发热"), finding("high_fever", "high fever", "高热", is_a=["fever"])]
    asked = (step("fever", "Is there fever?"), step("high_fever", "How high is the fever?"))
    flu = diagnosis("flu", "flu", "流感", "J11.1", {"fever": 0.9, "high_fever": 0.6}, questions=asked)
    cold = diagnosis("cold", "cold", "感冒", "J00", {"fever": 0.1, "high_fever": 0.01})
    reasoner = Reasoner(knowledge_of(findings, [flu, cold]))
    found = found_of(present, absent)
    return {one.finding for one in next_steps(reasoner.rank(found, Patient()), found.observed, reasoner)}


def test_a_question_with_the_same_answer_everywhere_gains_nothing() -> None:
    both = {"headache": 0.5}
    flu = diagnosis("flu", "flu", "流感", "J11.1", both, questions=(step("headache", "Does the head ache?"),))
    cold = diagnosis("cold", "cold", "感冒", "J00", both)
    reasoner = Reasoner(knowledge_of([finding("headache", "headache", "头痛")], [flu, cold]))
    (only,) = next_steps(reasoner.rank(found_of(), Patient()), {}, reasoner)
    assert only.gain == pytest.approx(0, abs=1e-9)


def test_each_step_says_which_leading_diagnoses_ask_for_it_in_its_words() -> None:
    same, other = step("headache", "Does the head ache?"), step("headache", "Is it the head?")
    asking = {
        "flu": (same, step("cough", "Is there a cough?")),
        "cold": (same,),
        "migraine": (other,),
    }
    findings = [finding("headache", "headache", "头痛"), finding("cough", "cough", "咳嗽")]
    diagnoses = [
        diagnosis(name, name, "病", code, {"headache": share, "cough": 0.3}, questions=asking[name])
        for name, code, share in (("flu", "J11.1", 0.9), ("cold", "J00", 0.8), ("migraine", "G43.9", 0.7))
    ]
    reasoner = Reasoner(knowledge_of(findings, diagnoses))
    offered = next_steps(reasoner.rank(found_of(), Patient()), {}, reasoner)
    by_words = {one.words.en: set(one.diagnoses) for one in offered}
    assert by_words["Is there a cough?"] == {"flu"}
    assert by_words.get("Does the head ache?", {"flu", "cold"}) == {"flu", "cold"}
    assert by_words.get("Is it the head?", {"migraine"}) == {"migraine"}
    assert len(by_words) == 2


def test_without_candidates_there_is_nothing_to_ask() -> None:
    assert next_steps([], {}, reasoner()) == []
