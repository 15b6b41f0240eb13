"""Each fault that an operator can mend turns its check, and says what to do; what is not known is never called well."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, get_args

import pytest

from cds_hooks.memory.counted_readings import Drift
from cds_hooks.operators.checks import Runbook, checks_of, worst
from cds_hooks.operators.page_view import view_of
from cds_hooks.operators.page_words import CHECKS, LEVELS, OVERALL
from cds_hooks.switches import Switch
from tests.cds_hooks.operators.states import WELL_DRIFT, hour, populations, queue, well
from worker.queue_store import QueueState

SWITCH = Switch(tenant="hospital-a", reason="asked for", since=datetime(2026, 11, 1, tzinfo=UTC))


def test_a_good_morning_is_all_well() -> None:
    checks = checks_of(well())
    assert {check.level for check in checks} == {"good"}
    assert worst(checks) == "good"


@pytest.mark.parametrize(
    ("changes", "key", "level", "runbook"),
    [
        ({"ready": False}, "ready", "bad", ""),
        ({"ready": None}, "ready", "attention", ""),
        ({"queue": queue(state=None)}, "redis", "bad", "redis-down"),
        ({"queue": queue(left_alone=True)}, "breaker", "bad", "breaker-open"),
        ({"queue": queue(silent=True, canary_seconds=None)}, "workers", "bad", "worker-down"),
        ({"queue": queue(canary_seconds=None)}, "workers", "unknown", "worker-down"),
        ({"queue": queue(canary_seconds=3.0)}, "workers", "attention", "slow"),
        ({"queue": queue(state=QueueState(30, 0, ""))}, "queue", "attention", "slow"),
        ({"queue": queue(state=QueueState(60, 0, ""))}, "queue", "bad", "slow"),
        ({"queue": queue(skew_seconds=-300.0)}, "clock", "bad", ""),
        ({"hour": hour(slow=1.35)}, "latency", "attention", "slow"),
        ({"hour": hour(slow=1.9)}, "latency", "bad", "slow"),
        ({"hour": hour(slow=60)}, "latency", "bad", "slow"),
        ({"hour": hour(0, 0, 0)}, "latency", "unknown", "slow"),
        ({"hour": hour(degraded=20)}, "degraded", "attention", "slow"),
        ({"hour": hour(degraded=200)}, "degraded", "bad", "slow"),
        ({"hour": hour(3, 4, 5)}, "degraded", "unknown", "slow"),
        ({"hour": hour(20, 980)}, "silence", "attention", "silence"),
        ({"hour": hour(0, 60, 0)}, "silence", "bad", "silence"),
        ({"hour": hour(0, 40, 0)}, "silence", "unknown", "silence"),
        ({"drift": Drift(populations(), WELL_DRIFT | {"length": 0.2})}, "drift", "attention", "drift"),
        ({"drift": Drift(populations(), WELL_DRIFT | {"length": 0.3})}, "drift", "bad", "drift"),
        ({"drift": None}, "drift", "unknown", "drift"),
        ({"feedback_ready": False}, "feedback", "bad", ""),
        ({"feedback_ready": None}, "feedback", "attention", ""),
        ({"outbox": 5000}, "feedback", "attention", ""),
        ({"hour": hour(audit_failures=1)}, "audit", "bad", ""),
        ({"switches_faulty": True}, "switches", "bad", ""),
        ({"switches": (SWITCH,)}, "switches", "attention", ""),
        ({"hour": hour(quota_refused=4)}, "quota", "attention", ""),
        ({"hour": hour(security_events=4)}, "security", "attention", ""),
        ({"queue": None, "loaded": False}, "model", "attention", ""),
    ],
)
def test_each_fault_turns_its_check_and_says_what_to_do(
    changes: dict[str, Any], key: str, level: str, runbook: str
) -> None:
    state = well(**changes)
    found = {check.key: check for check in checks_of(state)}[key]
    assert (found.level, found.runbook) == (level, runbook)
    (line,) = [one for one in view_of(state, "en", version="1").lines if one.name == CHECKS[key][0].en]
    wrong = level != "unknown"
    assert line.do == (CHECKS[key][1].en if wrong else "")
    assert line.runbook == (f"docs/operations.md#{runbook}" if runbook and wrong else "")
    assert line.sign != "✓"


def test_a_quiet_night_is_no_alarm_and_workers_that_were_never_asked_are_not_well() -> None:
    night = well(hour=hour(0, 0, 0), drift=None)
    assert worst(checks_of(night)) == "good"
    assert view_of(night, "en", version="1").overall_words == "All that can be judged is well"
    assert worst(checks_of(well(queue=queue(canary_seconds=None)))) == "unknown"


def test_the_worst_stands_first_and_names_the_whole() -> None:
    view = view_of(well(queue=queue(silent=True), hour=hour(security_events=1), drift=None), "en", version="1")
    assert [line.level for line in view.lines[:3]] == ["bad", "attention", "unknown"]
    assert (view.overall, view.overall_words) == ("bad", "Something is broken")


def test_every_level_has_a_word_and_a_sign_beside_its_colour() -> None:
    assert set(LEVELS) == set(OVERALL) == {"good", "attention", "bad", "unknown"}
    assert set(get_args(Runbook)) == {"worker-down", "redis-down", "slow", "drift", "silence", "breaker-open", ""}


def test_a_diagnosis_shown_rarely_is_counted_and_not_told() -> None:
    view = view_of(well(), "en", version="1")
    assert [row[0] for row in view.acceptance] == [
        "gout", "acute_appendicitis", "pulmonary_embolism", "community_acquired_pneumonia",
    ]  # fmt: skip
    assert view.acceptance[0][2:] == ("3 % (2–6)", "79 % (74–84)", "muted (tenants: 1)")
    assert "1 diagnoses shown fewer than 20 times" in view.acceptance_note
