"""Whether a reading was cut short by time, and whether what is left of it may be shown."""

from __future__ import annotations

import pytest
from prometheus_client import REGISTRY

from nlp_core.assessment import Assessment, PartlyRead, WhyPartly
from nlp_core.chart import MAX_CHARACTERS, Chart
from nlp_core.model_faults import ScoresNotFinite
from tests.worker.conftest import chart_of
from tests.worker.plain_reader import PlainReader
from worker.reading_budget import read_within, reading_seconds, says_something, worth_keeping


def test_a_chart_read_in_time_is_whole() -> None:
    assessment, cut_short = read_within(PlainReader(), chart_of("one", "two"), 1.0)
    assert assessment.notes_read == 2
    assert not cut_short


def test_a_chart_that_needs_more_time_is_cut_short() -> None:
    assessment, cut_short = read_within(PlainReader(), chart_of("one", "takes 500 ms"), 0.05)
    assert assessment.notes_unread == 1
    assert cut_short
    assert says_something(assessment)


def test_notes_left_out_for_other_reasons_than_time_do_not_count_as_cut() -> None:
    class Sparing(PlainReader):
        def assess(self, chart: Chart, *, deadline: float | None = None) -> Assessment:
            return super().assess(chart, deadline=deadline).model_copy(update={"notes_unread": 5})

    assert not read_within(Sparing(), chart_of("x" * MAX_CHARACTERS), 1.0)[1]


def test_an_assessment_of_nothing_is_not_shown_as_no_findings() -> None:
    assessment, _ = read_within(PlainReader(), chart_of("takes 500 ms"), 0.02)
    assert not says_something(assessment)


def test_a_chart_without_notes_is_an_answer() -> None:
    assert says_something(read_within(PlainReader(), chart_of(), 1.0)[0])


@pytest.mark.parametrize(("left", "seconds"), [(1.5, 1.35), (0.1, 0.06), (0.04, 0.0), (-1.0, -1.04)])
def test_a_tenth_of_the_time_is_kept_for_the_way_back(left: float, seconds: float) -> None:
    assert reading_seconds(left) == pytest.approx(seconds)


class Partly(PlainReader):
    """Reads every note in part, for one reason."""

    def __init__(self, why: WhyPartly) -> None:
        super().__init__()
        self._why = why

    def assess(self, chart: Chart, *, deadline: float | None = None) -> Assessment:
        parts = tuple(PartlyRead(reference=note.reference, why=self._why) for note in chart.notes)
        return super().assess(chart, deadline=deadline).model_copy(update={"partly_read": parts})


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


@pytest.mark.parametrize(("why", "cut"), [("time", True), ("model", False), ("length", False)])
def test_g04_a_note_that_time_kept_from_the_encoder_is_cut_short(why: WhyPartly, cut: bool) -> None:
    before = counted("dxspan_partly_read_notes_total", why=why)
    _, cut_short = read_within(Partly(why), chart_of("one", "two"), 1.0)
    assert cut_short is cut
    assert counted("dxspan_partly_read_notes_total", why=why) == before + 2


@pytest.mark.parametrize(("why", "kept"), [("time", True), ("model", False), ("length", True)])
def test_d13_what_was_read_without_the_encoder_is_not_kept_for_the_next_reading(why: WhyPartly, kept: bool) -> None:
    assert worth_keeping(read_within(Partly(why), chart_of("one"), 1.0)[0]) is kept


def test_d13_a_reading_whose_scores_are_none_fails_and_is_counted() -> None:
    class Nonsense(PlainReader):
        def assess(self, chart: Chart, *, deadline: float | None = None) -> Assessment:
            del chart, deadline
            raise ScoresNotFinite("the scores of the diagnoses are no numbers")

    before = counted("dxspan_model_faults_total", fault="ScoresNotFinite")
    with pytest.raises(ScoresNotFinite):
        read_within(Nonsense(), chart_of("one"), 1.0)
    assert counted("dxspan_model_faults_total", fault="ScoresNotFinite") == before + 1
