"""All notes and facts of a chart give one answer per finding, and it keeps the words it rests on."""

from __future__ import annotations

import pytest

from nlp_core.assertion import Assertion
from nlp_core.findings import MAX_QUOTE, ChartFindings
from nlp_core.note import Note
from tests.nlp_core.small_charts import (
    chart_of,
    days_ago,
    laboratory,
    note,
    observed,
    potassium,
    problem,
    small_chart_reader,
)


def found(*notes: Note | str, **fields: object) -> ChartFindings:
    return small_chart_reader().read(chart_of(*notes, **fields)).found


def test_what_is_named_is_present_and_what_is_denied_absent() -> None:
    assert observed("Cough for two days, denies chest pain.") == {"cough": True, "chest_pain": False}


@pytest.mark.parametrize(
    "text",
    [
        "Family history: chest pain.",
        "Her mother has chest pain.",
        "History of chest pain.",
        "Past medical history:\nChest pain.",
        "Return if chest pain develops.",
        "Possible chest pain.",
        "Rule out chest pain.",
        "父亲有胸痛。",
        "如出现胸痛，立即就诊。",
        "既往胸痛病史。",
    ],
)
def test_c11_someone_elses_past_possible_and_conditional_say_nothing_of_today(text: str) -> None:
    assert observed(text) == {}


@pytest.mark.parametrize("text", ["History of DVT.", "Past medical history:\nDVT.", "既往深静脉血栓病史。", "DVT."])
def test_a_history_counts_when_it_is_past(text: str) -> None:
    assert observed(text) == {"prior_thrombosis": True}


def test_a_denied_history_is_absent() -> None:
    assert observed("No history of DVT.") == {"prior_thrombosis": False}


def test_a_family_history_counts_when_it_is_the_familys() -> None:
    assert observed("Family history of migraine.") == {"family_history_migraine": True}
    assert observed("Family history:\nFamily history of migraine.") == {"family_history_migraine": True}


@pytest.mark.parametrize("text", ["Family history: migraine.", "FHx: migraine", "Family history\nMigraine."])
def test_a_disease_under_the_familys_heading_is_family_history(text: str) -> None:
    assert observed(text) == {"family_history_migraine": True}


@pytest.mark.parametrize("text", ["Denies family history of migraine.", "否认偏头痛家族史。"])
def test_a_denied_family_history_is_absent(text: str) -> None:
    assert observed(text) == {"family_history_migraine": False}


@pytest.mark.parametrize(
    "text",
    [
        "No family history of migraine.",
        "Family history: no migraine.",
        "Family history negative for migraine.",
        "Her mother does not have migraine.",
        "家族史：无偏头痛。",
    ],
)
def test_a_disease_denied_in_the_family_is_no_family_history(text: str) -> None:
    assert observed(text).get("family_history_migraine") is not True


def test_the_newer_note_speaks_over_the_older() -> None:
    cough, none = "Cough.", "No cough."
    assert observed(note(none), note(cough, age_days=3)) == {"cough": False}
    assert observed(note(cough), note(none, age_days=3)) == {"cough": True}


def test_within_one_note_a_complaint_outweighs_a_denial() -> None:
    assert observed("No cough at rest. Cough on exertion.") == {"cough": True}


def test_an_answer_quotes_only_what_agrees_with_it() -> None:
    answer = found(note("No cough today."), note("Cough.", age_days=2), note("Denies cough.", age_days=5)).observed[
        "cough"
    ]
    assert not answer.present
    assert [source.reference for source in answer.sources] == ["DocumentReference/0", "DocumentReference/5"]


def test_c10_a_sentence_copied_within_a_note_is_one_source() -> None:
    answer = found("Cough. " * 20).observed["cough"]
    assert len(answer.sources) == 1


def test_a_source_is_the_exact_words_with_note_and_date() -> None:
    written = note("Severe cough.", age_days=1).model_copy(update={"kind": "Nurse's note", "author_role": "Nurse"})
    (source,) = found(written).observed["cough"].sources
    assert source.span is not None
    assert written.quote(source.span) == source.quote == "cough"
    assert (source.kind, source.author_role, source.date) == ("Nurse's note", "Nurse", days_ago(1))


def test_a_fact_is_a_source_without_a_span() -> None:
    (source,) = found(facts=(potassium(6.2),)).observed["hyperkalemia"].sources
    assert (source.span, source.quote, source.kind) == (None, "Potassium 6.2 mmol/L", "laboratory")
    (source,) = found(problems=(problem("Cough"),)).observed["cough"].sources
    assert (source.span, source.quote, source.kind) == (None, "Cough", "problem list")


def test_words_too_far_apart_to_quote_are_no_evidence() -> None:
    assert observed("Chest " + " " * MAX_QUOTE + "pain.") == {}


def test_symptoms_of_long_before_the_newest_note_are_not_current() -> None:
    assert observed(note("Headache."), note("Cough.", age_days=91)) == {"headache": True}
    assert observed(note("Headache."), note("Cough.", age_days=89)) == {"headache": True, "cough": True}


def test_a_history_of_long_ago_is_still_one() -> None:
    assert observed(note("Headache."), note("DVT.", age_days=4000)) == {"headache": True, "prior_thrombosis": True}


def test_an_undated_note_counts_as_current() -> None:
    assert observed(note("Headache."), note("Cough.", age_days=None)) == {"headache": True, "cough": True}


def test_a_newest_note_that_names_nothing_still_is_the_newest() -> None:
    assert observed(note("The patient feels well."), note("Cough.", age_days=200)) == {}


def test_a_note_dated_in_the_future_does_not_make_todays_old() -> None:
    assert observed(note("Cough."), note("Headache.", age_days=-400))["cough"] is True


def test_results_of_long_before_the_newest_note_are_not_current() -> None:
    old = laboratory("6690-2", "Leukocytes", 18, "10*3/uL", date=days_ago(4000))
    assert "leukocytosis" not in observed(note("Headache."), facts=(old,))


def test_a_newer_result_speaks_over_an_older_note() -> None:
    assert observed(note("Hyperkalemia.", age_days=10), facts=(potassium(4.2),))["hyperkalemia"] is False


def test_a_diagnosis_named_is_kept_by_how_it_is_named() -> None:
    named = found("Influenza. Possible appendicitis. No pulmonary embolism. History of migraine.").named
    assert {entry: set(ways) for entry, ways in named.items()} == {
        "influenza": {Assertion.PRESENT},
        "appendicitis": {Assertion.POSSIBLE},
        "pulmonary_embolism": {Assertion.ABSENT},
        "migraine": {Assertion.PAST},
    }


def test_a_relatives_disease_does_not_hide_what_an_older_note_suspects() -> None:
    named = found(note("Mother has migraine."), note("Possible migraine.", age_days=1)).named["migraine"]
    assert Assertion.POSSIBLE in named
