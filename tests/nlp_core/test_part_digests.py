"""A part's digest is of what it says, taken once; a part that remembers is the part it was."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime

import pytest
from pydantic_core import PydanticSerializationError

from nlp_core import part_digests
from nlp_core.chart import Chart, Fact, Problem
from nlp_core.note import Note
from nlp_core.part_digests import part_digest, remembering

CHART = Chart(
    as_of=datetime(2026, 6, 1, tzinfo=UTC),
    notes=(Note(reference="DocumentReference/1", text="Cough.\nNo fever."), Note(reference="d/2", text="咳嗽")),
    facts=(Fact(kind="laboratory", reference="Observation/1", text="K", value=4.0),),
    problems=(Problem(reference="Condition/1", text="asthma"),),
)


def test_remembering_changes_nothing_that_is_seen() -> None:
    remembered = remembering(CHART)
    for _ in range(2):
        assert part_digest(remembered.notes) == part_digest(CHART.notes)
    assert remembered == CHART
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert remembered.model_dump_json() == CHART.model_dump_json()
        assert Chart.model_validate_json(remembered.model_dump_json()) == CHART


def test_it_is_taken_once_also_for_a_later_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    remembered = remembering(CHART)
    found = part_digest(remembered.facts)
    monkeypatch.setattr(part_digests, "_digest", lambda _: pytest.fail("taken again"))
    assert part_digest(remembered.model_copy(update={"as_of": datetime(2027, 1, 1, tzinfo=UTC)}).facts) == found


def test_other_entries_or_another_order_are_another_part() -> None:
    notes = CHART.notes
    other = notes[0].model_copy(update={"text": "Cough."})
    found = [part_digest(part) for part in (notes, notes[::-1], notes[:1], (), (other, notes[1]), CHART.problems)]
    assert len(set(found)) == len(found)
    assert part_digest(remembering(CHART).notes[:1]) == part_digest(notes[:1]), "a slice remembers nothing of the whole"


def test_what_is_no_unicode_is_said_each_time() -> None:
    faulty = remembering(CHART.model_copy(update={"notes": (Note(reference="d/1", text="\ud800"),)}))
    for _ in range(2):
        with pytest.raises(PydanticSerializationError):
            part_digest(faulty.notes)
