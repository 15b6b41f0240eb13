"""The breaker: closed, open for a while, half open for one."""

from __future__ import annotations

from worker.circuit_breaker import CircuitBreaker


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_closed_lets_every_call_pass() -> None:
    breaker = CircuitBreaker(5, clock=Clock())
    assert [breaker.lets_pass() for _ in range(3)] == [True] * 3


def test_a_failure_opens_it_for_five_seconds() -> None:
    clock = Clock()
    breaker = CircuitBreaker(5, clock=clock)
    breaker.failed()
    clock.now += 4.9
    assert not breaker.lets_pass()
    assert not breaker.closed


def test_half_open_lets_one_call_pass() -> None:
    clock = Clock()
    breaker = CircuitBreaker(5, clock=clock)
    breaker.failed()
    clock.now += 5
    assert [breaker.lets_pass() for _ in range(3)] == [True, False, False]


def test_a_trial_that_works_closes_it_and_one_that_fails_opens_it_again() -> None:
    clock = Clock()
    breaker = CircuitBreaker(5, clock=clock)
    breaker.failed()
    clock.now += 5
    assert breaker.lets_pass()
    breaker.failed()
    assert not breaker.lets_pass()
    clock.now += 5
    assert breaker.lets_pass()
    breaker.succeeded()
    assert [breaker.lets_pass() for _ in range(3)] == [True] * 3


def test_a_trial_that_never_reports_back_is_followed_by_another() -> None:
    clock = Clock()
    breaker = CircuitBreaker(5, clock=clock)
    breaker.failed()
    clock.now += 5
    assert breaker.lets_pass()
    clock.now += 5
    assert breaker.lets_pass()
