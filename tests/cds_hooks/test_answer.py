"""What an answer says: cards, or why there are none. A failure never looks like "nothing found"."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY

from tests.cds_hooks.charts import PATIENT_ID, call, document, prefetch
from tests.cds_hooks.conftest import Serve, Served
from tests.cds_hooks.statuses import status


def asked(web: Served, note: str, **changes: Any) -> httpx.Response:
    return web.call(call(prefetch=prefetch(document(note)), **changes))


def counted(state: str, reason: str = "") -> float:
    return REGISTRY.get_sample_value("dxspan_answers_total", {"state": state, "reason": reason}) or 0.0


def test_a_card_comes_back(web: Served) -> None:
    answer = asked(web, "Crushing chest pain.")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {
        "cards": [
            {
                "uuid": answer.json()["cards"][0]["uuid"],
                "summary": "1 notes read",
                "detail": "Crushing chest pain.",
                "indicator": "info",
                "source": {"label": "stand-in"},
            }
        ],
        "extension": {"org.dxspan.status": {"state": "answered"}},
    }


def test_the_card_builder_is_told_the_occasion(web: Served) -> None:
    body = call(context={"userId": "PractitionerRole/7", "patientId": PATIENT_ID, "encounterId": "enc-1"})
    web.call(body)
    occasion = web.cards.occasions[-1]
    assert (occasion.tenant, occasion.service_id) == ("local", "dxspan-patient-view")
    assert (occasion.user_id, occasion.patient_id, occasion.encounter_id) == ("PractitionerRole/7", PATIENT_ID, "enc-1")
    assert str(occasion.hook_instance) == body["hookInstance"]


@pytest.mark.parametrize(
    "reason", ["no_finding", "weak_evidence", "old_notes", "stuffed_text", "other_patient_text", "deceased"]
)
def test_silence_says_why(web: Served, reason: str) -> None:
    before = counted("silent", reason)
    answer = asked(web, f"silence: {reason}")
    assert answer.json()["cards"] == []
    assert status(answer) == {"state": "silent", "reason": reason}
    assert counted("silent", reason) == before + 1


def test_no_card_for_an_assessment_says_why_too(web: Served) -> None:
    assert status(asked(web, "known already")) == {"state": "silent", "reason": "already-known"}


@pytest.mark.parametrize("reason", ["deadline", "queue-unavailable", "reader-failed", "loading", "overloaded"])
def test_a_degraded_reading_is_an_empty_200_that_says_so_and_is_counted(web: Served, reason: str) -> None:
    before = counted("degraded", reason)
    answer = asked(web, f"degraded: {reason}")
    assert answer.json()["cards"] == []
    assert status(answer) == {"state": "degraded", "reason": reason}
    assert counted("degraded", reason) == before + 1


def test_a_reader_that_raises_degrades(web: Served, log_lines: Callable[[], list[dict[str, Any]]]) -> None:
    answer = asked(web, "raises canary-note")
    assert status(answer) == {"state": "degraded", "reason": "reader-failed"}
    (line,) = [line for line in log_lines() if line["event"] == "the reading client raised"]
    assert line["error"] == "RuntimeError"
    assert "canary" not in str(log_lines())


def test_cards_that_cannot_be_built_degrade(web: Served, log_lines: Callable[[], list[dict[str, Any]]]) -> None:
    answer = asked(web, "card fails canary-note")
    assert status(answer) == {"state": "degraded", "reason": "cards-failed"}
    assert "canary" not in str(log_lines())


def test_a_reader_that_ignores_the_deadline_is_cut(serve: Serve) -> None:
    web = serve(deadline_ms=400)
    begun = time.monotonic()
    answer = asked(web, "sleeps: 5")
    assert time.monotonic() - begun < 0.8
    assert status(answer) == {"state": "degraded", "reason": "deadline"}


def test_a_degraded_answer_is_not_kept_for_a_repeated_call(web: Served) -> None:
    body = call(prefetch=prefetch(document("degraded: loading")))
    web.call(body)
    readings = len(web.reader.charts)
    web.call(body)
    assert len(web.reader.charts) == readings + 1


def test_a_silent_answer_is_kept(web: Served) -> None:
    body = call(prefetch=prefetch(document("silence: no_finding")))
    web.call(body)
    readings = len(web.reader.charts)
    web.call(body)
    assert len(web.reader.charts) == readings


def test_what_was_not_read_is_named_in_every_state(web: Served) -> None:
    for note in ("fine", "silence: no_finding", "degraded: loading", "known"):
        answer = web.call(call(prefetch=prefetch(document(note), allergies=7)))
        assert status(answer)["unread"] == [{"what": "allergies", "reason": "malformed", "count": 1}]


def test_shown_cards_are_remembered_for_their_feedback(web: Served) -> None:
    body = call()
    web.call(body)
    until = time.monotonic() + 2
    while not any(card.uuid == body["hookInstance"] for _, _, card in web.feedback.shown):
        assert time.monotonic() < until
        time.sleep(0.01)
    assert web.feedback.shown[-1][:2] == ("local", "dxspan-patient-view")


def test_a_feedback_store_that_is_down_does_not_cost_the_card(serve: Serve) -> None:
    web = serve()
    web.feedback.available = False
    assert web.call(call()).json()["cards"]


def test_the_answer_is_one_line_in_the_log(web: Served, log_lines: Callable[[], list[dict[str, Any]]]) -> None:
    body = call()
    web.call(body)
    (line,) = [line for line in log_lines() if line["event"] == "answer"]
    assert line["hookInstance"] == body["hookInstance"]
    assert (line["state"], line["cards"], line["tenant"]) == ("answered", 1, "local")


def test_tenants_of_the_same_instance_do_not_share_answers(web: Served, serve: Serve) -> None:
    other = serve(tenant="other")
    body = call()
    assert web.call(body).status_code == other.call(body).status_code == 200
    assert other.reader.tenants[-1] == "other"


def test_no_system_actions_are_ever_sent(web: Served) -> None:
    for note in ("fine", "silence: no_finding", "degraded: loading"):
        assert set(asked(web, note).json()) == {"cards", "extension"}


def test_the_status_is_an_object_under_a_reverse_domain_name(web: Served) -> None:
    extension = asked(web, "silence: no_finding").json()["extension"]
    assert list(extension) == ["org.dxspan.status"]
    assert isinstance(extension["org.dxspan.status"], dict)


@pytest.mark.parametrize("why", ["time", "model"])
def test_d13_g04_a_failure_that_left_nothing_to_show_is_degraded_and_no_silence(web: Served, why: str) -> None:
    before = counted("degraded", "partly-read")
    answer = asked(web, f"silence: partly_read partly: {why}")
    assert answer.json()["cards"] == []
    assert status(answer) == {"state": "degraded", "reason": "partly-read", "partly": {why: 1}}
    assert counted("degraded", "partly-read") == before + 1


def test_c3_what_a_limit_of_ours_left_unread_is_the_reason_of_silence(web: Served) -> None:
    said = status(asked(web, "silence: partly_read partly: length"))
    assert said == {"state": "silent", "reason": "partly_read", "partly": {"length": 1}}


@pytest.mark.parametrize("why", ["length", "time", "model"])
def test_d13_c3_beside_a_card_the_status_says_what_was_read_in_part(web: Served, why: str) -> None:
    answer = asked(web, f"partly: {why}")
    assert answer.json()["cards"]
    assert status(answer) == {"state": "answered", "partly": {why: 1}}


def test_c20_a_restricted_note_is_read_for_a_tenant_that_allows_it_alone(web: Served, serve: Serve) -> None:
    body = call(prefetch=prefetch(document("Restricted.") | {"meta": {"security": [{"code": "R"}]}}))
    restricted = {"what": "DocumentReference", "reason": "restricted", "count": 1}
    assert status(web.call(body)) == {"state": "silent", "reason": "no_note", "unread": [restricted]}
    allowing = serve(restricted_tenants="another,local")
    assert allowing.call(body).json()["cards"][0]["detail"] == "Restricted."
    other = serve(restricted_tenants="another")
    assert other.call(body).json()["cards"] == []
