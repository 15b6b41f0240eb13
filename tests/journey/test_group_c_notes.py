"""Rows C1, C2, C17, C18 and C20 through everything: what a chart's notes are worth, said on the wire."""

from __future__ import annotations

import base64
import html
from typing import Any

import httpx
import pytest

from cds_hooks.demo_requests import sample_charts
from cds_hooks.outcome import STATUS_EXTENSION
from cds_hooks.safe_markdown import WORD_JOINER
from tests.fhir_server import searchset
from tests.journey.test_one_hook import answered

CHART = next(chart for chart in sample_charts() if chart.name == "05-chest-pain-en")
TRIAGE = CHART.content["notes"][0]["text"]
STORY = CHART.content["notes"][1]["text"]
PATIENT = f"Patient/{CHART.content['patient']['id']}"


def document(text: str, number: int = 0, *, date: str | None = "2026-11-21", **more: Any) -> dict[str, Any]:
    attachment = {"contentType": "text/plain", "data": base64.b64encode(text.encode()).decode()}
    found = {
        "resourceType": "DocumentReference",
        "id": f"n{number}",
        "status": "current",
        "type": {"text": "Clinic note"},
        "subject": {"reference": PATIENT},
        "content": [{"attachment": attachment}],
    }
    return found | ({"date": date} if date else {}) | more


def asked(*documents: dict[str, Any]) -> dict[str, Any]:
    """A call with these notes and nothing else."""
    request = CHART.request()
    request["prefetch"] |= {"documents": searchset(documents), "laboratory": searchset([])}
    return request


def silence(answer: dict[str, Any]) -> str:
    assert answer["cards"] == []
    assert answer["extension"][STATUS_EXTENSION]["state"] == "silent"
    reason: str = answer["extension"][STATUS_EXTENSION]["reason"]
    return reason


def words_of(answer: dict[str, Any]) -> str:
    """Summary and detail of the one card, as a reader sees them."""
    (card,) = answer["cards"]
    return f"{card['summary']}\n{html.unescape(card['detail']).replace(WORD_JOINER, '')}"


def test_c01_no_note_is_no_card(in_process: httpx.Client):
    assert silence(answered(in_process, asked())) == "no_note"


@pytest.mark.parametrize(
    "text", [" ", "\n\t \u3000", ".", "。", "...", "Seen today, doing very well.", "Chest pain.", "See scanned form."]
)
def test_c02_next_to_no_text_is_no_card(in_process: httpx.Client, text: str):
    assert silence(answered(in_process, asked(document(text)))) in (
        "no_note",
        "too_little_text",
        "no_finding",
        "weak_evidence",
    )


def test_c17_a_chart_with_nothing_but_a_note_of_2009_is_silent(in_process: httpx.Client):
    assert silence(answered(in_process, asked(document(STORY, date="2009-03-02")))) == "old_notes"


@pytest.mark.parametrize("date", [None, "2031-01-01", "not a date"])
def test_c18_a_note_without_a_date_or_of_the_future_is_marked_undated(in_process: httpx.Client, date: str | None):
    said = words_of(answered(in_process, asked(document(STORY, date=date))))
    assert "2031" not in said
    assert said.splitlines()[0].endswith("from 1 note")
    assert ", undated" in said


def test_c18_a_future_note_never_counts_as_the_newest(in_process: httpx.Client):
    notes = (document(STORY, 1, date="2031-01-01"), document(TRIAGE, 2, date="2026-11-20T08:00:00"))
    said = words_of(answered(in_process, asked(*notes)))
    assert said.splitlines()[0].endswith("(2026-11-20)")
    assert "2031" not in said


@pytest.mark.parametrize(
    "label",
    [
        {"meta": {"security": [{"code": "R"}]}},
        {"securityLabel": [{"coding": [{"code": "42CFRPart2"}]}]},
        {"securityLabel": [{"coding": [{"code": "HIV"}]}]},
        {"meta": {"security": [{"code": "PSY"}]}},
    ],
)
def test_c20_a_restricted_note_is_neither_used_nor_quoted_and_that_is_said(
    in_process: httpx.Client, label: dict[str, Any]
):
    answer = answered(in_process, asked(document(STORY, **label)))
    assert silence(answer) == "no_note"
    assert answer["extension"][STATUS_EXTENSION]["unread"] == [
        {"what": "DocumentReference", "reason": "restricted", "count": 1}
    ]
