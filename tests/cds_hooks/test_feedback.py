"""Feedback is read as clients send it, handed to the store, and refused only when it makes no sense."""

from __future__ import annotations

import json
import uuid
from typing import Any

import httpx
import pytest

from cds_hooks.memory.feedback import MAX_COMMENT_CHARACTERS
from tests.cds_hooks import tokens
from tests.cds_hooks.charts import SERVICE, call
from tests.cds_hooks.conftest import Serve, Served

FEEDBACK = SERVICE + "/feedback"
CARD = "4e0a3a1e-3283-4575-ab82-028d55fe2719"


def item(**changes: Any) -> dict[str, Any]:
    """An overridden card; `changes` replace fields, `...` removes one."""
    overridden = {"card": CARD, "outcome": "overridden", "outcomeTimestamp": "2026-11-20T10:05:31Z"}
    return {key: value for key, value in (overridden | changes).items() if value is not ...}


def accepted(**changes: Any) -> dict[str, Any]:
    suggestion = {"id": "e56e1945-20b3-4393-8503-a1a20fd73152"}
    return item(outcome="accepted", acceptedSuggestions=[suggestion], **changes)


def sent(web: Served, *items: Any) -> httpx.Response:
    return web.http.post(FEEDBACK, json={"feedback": list(items)})


def refused(answer: httpx.Response, status: int = 400) -> dict[str, Any]:
    assert answer.status_code == status
    issue: dict[str, Any] = answer.json()["issue"][0]
    return issue


def test_feedback_is_handed_to_the_store(web: Served) -> None:
    answer = sent(web, item(), accepted())
    assert answer.status_code == 200
    assert answer.content == b""
    assert answer.headers["cache-control"] == "no-store"
    (tenant, service, first), (_, _, second) = web.feedback.kept[-2:]
    assert (tenant, service, str(first.card_uuid)) == ("local", "dxspan-patient-view", CARD)
    assert second.accepted_suggestions[0].id == "e56e1945-20b3-4393-8503-a1a20fd73152"


def test_the_same_card_may_be_reported_again_and_for_other_instances(web: Served) -> None:
    assert sent(web, item(), item(), item(card=str(uuid.uuid4()))).status_code == 200
    assert sent(web, item()).status_code == 200


def test_a_reason_may_come_without_display_or_system(web: Served) -> None:
    assert sent(web, item(overrideReason={"reason": {"code": "x", "system": "https://s"}})).status_code == 200
    assert sent(web, item(overrideReason={"reason": {"code": "x"}, "userComment": "why"})).status_code == 200
    reason = web.feedback.kept[-1][2].override_reason
    assert reason is not None
    assert reason.user_comment == "why"
    assert sent(web, item(overrideReason={"userComment": "only this"})).status_code == 200


def test_overridden_without_a_reason_is_legal(web: Served) -> None:
    assert sent(web, item()).status_code == 200
    assert web.feedback.kept[-1][2].override_reason is None


def test_unknown_fields_extensions_and_nulls_are_ignored(web: Served) -> None:
    assert (
        sent(web, item(extension={"a": 1}, colour="x", overrideReason=None, acceptedSuggestions=None)).status_code
        == 200
    )


def test_d11_a_megabyte_of_comment_is_cut(web: Served) -> None:
    assert sent(web, item(overrideReason={"userComment": "<b>" * 350_000})).status_code == 200
    reason = web.feedback.kept[-1][2].override_reason
    assert reason is not None
    assert len(reason.user_comment) == MAX_COMMENT_CHARACTERS


def test_d10_ten_thousand_items_are_taken_or_refused_as_too_large(web: Served) -> None:
    assert sent(web, *[item() for _ in range(10_000)]).status_code == 200
    assert sent(web, *[item(card=str(uuid.uuid4()), x="x" * 300) for _ in range(10_000)]).status_code == 413


def test_d10_an_accepted_card_names_what_was_accepted(web: Served) -> None:
    for nothing in (..., [], None):
        issue = refused(sent(web, item(outcome="accepted", acceptedSuggestions=nothing)))
        assert issue["expression"] == ["feedback[0].acceptedSuggestions"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("card", "not-a-uuid"), ("card", ...), ("card", 7), ("outcome", "ignored"), ("outcome", ...),
        ("outcomeTimestamp", "yesterday"), ("outcomeTimestamp", ...), ("outcomeTimestamp", 1700000000),
        ("outcomeTimestamp", "2026-11-20"), ("outcomeTimestamp", "2026-11-20T10:05:31"), ("overrideReason", "no"),
        ("acceptedSuggestions", "x"),
    ],
)  # fmt: skip
def test_d10_malformed_items_are_400(web: Served, field: str, value: Any) -> None:
    before = len(web.feedback.kept)
    issue = refused(sent(web, item(), item(**{field: value})))
    assert issue["expression"][0].startswith(f"feedback[1].{field}")
    assert len(web.feedback.kept) == before, "all or nothing"


@pytest.mark.parametrize(
    "body", [{}, [], {"feedback": []}, {"feedback": {}}, {"feedback": None}, {"feedback": [7]}, "x"]
)
def test_d10_malformed_bodies_are_400(web: Served, body: Any) -> None:
    refused(web.http.post(FEEDBACK, json=body))


def test_an_unknown_service_is_404(web: Served) -> None:
    refused(web.http.post("/cds-services/other/feedback", json={"feedback": [item()]}), 404)


def test_the_body_is_read_as_strictly_as_a_call(web: Served) -> None:
    refused(web.post(b'{"feedback": [], "feedback": []}', FEEDBACK))
    refused(web.post(json.dumps({"feedback": [item()]}).encode(), FEEDBACK, content_type="text/plain"), 415)
    refused(web.post(b"[" * 200, FEEDBACK))


def test_no_refusal_repeats_the_input(web: Served) -> None:
    canary = "CANARY-8Z"
    for changes in ({"card": canary}, {"outcome": canary}, {"overrideReason": {"reason": {"code": [canary]}}}):
        assert canary not in sent(web, item(**changes)).text


def test_a_store_that_does_not_answer_is_503_and_charts_are_still_read(serve: Serve) -> None:
    web = serve()
    web.feedback.available = False
    refused(sent(web, item()), 503)
    assert web.http.get("/readyz").status_code == 200
    assert web.call(call()).json()["cards"]


def test_feedback_wants_a_token_for_its_own_address(guarded: Served) -> None:
    body = {"feedback": [item()]}
    assert guarded.http.post(FEEDBACK, json=body).status_code == 401
    for_the_service = tokens.bearer(tokens.token(guarded.url + SERVICE))
    assert guarded.http.post(FEEDBACK, json=body, headers=for_the_service).status_code == 401
    assert guarded.signed(body, FEEDBACK).status_code == 200
    assert guarded.feedback.kept[-1][0] == "hospital-a"
