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
    assert (loaded.weights, loaded.diagnoses) == (built.weights, built.diagnoses)
    assert built.weights == DEFAULT_WEIGHTS
    for name in ("firsts", "columns", "present", "absent", "basis"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(built, name))


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", vectors=np.zeros(3))
    with pytest.raises(KeyError):
        ShareTables.load(tmp_path / "other.npz")


def test_rows_are_the_full_ones_in_the_order_asked_for() -> None:
    knowledge = small_knowledge()
    tables = ShareTables.of(knowledge)
    findings, diagnoses = list(knowledge.findings), list(knowledge.diagnoses)
    nausea, photophobia = findings.index("nausea"), findings.index("photophobia")
    rows = tables.rows([photophobia, nausea, photophobia])
    assert rows.present.shape == rows.absent.shape == rows.basis.shape == (3, len(diagnoses))
    np.testing.assert_array_equal(rows.present[0], rows.present[2])
    migraine, cold = diagnoses.index("migraine"), diagnoses.index("common_cold")
    ratio = 0.75 / knowledge.findings["photophobia"].background
    assert rows.present[0, migraine] == pytest.approx(np.log(ratio))
    assert rows.absent[0, migraine] < 0
    assert rows.basis[0, migraine] == photophobia
    assert rows.basis[1, migraine] == nausea
    unsaid = (rows.present[0, cold], rows.absent[0, cold], rows.basis[0, cold])
    assert unsaid == (np.float32(DEFAULT_WEIGHTS.unexplained), 0, -1)


def test_no_findings_have_no_rows() -> None:
    assert ShareTables.of(small_knowledge()).rows([]).present.shape == (0, len(small_knowledge().diagnoses))
