"""Copies of texts in other words: what they keep, what they change, and what a denied story is worth."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from tests.nlp_core.small_knowledge import small_knowledge
from training.tuning.augmentation import Augmenter
from training.tuning.labelled_texts import LabelledText
from training.tuning.options import AUGMENTATIONS, Augmentation

NOTE = "He has chest pain and fever. No cough. Shortness of breath since yesterday."
SHARES = np.array([[1, 0, 0]], np.float32)


@pytest.fixture(scope="module")
def augmenter() -> Augmenter:
    return Augmenter(small_knowledge(), AUGMENTATIONS, copies=1, seed=1)


def _all_ways(augmenter: Augmenter, kind: Augmentation, text: str = NOTE) -> set[str]:
    return {augmenter.rewritten(text, kind, Random(n)) for n in range(20)}


def test_synonyms_are_names_of_the_same_findings(augmenter: Augmenter) -> None:
    ways = _all_ways(augmenter, "synonyms")
    assert len(ways) > 1
    assert any("dyspnea" in way.lower() or "pain in the chest" in way.lower() for way in ways)


def test_negation_denies_what_is_there_and_grants_what_is_not(augmenter: Augmenter) -> None:
    for way in _all_ways(augmenter, "negation"):
        assert "No cough" not in way
        assert any(f"{denial}fever" in way for denial in ("no ", "denies ", "without "))
    assert all(
        "无发热" in way or "没有发热" in way or "否认发热" in way
        for way in _all_ways(augmenter, "negation", "发热三天。")
    )


def test_sections_move_and_nothing_is_lost(augmenter: Augmenter) -> None:
    ways = _all_ways(augmenter, "sections")
    assert len(ways) > 2
    assert all(sorted(way.split()) == sorted(NOTE.split()) for way in ways)


def test_abbreviations_and_slips(augmenter: Augmenter) -> None:
    assert "CP" in next(iter(_all_ways(augmenter, "abbreviations")))
    assert len(_all_ways(augmenter, "typos")) > 3


def test_a_denied_story_is_no_longer_of_its_class(augmenter: Augmenter) -> None:
    texts, shares = augmenter.augmented([LabelledText(NOTE, "a")], SHARES)
    assert len(texts) == len(shares)
    assert np.allclose(shares.sum(axis=1), 1)
    assert sum(np.allclose(row, 1 / 3) for row in shares) == 1
    _, named = augmenter.augmented([LabelledText(NOTE, "a")], SHARES, denied=2)
    assert sum(row[2] == 1 for row in named) == 1


def test_equal_seeds_make_equal_copies(augmenter: Augmenter) -> None:
    again = Augmenter(small_knowledge(), AUGMENTATIONS, copies=1, seed=1)
    one, _ = augmenter.augmented([LabelledText(NOTE, "a")], SHARES)
    two, _ = again.augmented([LabelledText(NOTE, "a")], SHARES)
    assert one == two
