"""The summary tells more of what a record tells than simple ways of choosing, on charts it was not tuned on."""

from __future__ import annotations

from statistics import fmean

from nlp_core.assess import Reader
from nlp_core.chart_reading import ChartReader
from nlp_core.knowledge_files import read_knowledge
from nlp_core.note import Span
from nlp_core.summary import size
from training.measures.choose_sentences import Budget, Placed, at_random, by_summary, central, leading, textrank
from training.measures.measure_summary import BUDGETS, chart_of, covered, measure, own_rows, page, within_three
from training.synthetic_charts.charts import ChartWriter

KNOWLEDGE = read_knowledge()
READER = Reader(KNOWLEDGE, ChartReader(KNOWLEDGE, None), calibration=None, model_version="names-alone")
"""By names alone: quick, and enough to compare ways of choosing."""


def test_the_summary_tells_more_findings_than_chance_and_than_the_beginning() -> None:
    found = measure(READER, 12, seed=3)
    for ways in found.values():
        shares = {name: fmean(one.findings for one in measured) for name, measured in ways.items()}
        assert shares["summary"] > max(shares["random"], shares["leading sentences"])
    said = page(READER, found, {"summary": [True, True]}, {"whole note": [True, False], "summary": [True, False]})
    assert "names-alone" in said
    assert "| whole note | 2 | 50.0" in said


def test_the_diagnosis_of_an_invented_chart_stays_more_often_in_the_summary_than_by_chance() -> None:
    kept = within_three(READER, own_rows(READER, 12, seed=3), BUDGETS[0])
    assert len(kept["whole note"]) == 12
    assert fmean(kept["whole note"]) >= fmean(kept["summary"]) > fmean(kept["random"])


def test_every_way_keeps_to_the_budget_and_to_the_notes_words() -> None:
    (written,) = ChartWriter(KNOWLEDGE, seed=5).charts(1)
    read = READER.read(chart_of(written))
    for budget in (*BUDGETS, Budget(1, 40)):
        for choose in (by_summary(KNOWLEDGE), leading, at_random(2), central, textrank):
            chosen = choose(read, budget)
            assert len(chosen) <= budget.items
            assert sum(size(one.text) for one in chosen) <= budget.characters


def test_all_sentences_together_tell_everything() -> None:
    (written,) = ChartWriter(KNOWLEDGE, seed=7).charts(1)
    chart = chart_of(written)
    whole = [Placed(note, Span(start=0, end=len(note.text))) for note in chart.notes]
    found = covered(written, whole)
    assert found is not None
    assert (found.findings, found.telling) == (1.0, 1.0)
    nothing = covered(written, [])
    assert nothing is not None
    assert (nothing.findings, nothing.idle) == (0.0, 0.0)
