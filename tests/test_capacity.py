"""The simulated queue against what is known of queues without simulating, and the product's rules one by one."""

from __future__ import annotations

from argparse import Namespace

import numpy as np
import pytest

from benchmarks import capacity
from benchmarks.clinic_arrivals import (
    AFTERNOON,
    AGAIN,
    FIRST,
    NEW_NOTE,
    VISITS_BY_HOUR,
    Keeping,
    around_the_busiest_hour,
    busiest_hour,
    jobs,
)
from benchmarks.clinic_day import Day
from benchmarks.queue_simulation import NO_JOB, Jobs, simulate

MEASURED = {FIRST: [0.3], AGAIN: [0.0], NEW_NOTE: [0.1], AFTERNOON: [0.1]}
FOR_EVER = float("inf")


def of(*rows: tuple[float, float, bool], ahead: dict[int, int] | None = None) -> Jobs:
    """Jobs of (arrival, work, waited for)."""
    arrival, work, waited_for = (np.array(column) for column in zip(*rows, strict=True))
    before = np.full(len(rows), NO_JOB)
    for job, reading in (ahead or {}).items():
        before[job] = reading
    return Jobs(arrival.astype(float), work.astype(float), waited_for.astype(bool), before)


@pytest.mark.parametrize(("workers", "load"), [(4, 0.8), (20, 0.9)])
def test_mean_wait_is_erlangs(workers: int, load: float) -> None:
    chance = np.random.default_rng(1)
    count = 150_000
    arrival = np.cumsum(chance.exponential(1 / (workers * load), count))
    work = chance.exponential(1.0, count)
    served = simulate(Jobs(arrival, work, np.ones(count, bool), np.full(count, NO_JOB)), workers, patience=FOR_EVER)
    offered = workers * load
    blocked = 1.0
    for number in range(1, workers + 1):  # Erlang's B by its recursion, then C, then the mean wait of M/M/c
        blocked = offered * blocked / (number + offered * blocked)
    queued = blocked / (1 - load * (1 - blocked))
    expected = queued / (workers * (1 - load))
    assert float(served.seconds.mean() - work.mean()) == pytest.approx(expected, rel=0.15)


def test_who_is_waited_for_goes_first() -> None:
    served = simulate(of((0, 1, True), (0.1, 1, False), (0.2, 1, True)), 1, patience=FOR_EVER)
    assert served.seconds.tolist() == [1, pytest.approx(1.8)]
    assert served.busy == 3


def test_who_waits_too_long_is_put_off_and_read_when_nobody_waits() -> None:
    served = simulate(of((0, 2, True), (0.5, 1, True), (1.9, 1, True)), 1, patience=1.0)
    assert served.read.tolist() == [True, False, True]
    assert served.seconds.tolist() == [2, 1.0, pytest.approx(1.1)]
    assert served.busy == 4
    assert served.share_within(1.5) == pytest.approx(1 / 3)


def test_what_is_not_read_whole_by_its_deadline_is_answered_then_and_read_to_its_end_later() -> None:
    served = simulate(of((0, 3, True), (0.5, 1, True), (5, 1, True)), 1, patience=1.0, deadline=1.4)
    assert served.whole.tolist() == [False, False, True]
    assert (served.in_part, served.unread) == (pytest.approx(2 / 3), 0)
    assert served.seconds.tolist() == [1.4, 1.4, 1]
    assert served.busy == pytest.approx(5)


def test_a_chart_read_ahead_in_time_needs_no_worker_and_one_too_late_does() -> None:
    ahead = of((0, 1, False), (2, 1, True), (3, 5, False), (4, 1, True), (2000, 1, True), ahead={1: 0, 3: 2, 4: 0})
    served = simulate(ahead, 2, patience=FOR_EVER)
    assert served.seconds.tolist() == [0, 1, 1]  # the last one's answer is forgotten
    assert served.busy == 8


def test_a_day_has_as_many_openings_as_asked_for_by_the_curve() -> None:
    assert sum(VISITS_BY_HOUR.values()) == 100
    day = jobs(40_000, Keeping("half", read_ahead=0.5), MEASURED, seed=2)
    assert day.waited_for.sum() == 40_000
    assert (~day.waited_for).sum() == pytest.approx(5_000, rel=0.05)
    assert (np.diff(day.arrival) >= 0).all()
    read = np.flatnonzero(day.ahead >= 0)
    assert len(read) == (~day.waited_for).sum()
    assert (day.arrival[day.ahead[read]] < day.arrival[read]).all()
    assert not day.waited_for[day.ahead[read]].any()
    hour, openings = busiest_hour(day)
    assert 8 <= hour <= 15
    assert 4_000 < openings < 8_000
    part = around_the_busiest_hour(day)
    inside = np.flatnonzero(part.ahead >= 0)
    assert (part.arrival[part.ahead[inside]] < part.arrival[inside]).all()


def test_keeping_more_never_costs_a_worker_more() -> None:
    def work(**kept: bool) -> float:
        return float(jobs(8_000, Keeping("", **kept), MEASURED, seed=3).work.sum())

    assert work(answers=False, sentences=False) == pytest.approx(8_000 * 0.3)
    assert work(sentences=False) == pytest.approx(6_000 * 0.3)
    assert work() == pytest.approx(2_000 * (0.3 + 0.1 + 0.1))


def test_the_page_tells_charts_from_openings_and_counts_a_million_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    assert capacity.PLACES["country"] == 1_000_000
    assert capacity.PLACES["a million charts"] == 4_000_000
    monkeypatch.setattr(capacity, "PLACES", {place: openings // 1000 for place, openings in capacity.PLACES.items()})
    measured = capacity.Costs(5, 12, MEASURED, {kind: [0.01] for kind in capacity.KINDS}, Day(), 100.0)
    options = Namespace(patients=8, charts=["5x12"], seed=0)
    written = "\n".join(capacity.page([measured], options, "capacity.svg", "5+abc"))
    assert "Model 5+abc." in written
    assert "a million openings a day are 250,000 visits" in written
    assert "| country | 250 | 1,000 | " in written
    assert "| a million charts | 1,000 | 4,000 | " in written
    assert "at 1,000 openings of 250 charts a day" in written
