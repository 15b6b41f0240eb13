"""F2: a tenant that floods gets 429 and is told when to come back; others, and its own feedback, are taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from cds_hooks.operation_outcome import TooManyRequests
from cds_hooks.quota import Quota
from tests.cds_hooks import tokens
from tests.cds_hooks.charts import SERVICE, call, document, prefetch
from tests.cds_hooks.conftest import Serve, Served

OTHER = "https://other.example.org"
FEEDBACK = f"{SERVICE}/feedback"


def feedback() -> dict[str, Any]:
    said = {"card": call()["hookInstance"], "outcome": "overridden", "outcomeTimestamp": "2026-11-20T10:05:31Z"}
    return {"feedback": [said]}


@pytest.fixture
def web(serve: Serve, key_file: Path) -> Served:
    issuers = {
        tokens.ISSUER: {"tenant": "hospital-a", "jwks_file": key_file, "jku": tokens.JKU},
        OTHER: {"tenant": "hospital-b", "jwks_file": key_file, "jku": tokens.JKU},
    }
    return serve(auth=True, trusted_issuers=issuers, calls_per_second=1)


def held_off(answers: list[httpx.Response]) -> None:
    refused = [answer for answer in answers if answer.status_code != 200]
    assert len(refused) >= len(answers) / 2
    assert len(refused) < len(answers), "slowed down, not shut out"
    for answer in refused:
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) >= 1
        assert answer.json()["resourceType"] == "OperationOutcome"
        assert answer.json()["issue"][0]["code"] == "throttled"


def test_f2_one_tenants_storm_is_refused_and_the_others_are_answered(web: Served) -> None:
    held_off([web.signed(call()) for _ in range(40)])
    calm = [web.signed(call(prefetch=prefetch(document("Cough."))), iss=OTHER) for _ in range(5)]
    assert [answer.status_code for answer in calm] == [200] * 5


def test_f2_a_storm_of_hooks_costs_no_feedback_and_feedback_has_a_quota_too(web: Served) -> None:
    held_off([web.signed(call()) for _ in range(30)])
    kept = len(web.feedback.kept)
    storm = [web.signed(feedback(), FEEDBACK) for _ in range(40)]
    assert storm[0].status_code == 200
    held_off(storm)
    assert len(web.feedback.kept) - kept == sum(answer.status_code == 200 for answer in storm)
    assert web.signed(feedback(), FEEDBACK, iss=OTHER).status_code == 200


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def refused_for(quota: Quota, tenant: str = "a") -> int:
    """Seconds until the next call is taken; 0 when this one was."""
    try:
        quota.take(tenant, "hook-call")
    except TooManyRequests as refusal:
        return refusal.retry_after
    return 0


def test_a_bucket_holds_five_seconds_and_fills_at_its_rate() -> None:
    clock = Clock()
    quota = Quota(2, clock=clock)
    assert [refused_for(quota) for _ in range(11)] == [0] * 10 + [1]
    assert refused_for(quota, "b") == 0
    clock.now = 1
    assert [refused_for(quota) for _ in range(3)] == [0, 0, 1]
    clock.now = 1000
    assert sum(refused_for(quota) == 0 for _ in range(100)) == 10


@pytest.mark.parametrize(("rate", "wait"), [(0.1, 10), (0.3, 2), (3.0, 1)])
def test_a_refused_call_is_told_when_the_next_one_is_taken(rate: float, wait: int) -> None:
    clock = Clock()
    quota = Quota(rate, clock=clock)
    told = 0
    while not told:
        told = refused_for(quota)
    assert told == wait
    clock.now += told
    assert refused_for(quota) == 0


def test_no_quota_is_no_quota() -> None:
    quota = Quota(0, clock=Clock())
    assert not any(refused_for(quota) for _ in range(10_000))
