"""What became of a suggestion is remembered: over HTTP, with real cards and real databases, SQLite and PostgreSQL."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from cds_hooks.override_reasons import REASONS
from tests.cds_hooks.charts import SERVICE
from tests.cds_hooks.databases import Database
from tests.cds_hooks.spelled_out import Ehr, eventually, hospital

FLU = "influenza: high fever, body aches"
FLU_AND_MORE = f"{FLU}, dry cough"
TWO = f"{FLU}\ngout: red toe"
NEXT = {"encounter": "e-2"}


@contextmanager
def clinic(database: str, **changes: Any) -> Iterator[Ehr]:
    """A web process that has opened its database, and whose answers are not on the clock: that is not on trial here."""
    with hospital(database, **({"deadline_ms": 15_000} | changes)) as found:
        eventually(lambda: found.http.get("/readyz").status_code == 200, 60)
        yield found


@pytest.fixture
def ehr(database: Database) -> Iterator[Ehr]:
    with clinic(database.url) as found:
        yield found


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("reason", [*(r for r in REASONS if r not in ("limited-time", "wrong-time-workflow")), ""])
def test_d07_what_was_dismissed_is_hidden_until_the_evidence_changes(ehr: Ehr, reason: str) -> None:
    assert ehr.reports(ehr.opens(FLU), reason=reason).status_code == 200
    again = ehr.opens(FLU, **NEXT)
    assert (again.cards, again.status) == ([], {"state": "silent", "reason": "dismissed"})
    assert ehr.opens("influenza: body aches", **NEXT).reason == "dismissed", "less evidence is no news"
    assert ehr.opens(FLU_AND_MORE, **NEXT).names == ["influenza"]


@pytest.mark.parametrize("reason", ["limited-time", "wrong-time-workflow"])
def test_d08_who_had_no_time_sees_it_at_the_next_encounter(ehr: Ehr, reason: str) -> None:
    ehr.reports(ehr.opens(FLU), reason=reason)
    assert ehr.opens(FLU).reason == "dismissed"
    assert ehr.opens(FLU, user="doc-8").reason == "dismissed"
    assert ehr.opens(FLU, **NEXT).names == ["influenza"]


def test_d09_what_was_accepted_is_hidden_until_it_has_been_on_the_list_and_left_it(ehr: Ehr) -> None:
    ehr.reports(ehr.opens(TWO), "accepted", what="influenza")
    before = ehr.opens(TWO, **NEXT)
    assert before.names == ["gout"], "the EHR has not written it yet; nothing was said of the other one"
    assert ehr.opens(FLU, **NEXT).reason == "accepted"
    assert ehr.opens(FLU, problems=["influenza"], **NEXT).reason == "already-known"
    assert ehr.opens(FLU, encounter="e-3").names == ["influenza"], "it was on the list, and is no more"


def test_d09_a_dismissed_card_does_not_bring_up_the_next_in_rank_in_the_same_encounter(ehr: Ehr) -> None:
    many = "\n".join(f"{name}: sign of {name}" for name in ("a1", "b2", "c3", "d4"))
    first = ehr.opens(many)
    assert first.names == ["a1", "b2", "c3"]
    ehr.reports(first, reason="cds-not-applicable")
    assert ehr.opens(many).reason == "dismissed"
    assert ehr.opens(many, **NEXT).names == ["d4"]


def test_rule_6_not_twice_to_the_same_user_in_one_encounter(ehr: Ehr) -> None:
    assert ehr.opens(FLU).names == ["influenza"]
    assert ehr.opens(FLU).status == {"state": "silent", "reason": "already-shown"}
    assert ehr.opens(FLU, user="doc-8").names == ["influenza"]
    assert ehr.opens(FLU_AND_MORE).names == ["influenza"], "other evidence"
    assert ehr.opens(TWO).names == ["influenza", "gout"], "something on it is new"
    assert ehr.opens("gout: red toe\n" + FLU, **NEXT).names == ["gout", "influenza"]


def test_rule_6_calls_without_an_encounter_count_as_one_for_some_hours(ehr: Ehr) -> None:
    assert ehr.opens(FLU, encounter=None).names == ["influenza"]
    assert ehr.opens(FLU, encounter=None).reason == "already-shown"
    assert ehr.opens(FLU).reason == "already-shown", "it cannot be told that this is another one"


def test_b15_the_same_call_gets_its_card_again_also_after_a_restart(database: Database) -> None:
    instance = str(uuid.uuid4())
    with clinic(database.url) as ehr:
        first = ehr.opens(FLU, instance=instance)
        assert ehr.opens(FLU, instance=instance).card["uuid"] == first.card["uuid"]
    with clinic(database.url) as ehr:
        assert ehr.opens(FLU, instance=instance).card["uuid"] == first.card["uuid"]
        assert ehr.opens(FLU).reason == "already-shown"


@pytest.mark.parametrize("key", [None, "a2V5" * 10 + "a2U="])
def test_g07_a_restart_forgets_nothing(database: Database, key: str | None) -> None:
    with clinic(database.url, feedback_key=key) as ehr:
        shown = ehr.opens(FLU)
    with clinic(database.url, feedback_key=key) as ehr:
        ehr.reports(shown, reason="cds-not-applicable")
    with clinic(database.url, feedback_key=key) as ehr:
        assert ehr.opens(FLU, **NEXT).reason == "dismissed"


def test_f01_d10_another_tenants_feedback_and_card_have_no_effect(database: Database) -> None:
    with clinic(database.url, tenant="a") as ours, clinic(database.url, tenant="b") as theirs:
        shown = ours.opens(FLU)
        assert theirs.reports(shown, reason="cds-not-applicable").status_code == 200
        assert ours.opens(FLU, **NEXT).names == ["influenza"]
        ours.reports(shown, reason="cds-not-applicable")
        assert ours.opens(FLU, encounter="e-3").reason == "dismissed"
        assert theirs.opens(FLU, encounter="e-3").names == ["influenza"], "their patient of that number is another one"


def test_f01_a_patient_of_that_number_on_another_server_is_another_one(ehr: Ehr) -> None:
    ehr.reports(ehr.opens(FLU, fhir_server="http://127.0.0.1:1/r4"), reason="cds-not-applicable")
    assert ehr.opens(FLU, fhir_server="http://127.0.0.1:1/r4/").reason == "dismissed"
    assert ehr.opens(FLU, fhir_server="http://127.0.0.1:2/r4").names == ["influenza"]


def test_d10_feedback_about_an_unknown_card_has_no_effect(ehr: Ehr) -> None:
    shown = ehr.opens(FLU)
    shown.card["uuid"] = str(uuid.uuid4())
    assert ehr.reports(shown, reason="cds-not-applicable").status_code == 200
    assert ehr.opens(FLU, **NEXT).names == ["influenza"]


def test_d10_ten_thousand_items_are_taken_twice_and_kept_once(ehr: Ehr, database: Database) -> None:
    shown = ehr.opens(FLU)
    items = [
        {"card": shown.card["uuid"], "outcome": "overridden", "outcomeTimestamp": f"2026-11-20T10:05:31.{n:05d}Z"}
        for n in range(10_000)
    ]
    for _ in range(2):
        assert ehr.http.post(f"{SERVICE}/feedback", json={"feedback": items}).status_code == 200
    eventually(lambda: ehr.opens(FLU, **NEXT).reason == "dismissed")
    assert database.count("feedback") == 10_000


def test_d10_a_report_from_the_future_hides_no_longer_than_one_of_now(ehr: Ehr, database: Database) -> None:
    ehr.reports(ehr.opens(FLU), at="2999-01-01T00:00:00Z")
    database.sql(
        "UPDATE feedback SET received = '2026-01-01 00:00:00.000000'",
        "UPDATE suggested_diagnosis SET shown = '2026-01-01 00:00:00.000000'",
    )
    assert ehr.opens(FLU, **NEXT).names == ["influenza"]


def test_the_last_word_about_a_card_counts(ehr: Ehr) -> None:
    shown = ehr.opens(FLU)
    ehr.reports(shown, reason="cds-not-applicable", at="2026-01-01T00:00:00Z")
    assert ehr.opens(FLU, **NEXT).reason == "dismissed"
    ehr.reports(shown, reason="limited-time")
    assert ehr.opens(FLU, **NEXT).names == ["influenza"]


def test_rule_12_a_diagnosis_that_nobody_accepts_is_muted_for_that_tenant_and_it_says_so(
    database: Database, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    with clinic(database.url, tenant="a") as ehr:
        for number in range(4):
            assert ehr.opens(TWO, encounter=f"e-{number}").names == ["influenza", "gout"]
        shown = ehr.opens(TWO, encounter="e-4")
        ehr.reports(shown, "accepted", what="gout")
        shown.card["uuid"] = str(uuid.uuid4())
        ehr.reports(shown)
    fewer = {"mute_after_shows": 5, "metrics": True}
    with clinic(database.url, tenant="a", **fewer) as ehr, clinic(database.url, tenant="b", **fewer) as others:
        muted = lambda: [line for line in log_lines() if line["event"] == "diagnosis muted"]  # noqa: E731
        eventually(muted)
        line = muted()[0]
        assert (line["tenant"], line["diagnosis"], line["shown"], line["accepted"]) == ("a", "influenza", 5, 0)
        assert ehr.opens(FLU, encounter="e-9").reason == "muted"
        assert others.opens(FLU, encounter="e-9").names == ["influenza"]
        metrics = ehr.http.get("/metrics").text
        assert 'dxspan_muted_diagnoses{diagnosis="influenza"} 1.0' in metrics
        assert 'dxspan_suggestions{diagnosis="gout",outcome="accepted"} 1.0' in metrics
        assert "dxspan_feedback_unknown_cards 1.0" in metrics


def test_e10_no_id_and_no_word_of_the_chart_is_in_the_database(database: Database) -> None:
    with clinic(database.url, feedback_key="a2V5" * 10 + "a2U=") as ehr:
        shown = ehr.opens(FLU, user="canary-user", encounter="canary-encounter")
        ehr.reports(shown, reason="cds-not-applicable", comment="canary-comment")
        ehr.reports(shown, reason="canary-reason")
    content = database.content()
    assert b"influenza" in content
    for canary in (b"pat-1", b"canary"):
        assert canary not in content, canary
