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
