"""Our de-identifier beside others: one that is not installed is named, never counted as having found nothing."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.deidentifiers import Row, lines, ours, peer
from training.measures.planted_notes import PLANTED, planted_notes


def test_a_peer_that_is_not_installed_is_named_as_absent() -> None:
    notes = [note for note in planted_notes(PLANTED / "unseen.txt") if not note.chinese]
    said = peer("presidio", Path(sys.executable), notes)
    assert isinstance(said, str)
    assert "presidio_analyzer" in said
    page = "\n".join(lines(notes, [ours(notes, None)], [said]))
    assert "- absent: presidio_analyzer" in page
    assert page.count("dxspan, its rules alone") == 1


def test_each_set_is_a_row_and_what_a_peer_needs_stands_below() -> None:
    notes = [note for note in planted_notes(PLANTED / "unseen.txt") if not note.chinese]
    nothing = Row("philter_ucsf 1", "1 notes not finished", [[] for _ in notes], 1.0)
    page = "\n".join(lines(notes, [nothing], []))
    assert "| `unseen` | 0.0 / 0.0 |" in page
    assert "| `held` | – |" in page
    assert "- philter_ucsf 1 needs 1 notes not finished" in page
