"""A chart is read newest first, within its limits, and nothing that was left unread goes uncounted."""

from __future__ import annotations

import time
from typing import Any

import pytest

from nlp_core import note_groups
from nlp_core.chart import Sex
from nlp_core.chart_reading import ChartReader, ReadChart
from nlp_core.note import Note
from tests.nlp_core.small_charts import chart_of, note, potassium, problem, small_chart_reader
from tests.nlp_core.small_knowledge import small_knowledge


def read(*notes: Note | str, deadline: float | None = None, **fields: object) -> ReadChart:
    return small_chart_reader().read(chart_of(*notes, **fields), deadline=deadline)


def present(chart: ReadChart) -> set[str]:
    return {finding for finding, answer in chart.found.observed.items() if answer.present}


def test_notes_facts_and_problems_are_brought_together() -> None:
    chart = read("Cough.", facts=(potassium(6.2),), problems=(problem("Headache"), problem("Flu")))
    assert present(chart) == {"cough", "hyperkalemia", "headache"}
    assert chart.known == {"influenza": "active"}


def test_all_notes_are_read_where_there_is_time() -> None:
    chart = read(note("Cough."), note("Nausea.", age_days=3))
    assert (chart.notes_read, chart.notes_unread) == (2, 0)
    assert present(chart) == {"cough", "nausea"}


def test_after_the_deadline_only_the_newest_note_is_read() -> None:
    chart = read(note("Cough."), note("Nausea.", age_days=3), note("Headache.", age_days=5), deadline=time.monotonic())
    assert (chart.notes_read, chart.notes_unread) == (1, 2)
    assert present(chart) == {"cough"}


def test_a_note_that_would_end_after_the_deadline_is_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its answer would come too late for the caller, who would get nothing of the notes before it either."""
    reader = ChartReader(small_knowledge(), None)  # one that knows no pace yet
    as_before = reader._read_notes

    def slowly(notes: Any, *given: Any) -> Any:
        time.sleep(0.2 * len(notes))
        return as_before(notes, *given)

    monkeypatch.setattr(reader, "_read_notes", slowly)
    began = time.monotonic()
    chart = reader.read(chart_of(*(note("Cough.", age_days=age) for age in range(9))), deadline=began + 0.85)
    assert time.monotonic() - began < 0.85
    assert 2 <= chart.notes_read <= 4
    assert chart.notes_read + chart.notes_unread == 9


def test_a_deadline_far_ahead_changes_nothing() -> None:
    notes = note("Cough."), note("Nausea.", age_days=3)
    assert read(*notes, deadline=time.monotonic() + 60) == read(*notes)


def test_c3_beyond_the_character_limit_older_notes_are_left_out_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(note_groups, "MAX_CHARACTERS", 100)
    notes = [note("Cough. " * 6, age_days=age) for age in range(5)]  # 42 characters each
    chart = read(*notes, note("Nausea.", age_days=9))
    assert (chart.notes_read, chart.notes_unread) == (3, 3)
    assert present(chart) == {"cough"}


def test_c3_of_one_endless_note_the_beginning_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(note_groups, "MAX_CHARACTERS", 100)
    chart = read("Cough. " + "Well. " * 20 + "Nausea.")
    assert (chart.notes_read, chart.notes_unread) == (1, 0)
    assert [(part.reference, part.why) for part in chart.partly] == [("DocumentReference/0", "length")]
    assert present(chart) == {"cough"}


@pytest.mark.parametrize(
    ("texts", "language"),
    [
        (["Cough and fever for two days."], "en"),
        (["咳嗽、发热两天。"], "zh"),
        (["يعاني المريض من سعال وحمى منذ يومين"], "other"),
        (["Potilaalla on ollut yskä ja kuume, ei hengenahdistusta, hän on väsynyt."], "other"),
        (["咳嗽、发热两天，无胸痛，无呼吸困难。", "T 38.5"], "zh"),
        ([], "en"),
    ],
)
def test_the_language_is_that_of_most_of_the_text(texts: list[str], language: str) -> None:
    assert read(*texts).language == language


def test_c16_a_note_in_another_language_names_nothing() -> None:
    chart = read("Potilaalla on influenza, ei cough, hän on väsynyt ja nukkuu paljon, ei muuta.")
    assert present(chart) == set()
    assert chart.found.named == {}


@pytest.mark.parametrize(
    ("fields", "age", "sex"),
    [
        ({}, 48, "female"),
        ({"age_years": 50.5}, 50.5, "female"),
        ({"sex": "male"}, 48, "male"),
        ({"age_years": 50.5, "sex": "male"}, 50.5, "male"),
    ],
)
def test_the_coded_chart_says_who_the_patient_is_and_the_note_only_what_it_leaves_out(
    fields: dict[str, object], age: float, sex: Sex
) -> None:
    patient = read("A 48-year-old woman with cough.", **fields).patient
    assert (patient.age_years, patient.sex) == (age, sex)


def test_an_older_note_may_say_who_the_patient_is() -> None:
    patient = read(note("Cough."), note("A 48-year-old woman.", age_days=9)).patient
    assert (patient.age_years, patient.sex) == (48, "female")


def test_values_are_weighed_for_the_age_the_note_states() -> None:
    assert present(read("A 3-year-old boy. HR 120 bpm.")) == set()
    assert present(read("A 43-year-old man. HR 120 bpm.")) == {"tachycardia"}


def test_the_onset_is_the_newest_notes() -> None:
    assert read(note("Sudden dyspnea."), note("Cough for 3 years.", age_days=3)).patient.onset == "sudden"
    assert read(note("Cough."), note("Sudden dyspnea.", age_days=3)).patient.onset is None
    assert read().patient.onset is None


def test_an_empty_chart_is_read_too() -> None:
    chart = read()
    assert (chart.notes_read, chart.notes_unread, chart.found.observed, chart.known) == (0, 0, {}, {})
