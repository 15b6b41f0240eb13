"""Trust is a probability: it rises with likeness and commonness, and a share counts as far as its finding is there."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp_core.diagnoses import Patient, Reasoner
from nlp_core.findings import ChartFindings, Observed
from nlp_core.reading_trust import HAND_SET, ConceptTrust, ReadingTrust
from tests.nlp_core.small_knowledge import small_knowledge

likeness = st.floats(-1, 1)


@given(likeness, likeness, st.floats(1e-6, 1))
def test_what_is_more_alike_is_trusted_no_less(one: float, other: float, background: float) -> None:
    low, high = (alone(value, background) for value in sorted((one, other)))
    assert 0 < low <= high < 1


def alone(likeness: float, background: float) -> float:
    """Probability of the one meaning that a clause has."""
    (meaning,) = HAND_SET.concept.meanings([("cough", likeness)], {"cough": background}, "en")
    return meaning.probability


@given(st.lists(likeness, min_size=1, max_size=8))
def test_the_meanings_of_a_clause_and_that_it_means_nothing_are_one_together(near: list[float]) -> None:
    nearest = [(f"finding {place}", value) for place, value in enumerate(near)]
    meanings = HAND_SET.concept.meanings(nearest, {}, "zh")
    assert sum(meaning.probability for meaning in meanings) < 1
    assert [(meaning.finding, meaning.likeness) for meaning in meanings] == nearest
    by_likeness = sorted(meanings, key=lambda meaning: meaning.likeness)
    assert [m.probability for m in by_likeness] == sorted(m.probability for m in meanings)


def test_a_way_that_was_not_measured_is_taken_at_its_word() -> None:
    assert (HAND_SET.of("name"), ReadingTrust(ways={"name": 0.97}).of("name")) == (1.0, 0.97)


def test_written_and_loaded_it_is_the_same(tmp_path: Path) -> None:
    learned = ReadingTrust(ways={"name": 0.97}, concept=ConceptTrust(commonness=0.5), charts=3)
    (tmp_path / "trust.json").write_text(learned.model_dump_json())
    assert ReadingTrust.load(tmp_path / "trust.json") == learned


def share(trust: float, *, present: bool = True, finding: str = "pleuritic_chest_pain") -> np.ndarray:
    """What the finding adds to each diagnosis of the small knowledge, with this probability of being there."""
    knowledge = small_knowledge()
    found = ChartFindings({finding: Observed(finding, present, (), trust)})
    ranked = {
        entry.diagnosis.id: entry.shares.get(finding, 0.0) for entry in Reasoner(knowledge).rank(found, Patient())
    }
    return np.array([ranked[diagnosis] for diagnosis in knowledge.diagnoses if diagnosis in ranked])


def test_a_share_is_mixed_by_the_probability_that_the_finding_is_there() -> None:
    whole = share(1.0)
    half = share(0.5)
    expected = [math.log(0.5 * math.exp(value) + 0.5) for value in whole]
    assert half == pytest.approx(expected, abs=1e-4)
    assert np.abs(half).sum() < np.abs(whole).sum()


def test_what_is_surely_misread_moves_nothing() -> None:
    assert share(0.0) == pytest.approx(0, abs=1e-6)
