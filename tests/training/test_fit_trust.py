"""Trust is learned from the diagnoses it helps to find: what misleads is trusted less, what helps no less than before."""

from __future__ import annotations

import pytest
import torch

from nlp_core.reading_trust import HAND_SET
from tests.nlp_core.small_knowledge import small_knowledge
from training.fit_trust import Reading, _hand_set, fit, loss, told, trust_of


def reading(*, concept: bool, right: bool, likeness: float = 0.0, chinese: bool = False) -> Reading:
    """One finding that speaks for the first of two diagnoses; `right`: it is the one."""
    return Reading(
        shares=torch.tensor([[3.0, -1.0]]),
        rest=torch.zeros(2),
        concept=torch.tensor([concept]),
        likeness=torch.tensor([likeness]),
        chinese=torch.tensor([float(chinese)]),
        commonness=torch.tensor([-2.0]),
        right=torch.tensor([right, not right]),
    )


def charts(share_right: float, *, concept: bool = True, chinese: bool = False) -> list[Reading]:
    return [reading(concept=concept, right=place < 40 * share_right, chinese=chinese) for place in range(40)]


def concept_at_the_middle(figures: torch.Tensor, language: int) -> float:
    return float(figures[language])


def test_concepts_that_mislead_are_trusted_less_and_names_as_before() -> None:
    figures = fit([[*charts(0.3), *charts(0.99, concept=False)]])
    assert concept_at_the_middle(figures, 0) < concept_at_the_middle(_hand_set(), 0)
    assert float(figures[5]) == pytest.approx(float(_hand_set()[5]), abs=0.5)


def test_the_two_languages_are_told_apart() -> None:
    figures = fit([[*charts(0.95), *charts(0.3, chinese=True)]])
    assert concept_at_the_middle(figures, 0) > concept_at_the_middle(figures, 1)


def test_a_fit_never_costs_what_it_was_fitted_on() -> None:
    read = charts(0.5)
    assert float(loss(read, fit([read]))) <= float(loss(read, _hand_set())) + 1e-6


def test_an_excluded_diagnosis_that_is_right_does_not_spoil_the_fit() -> None:
    lost = reading(concept=True, right=True)
    lost.rest[0] = -60.0
    assert torch.isfinite(fit([[lost, *charts(0.7)]])).all()


def test_what_was_not_moved_is_served_as_the_hand_set_trust() -> None:
    curve = trust_of(_hand_set(), "nothing", 0, small_knowledge()).concept
    for language in ("en", "zh"):
        assert curve.of(0.7, 0.01, language) == pytest.approx(HAND_SET.concept.of(0.7, 0.01, language), abs=1e-3)


def test_what_the_fit_is_worth_is_said_of_the_half_it_has_not_seen() -> None:
    lines = list(told(charts(0.3), charts(0.3), fit([charts(0.3)])))
    assert lines[-1].startswith("fitted on one half, gained on the other: own +")
