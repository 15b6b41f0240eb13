"""From chart to assessment: ranked diagnoses with their words, or silence with its reason."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nlp_core.assess import MOST_CANDIDATES, Reader, diagnose
from nlp_core.assessment import Assessment, Candidate
from nlp_core.bundle_errors import BundleError
from nlp_core.calibration import Calibration
from nlp_core.chart import Chart
from nlp_core.chart_reading import ChartReader
from nlp_core.model_bundle import Bundle, composed_bundle_path
from nlp_core.note import Note
from tests.nlp_core.small_charts import (
    EMBOLISM,
    INFLUENZA,
    chart_of,
    days_ago,
    note,
    potassium,
    probabilities,
    problem,
    small_chart_reader,
    small_reader,
)
from tests.nlp_core.small_knowledge import diagnosis, finding, knowledge_of, small_knowledge


def assess(*notes: Note | str, **fields: object) -> Assessment:
    return small_reader().assess(chart_of(*notes, **fields))


def calibrated(**fields: object) -> Reader:
    table = {
        "fitted_on": "nobody", "patients": 0, "expected_calibration_error": 0, "leading_calibration_error": 0,
        "raw": (0, 1), "leading": (0, 1), "following": (0, 1),
    }  # fmt: skip
    calibration = Calibration.model_validate({"silence_below": 0.1, **table, **fields})
    return Reader(small_knowledge(), small_chart_reader(), calibration=calibration, model_version="test")


def candidate(assessment: Assessment, entry: str) -> Candidate:
    return next(found for found in assessment.candidates if found.diagnosis == entry)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        (INFLUENZA, "influenza"),
        (EMBOLISM, "pulmonary_embolism"),
        ("Throbbing headache with photophobia and nausea.", "migraine"),
        ("RLQ pain, nausea, WBC 15.2.", "appendicitis"),
        ("发热39.5℃，咳嗽，全身酸痛2天。", "influenza"),
        ("突发呼吸困难，胸膜性胸痛，既往深静脉血栓病史。", "pulmonary_embolism"),
        ("右下腹痛、恶心、发热。", "appendicitis"),
    ],
)
def test_the_diagnosis_the_words_describe_comes_first(text: str, first: str) -> None:
    assessment = assess(text)
    assert assessment.silence is None
    assert assessment.candidates[0].diagnosis == first


def test_each_candidate_says_what_speaks_for_and_against_it() -> None:
    cold = candidate(assess("Runny nose, cough, high fever, no headache."), "common_cold")
    assert {item.finding for item in cold.evidence_for} == {"runny_nose", "cough"}
    assert [item.finding for item in cold.evidence_against] == ["high_fever"]


def test_a_candidate_carries_what_the_knowledge_says_of_it() -> None:
    embolism = candidate(assess(EMBOLISM), "pulmonary_embolism")
    written = small_knowledge().diagnoses["pulmonary_embolism"]
    assert (embolism.names, embolism.icd10cm) == (written.names.display, "I26.99")
    assert (embolism.urgency, embolism.cannot_miss) == ("emergency", True)


def test_candidates_are_best_first_and_each_has_evidence() -> None:
    candidates = assess(INFLUENZA).candidates
    found = [one.probability for one in candidates]
    assert found == sorted(found, reverse=True)
    assert all(one.evidence_for for one in candidates)


def test_at_most_ten_candidates_are_named() -> None:
    findings = [finding("cough", "cough", "咳嗽"), finding("fever", "fever", "发热")]
    many = [diagnosis(f"cold_{n}", f"cold {n}", f"感冒{n}", "J00", {"cough": 0.5, "fever": 0.5}) for n in range(15)]
    knowledge = knowledge_of(findings, many)
    reader = Reader(knowledge, ChartReader(knowledge, None), calibration=None, model_version="test")
    assert len(reader.assess(chart_of("Cough and fever.")).candidates) == MOST_CANDIDATES == 10


def test_a_finding_without_words_brings_no_candidate() -> None:
    assert assess("Well.", age_years=30).candidates == ()


def test_what_the_problem_list_says_is_told() -> None:
    listed = (problem(icd10cm="J11.1"), problem("肺栓塞", verification_status="refuted"))
    assessment = assess(INFLUENZA + " " + EMBOLISM, problems=listed)
    assert candidate(assessment, "influenza").problem_list == "active"
    assert candidate(assessment, "pulmonary_embolism").problem_list == "refuted"
    assert candidate(assess(INFLUENZA), "influenza").problem_list is None


@pytest.mark.parametrize(
    ("words", "named"),
    [("Influenza.", True), ("History of influenza.", True), ("Possible influenza.", False), ("No influenza.", False)],
)
def test_it_is_told_whether_a_note_establishes_the_diagnosis(words: str, named: bool) -> None:
    assert candidate(assess(f"{INFLUENZA} {words}"), "influenza").named_in_chart is named


def test_steps_are_about_the_candidates_shown() -> None:
    assessment = assess("Cough and headache.")
    shown = [small_knowledge().diagnoses[one.diagnosis] for one in assessment.candidates]
    asked = {step.finding for entry in shown for step in (*entry.questions, *entry.tests)}
    assert assessment.next_steps
    assert {step.finding for step in assessment.next_steps} <= asked - {"cough", "headache"}
    assert all(step.diagnoses for step in assessment.next_steps)
    assert {name for step in assessment.next_steps for name in step.diagnoses} <= {one.id for one in shown}


def test_what_was_read_is_counted_and_dated() -> None:
    old, new = note("Cough.", age_days=9), note(INFLUENZA, age_days=1)
    assessment = assess(new, old, facts=(potassium(4.2, date=days_ago(4)),))
    assert (assessment.notes_read, assessment.notes_unread) == (2, 0)
    assert (assessment.newest_note, assessment.oldest_note) == (days_ago(1), days_ago(9))
    assert assessment.newest_laboratory == days_ago(4)
    assert (assessment.model_version, assessment.knowledge_version) == ("test", "small")


def test_notes_left_unread_are_counted() -> None:
    chart = chart_of(note(INFLUENZA, age_days=1), note("Cough.", age_days=9))
    assessment = small_reader().assess(chart, deadline=time.monotonic())
    assert (assessment.notes_read, assessment.notes_unread) == (1, 1)
    assert assessment.newest_note == assessment.oldest_note == days_ago(1)


@pytest.mark.parametrize("text", [INFLUENZA, "发热39.5℃，咳嗽，全身酸痛2天。", "Well.", ""])
def test_an_assessment_crosses_the_queue_unchanged(text: str) -> None:
    assessment = assess(text, problems=(problem("Flu"),), facts=(potassium(6.2),))
    assert Assessment.model_validate_json(assessment.model_dump_json()) == assessment


@pytest.mark.parametrize(
    ("chart", "reason"),
    [
        (chart_of(), "no_note"),
        (chart_of(facts=(potassium(6.2),)), "no_note"),
        (chart_of(""), "too_little_text"),
        (chart_of(" \n\t . "), "too_little_text"),
        (chart_of("。"), "too_little_text"),
        (chart_of("يعاني المريض من سعال وحمى منذ يومين"), "unsupported_language"),
        (chart_of("Potilaalla on ollut yskä ja kuume, ei hengenahdistusta, hän on väsynyt."), "unsupported_language"),
        (chart_of("The patient feels well today."), "no_finding"),
        (chart_of("No cough, denies fever."), "no_finding"),
        (chart_of(INFLUENZA, deceased=True), "deceased"),
        (chart_of(deceased=True), "deceased"),
    ],
)
def test_c1_c2_silence_has_its_reason(chart: Chart, reason: str) -> None:
    assert small_reader().assess(chart).silence == reason


def test_one_finding_alone_is_weak_evidence() -> None:
    assert assess("Cough.").silence == "weak_evidence"


def test_it_is_said_whether_a_sites_notes_stand_behind_the_probabilities() -> None:
    chart = chart_of("Cough and headache.")
    assert not calibrated().assess(chart).calibrated_on_site
    assert calibrated(site_notes=60).assess(chart).calibrated_on_site


def test_below_the_calibrated_threshold_it_is_silent() -> None:
    chart = chart_of("Cough and headache.")
    first = calibrated().assess(chart).candidates[0].probability
    assert calibrated(silence_below=first - 0.01).assess(chart).silence is None
    assert calibrated(silence_below=first + 0.01).assess(chart).silence == "weak_evidence"


def test_only_a_calibration_gives_words_to_a_probability() -> None:
    chart = chart_of(INFLUENZA)
    assert all(one.band is None for one in small_reader().assess(chart).candidates)
    for one in calibrated(leading=(0, 0.6), following=(0, 0.6)).assess(chart).candidates:
        assert one.band is not None
        assert one.band.low <= one.probability <= min(0.6, one.band.high)


def test_c19_a_patient_too_old_for_every_diagnosis_is_assessed_all_the_same() -> None:
    assert assess(INFLUENZA, age_years=130.0).candidates == ()


@pytest.mark.parametrize("fields", [{"age_years": 0.008}, {"age_years": 120.0}, {"sex": "unknown", "age_years": None}])
def test_c19_any_age_and_sex_is_assessed(fields: dict[str, object]) -> None:
    assert assess(INFLUENZA, **fields).candidates[0].diagnosis == "influenza"


def test_c19_a_diagnosis_impossible_at_this_age_is_no_candidate() -> None:
    words = "Throbbing headache with photophobia and nausea."
    assert "migraine" in {one.diagnosis for one in assess(words, age_years=30.0).candidates}
    assert "migraine" not in {one.diagnosis for one in assess(words, age_years=1.0).candidates}


def test_c10_a_paragraph_copied_into_twenty_notes_counts_once() -> None:
    once = probabilities(note(INFLUENZA))
    copied = probabilities(*(note(INFLUENZA, age_days=age) for age in range(20)))
    assert copied == pytest.approx(once)


def test_facts_and_notes_speak_together() -> None:
    without, with_it = assess("Oliguria and nausea."), assess("Oliguria and nausea.", facts=(potassium(6.2),))
    kidney = candidate(with_it, "acute_kidney_injury")
    assert kidney.probability > candidate(without, "acute_kidney_injury").probability
    assert {item.quote for item in kidney.evidence_for} >= {"Potassium 6.2 mmol/L"}


def test_a_diagnosis_ruled_out_in_the_newest_note_is_not_established_by_an_older_one() -> None:
    ruled_out = note(f"{INFLUENZA} Pulmonary embolism was ruled out.")
    alone = probabilities(ruled_out)["pulmonary_embolism"]
    after = probabilities(ruled_out, note("Pulmonary embolism.", age_days=2))["pulmonary_embolism"]
    assert after == pytest.approx(alone, abs=0.001)


def test_a_diagnosis_named_long_ago_is_not_established_today() -> None:
    today = probabilities(note(INFLUENZA))["pulmonary_embolism"]
    years_later = probabilities(note(INFLUENZA), note("Pulmonary embolism.", age_days=4000))
    assert years_later["pulmonary_embolism"] == pytest.approx(today, abs=0.001)


@pytest.mark.parametrize("words", ["Possible pulmonary embolism.", "Pulmonary embolism was ruled out."])
def test_a_diagnosis_suspected_or_ruled_out_long_ago_says_nothing_of_today(words: str) -> None:
    today = probabilities(note("Cough and shortness of breath."))
    years_later = probabilities(note("Cough and shortness of breath."), note(words, age_days=4000))
    assert years_later == pytest.approx(today, abs=0.001)


def test_a_reader_may_be_used_from_several_threads() -> None:
    charts = [chart_of(text) for text in (INFLUENZA, EMBOLISM, "Cough and headache.")] * 8
    alone = [small_reader().assess(chart) for chart in charts]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(small_reader().assess, charts)) == alone


def test_without_a_bundle_no_reader_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(BundleError):
        Reader.load(tmp_path)


def test_the_shipped_model_reads_one_free_text() -> None:
    try:
        Bundle.open(composed_bundle_path())
    except BundleError as error:
        pytest.skip(f"no composed bundle: {error}")
    found = diagnose(INFLUENZA)
    names, codes, chances = zip(*found, strict=True)
    assert len(found) >= 10
    assert all(names)
    assert all(codes)
    assert list(chances) == sorted(chances, reverse=True)
    assert all(0 <= chance <= 1 for chance in chances)


def test_c18_a_note_of_the_future_is_undated_and_never_the_newest() -> None:
    coming = note(INFLUENZA, age_days=-400)
    assert assess(coming).newest_note is None
    both = assess(coming, note(EMBOLISM, age_days=3))
    assert (both.newest_note, both.oldest_note) == (days_ago(3), days_ago(3))
    dates = {said.date for one in both.candidates for said in (*one.evidence_for, *one.evidence_against)}
    assert dates <= {None, days_ago(3)}
    assert assess(note(INFLUENZA, age_days=-0.5)).newest_note == days_ago(-0.5), "clocks differ by as much"


def test_c18_results_of_the_future_are_undated_too() -> None:
    assessment = assess(INFLUENZA, facts=(potassium(6.2, date=days_ago(-30)),))
    assert assessment.newest_laboratory is None
    assert all(said.date in (None, days_ago(0)) for one in assessment.candidates for said in one.evidence_for)


@pytest.mark.parametrize(
    ("chart", "old"),
    [
        (chart_of(note(INFLUENZA, age_days=6000)), True),
        (chart_of(note(INFLUENZA, age_days=6000), facts=(potassium(6.2, date=days_ago(900)),)), True),
        (chart_of(note(INFLUENZA, age_days=700)), False),
        (chart_of(note(INFLUENZA, age_days=6000), facts=(potassium(6.2, date=days_ago(9)),)), False),
        (chart_of(note(INFLUENZA, age_days=6000), note(EMBOLISM, age_days=None)), False),
        (chart_of(note(INFLUENZA, age_days=-6000)), False),  # a slip: it may be of today
    ],
)
def test_c17_a_chart_of_long_ago_tells_of_no_present_illness(chart: Chart, old: bool) -> None:
    assert (small_reader().assess(chart).silence == "old_notes") is old
