"""Messages are JSON of a known version and form; everything else is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from tests.worker.conftest import chart_of
from tests.worker.plain_reader import PlainReader
from worker.messages import FRESH_QUEUE, LATER_QUEUE, MESSAGE_VERSION, ReadReply, ReadRequest, answer_name, chart_name

REQUEST: dict[str, Any] = {
    "version": MESSAGE_VERSION,
    "reading": "0" * 32,
    "tenant": "north",
    "chart_mark": "a" * 64,
    "wait_ms": 1500,
    "life_ms": 120_000,
}


def test_a_request_survives_json() -> None:
    request = ReadRequest.model_validate(REQUEST)
    assert ReadRequest.model_validate(json.loads(request.model_dump_json())) == request


@pytest.mark.parametrize(
    "change",
    [
        {"version": MESSAGE_VERSION + 1},
        {"reading": "../../etc/passwd"},
        {"reading": "0" * 33},
        {"tenant": ""},
        {"chart_mark": "A" * 64},
        {"wait_ms": "1500"},
        {"wait_ms": -1},
        {"life_ms": 0},
        {"note": "chest pain"},
    ],
)
def test_a_request_of_another_version_or_form_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ReadRequest.model_validate(REQUEST | change)


def test_a_reply_carries_an_assessment_through_json() -> None:
    reply = ReadReply(assessment=PlainReader().assess(chart_of("a note")))
    assert ReadReply.model_validate_json(reply.model_dump_json()) == reply


def test_a_reply_without_assessment_must_say_why() -> None:
    with pytest.raises(ValidationError):
        ReadReply()


def test_two_message_versions_share_no_queue() -> None:
    assert FRESH_QUEUE.endswith(f".v{MESSAGE_VERSION}")
    assert LATER_QUEUE.endswith(f".v{MESSAGE_VERSION}")


def test_every_redis_key_begins_alike_so_that_an_access_list_can_name_them() -> None:
    assert chart_name("1").startswith("dxspan:")
    assert answer_name("1").startswith("dxspan:")
