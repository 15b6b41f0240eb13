"""Compiled shares are the built ones, to the last bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nlp_core.share_tables import DEFAULT_WEIGHTS, ShareTables
from tests.nlp_core.small_knowledge import small_knowledge


def test_what_is_loaded_is_what_was_saved(tmp_path: Path) -> None:
    built = ShareTables.of(small_knowledge())
    built.save(tmp_path / "shares.npz")
    loaded = ShareTables.load(tmp_path / "shares.npz")
    assert loaded.weights == built.weights == DEFAULT_WEIGHTS
    for name in ("present", "absent", "basis"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(built, name))


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", vectors=np.zeros(3))
    with pytest.raises(KeyError):
        ShareTables.load(tmp_path / "other.npz")


def test_an_unlisted_finding_borrows_from_a_listed_one_of_like_meaning_and_from_no_other() -> None:
    knowledge = small_knowledge()
    rows = {finding: row for row, finding in enumerate(knowledge.findings)}
    likeness = np.eye(len(rows), dtype=np.float32)
    runny, aches, cough = rows["runny_nose"], rows["body_aches"], rows["cough"]
    likeness[runny, aches] = likeness[aches, runny] = 0.9
    likeness[runny, cough] = likeness[cough, runny] = 0.3
    plain = ShareTables.of(knowledge)
    lent = ShareTables.of(knowledge, likeness=likeness)
    changed = np.argwhere(lent.present != plain.present)
    assert len(changed)
    for row, column in changed:
        other = {runny: aches, aches: runny}[row]
        assert plain.basis[row, column] < 0 <= plain.basis[other, column]
        assert 0 < lent.present[row, column] < plain.present[other, column]
        assert lent.basis[row, column] == plain.basis[other, column]
    np.testing.assert_array_equal(lent.absent, plain.absent)
