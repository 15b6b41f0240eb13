"""Figures of earlier knowledge stay beside the present ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.measures.evaluate import SETS, HistoryEntry, _history_lines, read_history

ENTRY = HistoryEntry(
    date="2026-11-24",
    model="1+aaa",
    knowledge="bbb",
    diagnoses=643,
    findings=2246,
    in_scope=dict.fromkeys(SETS, 90),
    top_1_3_5=dict.fromkeys(SETS, (40.0, 50.5, 60.0)),
)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text(ENTRY.model_dump_json() + "\n", encoding="utf-8")
    assert read_history(path) == [ENTRY]
    assert read_history(tmp_path / "none.jsonl") == []


def test_a_faulty_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text(ENTRY.model_dump_json() + "\n{}\n", encoding="utf-8")
    with pytest.raises(ValueError, match="line 2"):
        read_history(path)


def test_each_entry_is_a_row() -> None:
    later = ENTRY.model_copy(update={"date": "2026-11-25", "diagnoses": 868})
    rows = [line for line in _history_lines([ENTRY, later]) if line.startswith("| 2026")]
    assert rows[0].startswith("| 2026-11-24 | 643 | 2246 | 40 / 50.5 / 60 (90) |")
    assert rows[1].startswith("| 2026-11-25 | 868 |")


def test_the_repository_keeps_the_figures_of_the_first_knowledge() -> None:
    kept = read_history(Path(__file__).parents[2] / "docs" / "evaluation_history.jsonl")
    assert kept[0].diagnoses == 643
