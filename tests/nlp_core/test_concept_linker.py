"""A linker says of each finding near to a clause how likely its words mean it; what is left is that they mean none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nlp_core.concept_linker import FIGURES, MIDDLE, TENSORS, ConceptLinker, LinkedClause, linked_clause, probabilities
from nlp_core.model_faults import NotFinite
from nlp_core.sentence_readings import SentenceReading

WIDTH, HIDDEN = 4, 3
SHAPES = {
    "figures": (len(FIGURES),),
    "into": (2 * WIDTH + len(FIGURES), HIDDEN),
    "bias": (HIDDEN,),
    "out": (HIDDEN,),
    "shift": (1,),
    "likeness": (2,),
    "agreement": (WIDTH,),
    "finding": (WIDTH,),
}
X, Y = np.eye(WIDTH, dtype=np.float32)[:2]


def linker(**tensors: float | list[float]) -> ConceptLinker:
    """All weights 0 but those given."""
    weights = {name: np.zeros(shape, np.float32) for name, shape in SHAPES.items()}
    return ConceptLinker(weights | {name: np.full(SHAPES[name], own, np.float32) for name, own in tensors.items()})


def clause(*, chinese: bool = False) -> LinkedClause:
    figures = np.zeros(len(FIGURES), np.float32)
    figures[:2] = 1, chinese
    return LinkedClause("zh" if chinese else "en", X, Y, figures)


def odds(made: ConceptLinker, one: LinkedClause, likeness: list[float], centres: list[np.ndarray]) -> list[float]:
    said = made.log_odds([one], np.array([likeness], np.float32), np.array([centres], np.float32))
    return [round(float(number), 4) for number in said[0]]


def test_likeness_counts_from_the_middle_and_by_language() -> None:
    made = linker(likeness=[10.0, 20.0])
    assert odds(made, clause(), [MIDDLE + 0.1, MIDDLE], [X, Y]) == [1.0, 0.0]
    assert odds(made, clause(chinese=True), [MIDDLE + 0.1, MIDDLE], [X, Y]) == [2.0, 0.0]


def test_a_clause_alone_counts_for_all_its_findings_alike() -> None:
    assert odds(linker(shift=-2.0), clause(), [MIDDLE, MIDDLE], [X, Y]) == [-2.0, -2.0]


def test_directions_in_which_clause_and_finding_agree_count() -> None:
    assert odds(linker(agreement=0.01), clause(), [MIDDLE, MIDDLE], [X, Y]) == [1.0, 0.0]


def test_where_a_finding_lies_counts() -> None:
    assert odds(linker(finding=[0.0, -0.1, 0.0, 0.0]), clause(), [MIDDLE, MIDDLE], [X, Y]) == [0.0, -1.0]


def test_no_clauses_no_odds() -> None:
    assert linker().log_odds([], np.zeros((0, 2), np.float32), np.zeros((0, 2, WIDTH), np.float32)).shape == (0, 2)


def test_odds_that_are_no_numbers_are_a_fault() -> None:
    with pytest.raises(NotFinite):
        odds(linker(shift=float("nan")), clause(), [MIDDLE], [X])


def test_what_is_left_of_one_is_none_of_them() -> None:
    (row,) = probabilities(np.log(np.array([[2.0, 1.0]], np.float32)))
    assert row.tolist() == pytest.approx([0.5, 0.25])
    (sure,) = probabilities(np.array([[900.0, -900.0]], np.float32))
    assert sure.tolist() == pytest.approx([1.0, 0.0])


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    made = linker(likeness=[10.0, 20.0], shift=-1.0)
    made.heads = "abc"
    made.save(tmp_path / "linker")
    again = ConceptLinker.load(tmp_path / "linker")
    assert again.heads == "abc"
    assert odds(again, clause(), [0.8, 0.5], [X, Y]) == odds(made, clause(), [0.8, 0.5], [X, Y])


def test_another_file_is_no_linker(tmp_path: Path) -> None:
    (tmp_path / "linker").write_bytes(b"no tensors")
    with pytest.raises(ValueError, match="holds no concept linker"):
        ConceptLinker.load(tmp_path / "linker")


def test_a_missing_tensor_is_named() -> None:
    weights = {name: np.zeros(SHAPES[name], np.float32) for name in TENSORS if name != "out"}
    with pytest.raises(ValueError, match="out"):
        ConceptLinker(weights)


READING = SentenceReading(
    starts=np.array([0, 5], np.int64),
    ends=np.array([4, 10], np.int64),
    vectors=np.stack([X, Y]),
    mean=(X + Y) / 2,
    finding=np.array([0.2, 0.9], np.float32),
    assertion=np.full((2, 6), 1 / 6, np.float32),
    telling=0.7,
    evidence=np.zeros(0, np.float32),
)


def test_a_clause_is_told_by_its_figures() -> None:
    made = linked_clause(
        READING, np.array([1]), tokens=2, text="tight", before="feel ", after=" in 2 places", language="en"
    )
    told = dict(zip(FIGURES, made.figures.tolist(), strict=True))
    assert made.vector.tolist() == Y.tolist()
    assert told["highest probability of standing in a finding"] == pytest.approx(0.9)
    assert told["share of the clause's tokens inside the finding"] == 0.5
    assert told["probability that the sentence tells of the illness"] == pytest.approx(0.7)
    assert (told["is one word"], told["begins the sentence"], told["is the whole sentence"]) == (1, 0, 0)
    assert (told["chinese"], told["holds a digit"]) == (0, 0)


def test_a_clause_hangs_on_no_vector_outside_of_it() -> None:
    """Those are not remembered (packed_readings)."""
    forgotten = replace(READING, vectors=np.stack([np.full(WIDTH, np.nan, np.float32), Y]))
    rest = {"tokens": 2, "text": "tight", "before": "feel ", "after": "", "language": "en"}
    for name in ("vector", "sentence", "figures"):
        before, after = (getattr(linked_clause(one, np.array([1]), **rest), name) for one in (READING, forgotten))  # type: ignore[arg-type]
        assert np.array_equal(before, after)
