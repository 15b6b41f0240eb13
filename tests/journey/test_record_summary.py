"""The record summary through everything: the shipped reader, in process and through the queue."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from cds_hooks.build_cards import EXTENSION
from cds_hooks.demo_requests import SampleChart, sample_charts

SERVICE = "/cds-services/dxspan-record-summary"
CHARTS = sample_charts()


def card_of(client: httpx.Client, chart: SampleChart) -> dict[str, Any]:
    answer = client.post(SERVICE, json=chart.request())
    assert answer.status_code == 200, answer.text
    (card,) = answer.json()["cards"]
    found: dict[str, Any] = card
    return found


@pytest.mark.parametrize("chart", CHARTS[:5], ids=[chart.name for chart in CHARTS[:5]])
def test_every_sentence_is_a_slice_of_its_note(in_process: httpx.Client, chart: SampleChart):
    texts = {f"DocumentReference/{note['id']}": note["text"] for note in chart.content["notes"]}
    items = card_of(in_process, chart)["extension"][EXTENSION]["summary"]
    assert items
    for item in items:
        assert texts[item["reference"]][item["start"] : item["end"]] == item["quote"]


def test_the_queue_brings_the_same_summary(in_process: httpx.Client, through_queue: httpx.Client):
    for chart in (CHARTS[0], CHARTS[1]):
        summaries = [
            card_of(client, chart)["extension"][EXTENSION]["summary"] for client in (in_process, through_queue)
        ]
        assert summaries[0] == summaries[1]
