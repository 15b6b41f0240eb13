"""The ring of minutes: quantiles as Prometheus makes them, sums of an hour, and no more than an hour kept."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from cds_hooks.operators.minutes import Added, Look, Minutes, between, look
from cds_hooks.operators.plots import HEIGHT, WIDTH, line, nice_top, stacked
from cds_hooks.watch import ANSWER_SECONDS, ANSWERS

START = datetime(2026, 11, 26, 8, tzinfo=UTC)


def at(minute: float, cards: int, silent: int = 0, slow: int = 0) -> Look:
    total = cards + silent
    return Look(
        START + timedelta(minutes=minute),
        {("answered", ""): cards, ("silent", "no_finding"): silent},
        ((0.1, total - slow), (0.2, total), (math.inf, total)),
        {},
    )


def hour_of(*looks: Look) -> Added:
    minutes = Minutes(looks[0])
    for one in looks[1:-1]:
        minutes.keep(one)
    return minutes.last_hour(looks[-1])


def test_counts_are_of_the_last_hour_alone() -> None:
    looks = [at(minute, cards=minute * 10) for minute in range(200)]
    hour = hour_of(*looks)
    assert (hour.of("answered"), hour.total) == (600, 600)
    assert hour.since == START + timedelta(minutes=139)


def test_a_young_process_counts_from_its_beginning() -> None:
    hour = hour_of(at(0, 5), at(1, 9, 3))
    assert (hour.of("answered"), hour.of("silent"), hour.share("silent")) == (4, 3, pytest.approx(3 / 7))


@pytest.mark.parametrize(("q", "seconds"), [(0.5, 0.0625), (0.8, 0.1), (0.9, 0.15), (1.0, 0.2)])
def test_quantiles_lie_between_the_bounds_of_a_bucket(q: float, seconds: float) -> None:
    assert between(at(0, 0), at(1, 100, slow=20)).quantile(q) == pytest.approx(seconds)


def test_beyond_the_last_bucket_is_said_and_none_without_answers() -> None:
    nothing = between(at(0, 5), at(1, 5))
    assert (nothing.quantile(0.5), nothing.share("silent")) == (None, None)
    slow = Added(START, START, nothing.answers, ((0.1, 1.0), (math.inf, 10.0)), {})
    assert slow.quantile(0.95) == math.inf


def test_the_counters_are_those_that_prometheus_sees() -> None:
    before = look()
    ANSWERS.labels("silent", "no_note").inc()
    ANSWER_SECONDS.observe(0.15)
    added = between(before, look(7))
    assert added.answers == {("silent", "no_note"): 1}
    assert added.quantile(0.5) == pytest.approx(0.15)
    assert added.waiting == 7


def test_an_hour_of_minutes_fits_the_picture() -> None:
    bars = stacked([{"answered": 3, "silent": 0, "degraded": 1}] * 90, 5)
    assert len(bars) == 120
    assert all(0 <= one.x <= WIDTH - one.width and 0 <= one.y <= HEIGHT - one.height + 0.1 for one in bars)
    gap, alone = line([1.0, 2.0, None, 9.0], 5)
    assert len(gap.split()) == len(alone.split()) == 2
    assert alone.split()[0].endswith(",0.0"), "above the scale is at its end"


@pytest.mark.parametrize(("most", "top"), [(0, 1), (1, 1), (1.1, 2), (7, 10), (20, 20), (480, 500), (0.03, 0.05)])
def test_scales_end_at_round_numbers(most: float, top: float) -> None:
    assert nice_top(most) == pytest.approx(top)
