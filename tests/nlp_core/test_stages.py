"""An assessment tells its stages to whoever listens in its thread, and to nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from nlp_core.assess import Reader
from nlp_core.chart import Chart
from nlp_core.note import Note
from nlp_core.stages import READ_SENTENCES, REASON, stage, stages_told_to


def test_the_stages_of_an_assessment_in_their_order() -> None:
    told: list[str] = []

    @contextmanager
    def listener(name: str) -> Iterator[None]:
        told.append(name)
        yield
        told.append(f"end of {name}")

    reader = Reader.load(names_alone=True)
    now = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
    chart = Chart(as_of=now, age_years=54, sex="female", notes=(Note(reference="DocumentReference/1", text="Fever."),))
    with stages_told_to(listener):
        reader.assess(chart)
    ways = [READ_SENTENCES, f"end of {READ_SENTENCES}", REASON, f"end of {REASON}"]
    assert told == ways
    reader.assess(chart)
    with stage("nobody listens"):
        assert told == ways
