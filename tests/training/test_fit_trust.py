"""Trust is learned from the diagnoses it helps to find: what misleads is trusted less, what helps no less than before."""

from __future__ import annotations

from math import log

import pytest
import torch

from nlp_core.findings import ChartFindings, Observed
from nlp_core.reading_trust import HAND_SET
from nlp_core.share_tables import ShareTables
from nlp_core.weighing import Weigher
from tests.nlp_core.small_knowledge import small_knowledge
from training.fit_trust import LANGUAGES, Reading, _hand_set, _likeness, _scores, fit, loss, told, trust_of


def reading(*, concept: bool, right: bool, likeness: float = 0.0, chinese: bool = False) -> Reading:
    """One finding that speaks for the first of two diagnoses; `right`: it is the one."""
    return Reading(
        ratios=torch.tensor([[3.0, -1.0]]),
        owners=torch.tensor([0]),
        counted=torch.ones(1, 2, dtype=torch.bool),
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
    near, backgrounds = [("cough", 0.7), ("wheezing", 0.6)], {"cough": 0.01}
    for language in LANGUAGES:
        served, by_hand = (one.meanings(near, backgrounds, language) for one in (curve, HAND_SET.concept))
        assert [m.probability for m in served] == pytest.approx([m.probability for m in by_hand], abs=1e-3)


def test_a_clause_is_scored_as_serving_weighs_it() -> None:
    """The fit adds up a chart's meanings just as weighing does, where its figures are those in force."""
    knowledge = small_knowledge()
    tables = ShareTables.of(knowledge)
    near = [("oliguria", 0.7), ("photophobia", 0.66)]
    meanings = HAND_SET.concept.meanings(near, {f: x.background for f, x in knowledge.findings.items()}, "en")
    words = Observed("oliguria", True, (), sum(meaning.probability for meaning in meanings), meanings)
    weighed = Weigher(knowledge, tables).weigh(ChartFindings({"oliguria": words}))
    background = [knowledge.findings[meaning].background for meaning in weighed.meanings]
    one = Reading(
        ratios=torch.from_numpy(weighed.ratios),
        owners=torch.from_numpy(weighed.owners),
        counted=torch.from_numpy(weighed.counted),
        rest=torch.zeros(len(knowledge.diagnoses)),
        concept=torch.tensor([True, True]),
        likeness=torch.tensor([_likeness(words, meaning) for meaning in weighed.meanings]),
        chinese=torch.zeros(2),
        commonness=torch.tensor([log(share, 10) for share in background]),
        right=torch.zeros(len(knowledge.diagnoses), dtype=torch.bool),
    )
    assert _scores(one, _hand_set()).numpy() == pytest.approx(weighed.shares[0], abs=1e-4)


def test_what_the_fit_is_worth_is_said_of_the_half_it_has_not_seen() -> None:
    lines = list(told(charts(0.3), charts(0.3), fit([charts(0.3)])))
    assert lines[-1].startswith("fitted on one half, gained on the other: own +")
