"""Notes are read together as far as there is room and time, the newest always, none twice, in order."""

from __future__ import annotations

import time

import pytest

from nlp_core import note_groups
from nlp_core.assess import Reader
from nlp_core.chart import MAX_CHARACTERS
from nlp_core.note import Note
from nlp_core.note_groups import TOGETHER, NoteGroups
from tests.nlp_core.small_charts import chart_of, note


def notes(*lengths: int) -> list[Note]:
    return [Note(reference=f"DocumentReference/{place}", text="x" * length) for place, length in enumerate(lengths)]


def lengths(groups: NoteGroups, given: list[Note], deadline: float | None = None, pace: float = 0.0) -> list[list[int]]:
    """The groups' notes by length, each read at `pace` seconds a character."""
    found = []
    for group in groups.of(given, deadline):
        found.append([len(one.text) for one in group])
        time.sleep(pace * sum(found[-1]))
    return found


def test_notes_are_grouped_in_order_up_to_what_is_read_together() -> None:
    assert lengths(NoteGroups(), notes(4000, 4000, 4000, 100)) == [[4000, 4000], [4000, 100]]


def test_a_long_note_is_a_group_of_its_own() -> None:
    assert lengths(NoteGroups(), notes(TOGETHER + 1, 5, 5)) == [[TOGETHER + 1], [5, 5]]


def test_c3_no_more_than_the_limit_of_characters_is_given_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(note_groups, "MAX_CHARACTERS", 100)
    assert lengths(NoteGroups(), notes(40, 40, 40, 40)) == [[40, 40, 40]]


def test_c3_an_endless_note_is_cut_and_says_so() -> None:
    ((one,),) = NoteGroups().of(notes(MAX_CHARACTERS + 1), None)
    assert (len(one.text), one.cut) == (MAX_CHARACTERS, True)


def test_with_a_deadline_and_no_pace_known_the_newest_is_read_alone() -> None:
    first, *others = lengths(NoteGroups(), notes(10, 10, 10), time.monotonic() + 60)
    assert (first, others) == ([10], [[10, 10]])


def test_the_pace_of_charts_before_says_how_many_are_begun_at_first() -> None:
    groups = NoteGroups()
    lengths(groups, notes(100), pace=0.001)
    assert lengths(groups, notes(100, 100, 100), time.monotonic() + 60) == [[100, 100, 100]]
    assert lengths(groups, notes(100, 100, 100), time.monotonic() + 0.3, pace=0.001)[0] == [100, 100]


def test_the_newest_is_read_however_slow_charts_were() -> None:
    groups = NoteGroups()
    lengths(groups, notes(10), pace=0.01)
    assert lengths(groups, notes(100, 100), time.monotonic() + 0.05, pace=0.001) == [[100]]


def test_one_fast_chart_does_not_make_a_slow_machine_fast() -> None:
    """Its sentences may have been remembered; the next chart's are not."""
    groups = NoteGroups()
    lengths(groups, notes(100), pace=0.002)
    lengths(groups, notes(100))
    assert lengths(groups, notes(100, 100, 100), time.monotonic() + 0.4, pace=0.0)[0] == [100]


def test_notes_read_together_say_what_they_say_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """To the last bit: sentences of one length share a run of the encoder, and none sees another."""
    chart = chart_of(
        note("A 61-year-old man. Woken at night gasping, sleeps on three pillows. No fever. Legs are puffy."),
        note("夜里憋醒，要坐起来才好。双脚发胀，鞋子穿不进。", age_days=2),
        note("Woken at night gasping, sleeps on three pillows. Family: mother had a weak heart.", age_days=3),
        note("", age_days=4),
        note("He tires on one flight of stairs. Denies chest pain. Legs are puffy.", age_days=9),
    )
    reader = Reader.load(threads=1)
    together = reader.assess(chart)
    monkeypatch.setattr(note_groups, "TOGETHER", 1)
    assert reader.assess(chart) == together
    assert together.notes_read == 5
