"""A change of what is read or answered shows, and the same mix does not."""

from __future__ import annotations

import random
from collections import Counter, defaultdict

import pytest

from cds_hooks.drift import MUCH_DRIFT, OF_ANSWERS, OF_CHARTS, SOME_DRIFT, classes_of, stability_index
from tests.cds_hooks.assessments import NOTE, assessment, candidate, chart


def counted(draw: random.Random, readings: int, **mix: float) -> dict[str, Counter[str]]:
    """Counts of as many readings. mix: shares of the silent and the Chinese, a shift of probabilities, characters added."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for _ in range(readings):
        probability = min(0.99, max(0.01, draw.gauss(0.5 + mix.get("shift", 0.0), 0.15)))
        read = assessment(
            candidate(probability=probability, band=None, icd10cm=draw.choice(["J11.1", "I21.9", "K35.80"])),
            language="zh" if draw.random() < mix.get("chinese", 0.3) else "en",
            silence="weak_evidence" if draw.random() < mix.get("silent", 0.2) else None,
        )
        text = NOTE.text + "x" * int(draw.lognormvariate(7, 1) + mix.get("longer", 0))
        for what, which in classes_of(read, chart(notes=(NOTE.model_copy(update={"text": text}),))).items():
            counts[what][which] += 1
    return counts


@pytest.fixture(scope="module")
def before() -> dict[str, Counter[str]]:
    return counted(random.Random(1), 500)


@pytest.mark.parametrize(
    ("mix", "what"),
    [
        ({}, ""),
        ({"silent": 0.7}, "silence"),
        ({"chinese": 0.9}, "language"),
        ({"shift": 0.3}, "leading_probability"),
        ({"longer": 20_000}, "length"),
    ],
)
def test_what_changed_is_told_and_what_did_not_is_not(
    before: dict[str, Counter[str]], mix: dict[str, float], what: str
) -> None:
    after = counted(random.Random(2), 300, **mix)
    found = {one: stability_index(before[one], after[one]) for one in (*OF_CHARTS, *OF_ANSWERS)}
    if what:
        assert found.pop(what) > MUCH_DRIFT
    assert max(found.values()) < SOME_DRIFT


def test_classes_hold_no_word_of_the_chart() -> None:
    read, whole = assessment(candidate("Canary-diagnosis", "J11.1")), chart()
    assert set(classes_of(read, whole)) == {*OF_CHARTS, *OF_ANSWERS}
    assert all(len(which) <= 20 and "anary" not in which for which in classes_of(read, whole).values())
    assert classes_of(assessment(candidates=()), chart(notes=()))["leading_probability"] == "none"


def test_nothing_against_nothing_is_no_drift() -> None:
    assert stability_index(Counter(), Counter()) == 0.0
    assert stability_index(Counter(a=100), Counter(a=3)) == 0.0
