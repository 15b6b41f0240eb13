"""What is shown is shown for words of the notes: take them all away, and it is gone. The shipped model, real texts."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

import pytest

from nlp_core.assess import Reader
from nlp_core.assessment import Candidate
from nlp_core.chart import Chart
from nlp_core.note import Note
from training.measures import own_cases

REFERENCE = "DocumentReference/1"
MOST_ROUNDS = 8


@cache
def reader() -> Reader:
    return Reader.load()


def shown(text: str) -> tuple[Candidate, ...]:
    chart = Chart(as_of=datetime(2026, 1, 1, tzinfo=UTC), notes=(Note(reference=REFERENCE, text=text),))
    return reader().assess(chart).candidates


def without_words_for(candidate: Candidate, text: str) -> str:
    """Full stops where they stood, so that what is left still ends where it ended."""
    for evidence in candidate.evidence_for:
        if evidence.span is not None:
            text = (
                text[: evidence.span.start]
                + "." * (evidence.span.end - evidence.span.start)
                + text[evidence.span.end :]
            )
    return text


@pytest.mark.parametrize("place", range(0, 60, 6))
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_diagnosis_that_loses_all_its_spans_is_not_shown(place: int, language: str) -> None:
    case = own_cases.read_cases(own_cases.FOLDER / "development.jsonl")[place]
    text = case.en if language == "en" else case.zh
    first = shown(text)[0]
    for _ in range(MOST_ROUNDS):
        found = next((one for one in shown(text) if one.diagnosis == first.diagnosis), None)
        if found is None:
            return
        assert [one for one in found.evidence_for if one.span is not None], "it is shown for no words"
        text = without_words_for(found, text)
    pytest.fail(f"{first.diagnosis} is shown for words that nobody quoted")
