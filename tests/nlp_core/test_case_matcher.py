"""The case matcher divides a chart among its sentences, moves no more for a long chart, and knows what it was not taught."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import ArrayLike

from nlp_core.case_matcher import FIGURES, TENSORS, CaseMatcher
from nlp_core.encoder import NotFinite
from tests.nlp_core.small_matcher import sentence, tensors_of

WIDTH = 3
DIAGNOSES = ("cold", "gout", "stroke")


def tensors(**changed: ArrayLike) -> dict[str, np.ndarray]:
    return tensors_of(np.eye(WIDTH), **{"least": [0.2], **changed})


def matcher(**changed: ArrayLike) -> CaseMatcher:
    return CaseMatcher(tensors(**changed), DIAGNOSES).of(DIAGNOSES)


def test_a_sentence_speaks_for_the_diagnosis_that_it_is_like() -> None:
    (moved,) = matcher().moved([sentence(1, 0, 0)])
    assert moved[0] > 0 > moved[1] == moved[2]
    assert moved.sum() == pytest.approx(0, abs=1e-5)


def test_what_is_said_often_moves_no_more_than_what_is_said_once() -> None:
    once, often = (matcher().moved([sentence(1, 0, 0)] * count).sum(axis=0) for count in (1, 40))
    np.testing.assert_allclose(once, often, rtol=0.1)


def test_a_chart_that_says_next_to_nothing_moves_nothing() -> None:
    hardly = [sentence(0.3, 0, 0)]
    assert not matcher().moved(hardly).any()
    assert matcher(least=[0.05]).moved(hardly).any()


def test_two_sentences_share_the_chart_between_them() -> None:
    moved = matcher().moved([sentence(1, 0, 0), sentence(0, 1, 0)])
    assert moved[0, 0] > 0 > moved[0, 1]
    assert moved[1, 1] > 0 > moved[1, 0]


def test_a_closed_gate_lets_a_sentence_count_for_little() -> None:
    telling = np.zeros(WIDTH + FIGURES)
    telling[WIDTH + 2] = 20.0
    heard, unheard = sentence(1, 0, 0), sentence(0, 1, 0)
    heard[WIDTH + 2] = 1.0
    moved = matcher(gate=telling, shift=[-10.0]).moved([heard, unheard])
    assert np.abs(moved[1]).max() < 0.01 * np.abs(moved[0]).max()


def test_other_knowledge_takes_what_was_learned_and_leaves_the_rest_unmoved() -> None:
    other = CaseMatcher(tensors(), DIAGNOSES).of(["stroke", "new", "gout"])
    (moved,) = other.moved([sentence(0, 0, 1)])
    assert moved[0] > 0 > moved[2]
    assert moved[1] == 0


def test_without_sentences_nothing_moves() -> None:
    assert matcher().moved([]).shape == (0, 3)


def test_it_is_the_same_after_a_file(tmp_path: Path) -> None:
    CaseMatcher(tensors(), DIAGNOSES, "heads").save(tmp_path / "matcher")
    again = CaseMatcher.load(tmp_path / "matcher")
    assert (again.diagnoses, again.heads) == (DIAGNOSES, "heads")
    said = [sentence(0.6, 0.8, 0)]
    np.testing.assert_allclose(again.of(DIAGNOSES).moved(said), matcher().moved(said), atol=1e-2)


@pytest.mark.parametrize("wrong", [{"scale": [1.0, 2.0]}, {"diagnosis": np.eye(2)}])
def test_tensors_that_do_not_fit_are_refused(wrong: dict[str, ArrayLike]) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        CaseMatcher(tensors(**wrong), DIAGNOSES)


def test_a_missing_tensor_is_named() -> None:
    with pytest.raises(ValueError, match="wants gate"):
        CaseMatcher({name: one for name, one in tensors().items() if name != "gate"}, DIAGNOSES)
    assert set(TENSORS) == set(tensors())


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "matcher").write_bytes(b"no tensors at all")
    with pytest.raises(ValueError, match="no case matcher"):
        CaseMatcher.load(tmp_path / "matcher")


def test_numbers_that_are_none_are_told() -> None:
    with pytest.raises(NotFinite):
        matcher(scale=[np.inf]).moved([sentence(1, 0, 0)])
