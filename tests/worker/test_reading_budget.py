"""Whether a reading was cut short by time, and whether what is left of it may be shown."""

from __future__ import annotations

import pytest

from nlp_core.assessment import Assessment
from nlp_core.chart import Chart
from tests.worker.conftest import chart_of
from tests.worker.plain_reader import PlainReader
from worker.reading_budget import read_within, reading_seconds, says_something


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

    assert not read_within(Sparing(), chart_of("one"), 1.0)[1]


def test_an_assessment_of_nothing_is_not_shown_as_no_findings() -> None:
    assessment, _ = read_within(PlainReader(), chart_of("takes 500 ms"), 0.02)
    assert not says_something(assessment)


def test_a_chart_without_notes_is_an_answer() -> None:
    assert says_something(read_within(PlainReader(), chart_of(), 1.0)[0])


@pytest.mark.parametrize(("left", "seconds"), [(1.5, 1.35), (0.1, 0.06), (0.04, 0.0), (-1.0, -1.04)])
def test_a_tenth_of_the_time_is_kept_for_the_way_back(left: float, seconds: float) -> None:
    assert reading_seconds(left) == pytest.approx(seconds)
