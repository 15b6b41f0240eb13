"""Our de-identifier beside others: one that is not installed is named, never counted as having found nothing."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.deidentifiers import lines, ours, peer
from training.measures.planted_notes import PLANTED, planted_notes


def test_a_peer_that_is_not_installed_is_named_as_absent() -> None:
    notes = [note for note in planted_notes(PLANTED / "unseen.txt") if not note.chinese]
    said = peer("presidio", Path(sys.executable), notes)
    assert isinstance(said, str)
    assert "presidio_analyzer" in said
    page = "\n".join(lines(notes, [ours(notes, None)], [said]))
    assert "- absent: presidio_analyzer" in page
    assert page.count("dxspan, its rules alone") == 1
