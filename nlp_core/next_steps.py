"""The questions and tests that would tell the leading diagnoses apart, by expected information gain.

Knows probabilities and the questions and tests the knowledge writes beside each diagnosis.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import log2, sqrt
from typing import Literal

from nlp_core.assessment import NextStep
from nlp_core.diagnoses import Ranked, Reasoner
from nlp_core.findings import Observed
from nlp_core.knowledge import Knowledge, Step

Kind = Literal["question", "test"]

LEADING = 5
MOST = 4


def next_steps(ranked: Sequence[Ranked], observed: Mapping[str, Observed], reasoner: Reasoner) -> list[NextStep]:
    """At most four steps, best first; nothing is asked that `observed` already answers."""
    leading = ranked[:LEADING]
    if not leading:
        return []
    weights = _doubtful(leading)
    implied = _implied(observed, reasoner.knowledge)
    steps: dict[str, NextStep] = {}
    for kind, step in _written(leading):
        if step.finding in steps or _answered(step.finding, observed, implied, reasoner.knowledge):
            continue
        gain = _gain(weights, [reasoner.share(c.diagnosis.id, step.finding) for c in leading])
        steps[step.finding] = _next_step(kind, step, gain, leading)
    ranked_steps = sorted(steps.values(), key=lambda step: -step.gain)
    questions = [step for step in ranked_steps if step.kind == "question"][: MOST // 2]
    tests = [step for step in ranked_steps if step.kind == "test"][: MOST // 2]
    return sorted([*questions, *tests], key=lambda step: -step.gain)


def _written(leading: Sequence[Ranked]) -> Iterator[tuple[Kind, Step]]:
    """What the knowledge asks beside each diagnosis, the best diagnosis's first."""
    for candidate in leading:
        yield from (("question", step) for step in candidate.diagnosis.questions)
        yield from (("test", step) for step in candidate.diagnosis.tests)


def _implied(observed: Mapping[str, Observed], knowledge: Knowledge) -> set[str]:
    """Findings that a more specific present one answers for."""
    present = (finding for finding, answer in observed.items() if answer.present)
    return {ancestor for finding in present for ancestor in knowledge.ancestors(finding)}


def _answered(finding: str, observed: Mapping[str, Observed], implied: set[str], knowledge: Knowledge) -> bool:
    """Is its state known: itself, through a child that is present, or through a parent that is denied?"""
    if finding in observed or finding in implied:
        return True
    return any(not observed[ancestor].present for ancestor in knowledge.ancestors(finding) if ancestor in observed)


def _doubtful(leading: Sequence[Ranked]) -> list[float]:
    """Probabilities flattened by the square root: what tells them apart matters also where one seems certain."""
    roots = [sqrt(candidate.probability) for candidate in leading]
    total = sum(roots)
    return [root / total if total else 1 / len(roots) for root in roots]


def _next_step(kind: Kind, step: Step, gain: float, leading: Sequence[Ranked]) -> NextStep:
    asked_by = tuple(c.diagnosis.id for c in leading if step in (*c.diagnosis.questions, *c.diagnosis.tests))
    return NextStep(kind=kind, finding=step.finding, words=step.words, gain=max(0.0, gain), diagnoses=asked_by)


def _gain(weights: Sequence[float], shares: Sequence[float]) -> float:
    """Bits by which the answer is expected to lower the uncertainty among the candidates."""
    positive = sum(weight * share for weight, share in zip(weights, shares, strict=True))
    if not 0 < positive < 1:
        return 0.0
    with_it = [weight * share / positive for weight, share in zip(weights, shares, strict=True)]
    without = [weight * (1 - share) / (1 - positive) for weight, share in zip(weights, shares, strict=True)]
    return _entropy(weights) - positive * _entropy(with_it) - (1 - positive) * _entropy(without)


def _entropy(weights: Sequence[float]) -> float:
    return -sum(weight * log2(weight) for weight in weights if weight > 0)
