"""What the shipped model quotes are slices of the note, and without its words a diagnosis is not shown."""

from __future__ import annotations

from functools import cache

import pytest

from nlp_core.assess import Reader
from nlp_core.assessment import Assessment
from training.measures.note_spans import without
from training.measures.own_cases import DEVELOPMENT, Case, coded_chart, read_cases, reworded

CASES = read_cases(DEVELOPMENT)[::12]


@cache
def shipped() -> Reader:
    return Reader.load(threads=1)


@cache
def assessed(text: str) -> Assessment:
    return shipped().assess(coded_chart(text))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_every_quote_is_a_slice_of_the_note(case: Case) -> None:
    for text in (case.en, case.zh):
        quoted = [
            evidence
            for candidate in assessed(text).candidates
            for evidence in (*candidate.evidence_for, *candidate.evidence_against)
        ]
        assert quoted
        for evidence in quoted:
            assert evidence.span is not None
            assert evidence.quote == text[evidence.span.start : evidence.span.end] != ""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_diagnosis_that_loses_all_its_spans_is_not_shown(case: Case) -> None:
    """Findings told twice are quoted anew from the other place, until the note has no more words for it."""
    for text in (case.en, case.zh):
        chart, leading = coded_chart(text), assessed(text).candidates[0].diagnosis
        for _ in range(len(text)):
            candidates = {one.diagnosis: one for one in shipped().assess(chart).candidates}
            if leading not in candidates:
                break
            spans = [evidence.span for evidence in candidates[leading].evidence_for if evidence.span]
            assert spans, "shown without words"
            chart = reworded(chart, without(chart.notes[0].text, spans))
        assert leading not in {one.diagnosis for one in shipped().assess(chart).candidates}
