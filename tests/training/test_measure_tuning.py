"""docs/tuning.md says of each row what was really done."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.training.tuning.labelled import encoder, texts
from training.measures.measure_tuning import page
from training.measures.tuning_rows import ROWS, SHOTS, Outcome, Row, Task, rows_of, run_row
from training.tuning.options import TuningOptions

OPTIONS = TuningOptions(method="full", epochs=1, batch=8, longest=16, threads=1)


def task_of(per_label: int, model: str | None = None) -> Task:
    return Task(tuple(texts(per_label)), tuple(texts(4, seed=2)), OPTIONS, model)


def few_shots(task: Task) -> Row:
    (row,) = [row for row in rows_of(task) if row.way == "few shots"]
    return row


@pytest.mark.parametrize(
    ("per_label", "said"),
    [
        (SHOTS + 1, f"one label added from {SHOTS} texts, with replay"),
        (SHOTS, f"one label added from {SHOTS} texts (all there are), with replay"),
        (5, "one label added from 5 texts (all there are), with replay"),
    ],
)
def test_the_row_of_few_shots_says_how_many_they_were(per_label: int, said: str) -> None:
    assert few_shots(task_of(per_label)).name == said


def test_no_row_is_left_without_its_name() -> None:
    names = [row.name for row in rows_of(task_of(5))]
    assert len(set(names)) == len(ROWS)
    assert not [name for name in names if "{" in name]


def test_the_page_shows_what_a_row_was_called_when_it_ran(tmp_path: Path) -> None:
    task = task_of(5, str(encoder(tmp_path / "encoder")))
    row = few_shots(task)
    outcome = run_row(row, task, tmp_path / "run")
    base = Outcome(name="full", answers=outcome.answers, trained_weights=1, seconds=1, megabytes=1)
    assert f"| {row.name} |" in page(task, [base, outcome], "")
