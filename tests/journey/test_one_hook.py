"""One hook through everything: HTTP, chart, reader, card, feedback; in process and through the queue."""

from __future__ import annotations

import html
from typing import Any

import httpx
import pytest

from cds_hooks.build_cards import EXTENSION
from cds_hooks.demo_requests import SampleChart, sample_charts
from cds_hooks.outcome import STATUS_EXTENSION

SERVICE = "/cds-services/dxspan-patient-view"
CHARTS = sample_charts()


def answered(client: httpx.Client, request: dict[str, Any]) -> dict[str, Any]:
    response = client.post(SERVICE, json=request)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    assert answer["extension"][STATUS_EXTENSION]["state"] != "degraded"
    return answer


@pytest.mark.parametrize("chart", CHARTS, ids=[chart.name for chart in CHARTS])
def test_each_sample_chart_gets_what_it_expects(in_process: httpx.Client, chart: SampleChart):
    answer = answered(in_process, chart.request())
    if chart.expect == "silence":
        assert answer["cards"] == []
        assert answer["extension"][STATUS_EXTENSION]["reason"]
    elif chart.expect == "card":
        assert len(answer["cards"]) == 1


@pytest.mark.parametrize("chart", CHARTS, ids=[chart.name for chart in CHARTS])
def test_every_quoted_span_is_a_slice_of_its_note(in_process: httpx.Client, chart: SampleChart):
    texts = {f"DocumentReference/{note['id']}": note["text"] for note in chart.content["notes"]}
    for card in answered(in_process, chart.request())["cards"]:
        for diagnosis in card["extension"][EXTENSION]["diagnoses"]:
            assert diagnosis["for"]
            for said in (*diagnosis["for"], *diagnosis.get("against", [])):
                if "start" in said:
                    assert texts[said["reference"]][said["start"] : said["end"]] == said["quote"]


LEADING = {
    "01-acute-abdomen": "K35",
    "02-influenza-zh": "J11",
    "03-tired-en": "E03",
    "04-diabetes-zh": "E11",
    "05-chest-pain-en": "I26",
    "08-stone-mixed": "N20",
}


@pytest.mark.parametrize(("name", "category"), LEADING.items())
def test_the_leading_suggestion_of_a_plain_case(in_process: httpx.Client, name: str, category: str):
    chart = next(chart for chart in CHARTS if chart.name == name)
    card = answered(in_process, chart.request())["cards"][0]
    assert card["extension"][EXTENSION]["diagnoses"][0]["code"].startswith(category)


def test_what_is_on_the_problem_list_is_not_suggested(in_process: httpx.Client):
    chart = next(chart for chart in CHARTS if chart.name == "07-known-gout-en")
    for card in answered(in_process, chart.request())["cards"]:
        codes = [diagnosis["code"] for diagnosis in card["extension"][EXTENSION]["diagnoses"]]
        assert not any(code.startswith("M10") for code in codes)


def test_the_queue_gives_the_same_cards(in_process: httpx.Client, through_queue: httpx.Client):
    for chart in CHARTS:
        request = chart.request()
        assert content(answered(through_queue, request)["cards"]) == content(answered(in_process, request)["cards"])


def content(cards: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The cards without the moment at which a condition would be recorded and without the server's own address.

    What a condition contains says both.
    """
    for card in cards:
        del card["source"], card["links"]
        for suggestion in card.get("suggestions", []):
            condition = suggestion["actions"][0]["resource"]
            del condition["recordedDate"], condition["contained"]
    return cards


def test_feedback_on_a_shown_card_is_taken(in_process: httpx.Client):
    card = answered(in_process, CHARTS[0].request())["cards"][0]
    report = {
        "feedback": [
            {
                "card": card["uuid"],
                "outcome": "accepted",
                "acceptedSuggestions": [{"id": card["suggestions"][0]["uuid"]}],
                "outcomeTimestamp": "2026-11-23T10:00:00Z",
            }
        ]
    }
    assert in_process.post(f"{SERVICE}/feedback", json=report).status_code == 200


def test_the_card_reads_well_in_both_languages(in_process: httpx.Client):
    english = answered(in_process, CHARTS[0].request())["cards"][0]
    chinese = answered(in_process, CHARTS[1].request())["cards"][0]
    assert english["summary"].startswith("Consider: ")
    assert chinese["summary"].startswith("请考虑：")
    assert "支持" in html.unescape(chinese["detail"])
    assert len(english["detail"]) <= 1500
    assert len(chinese["detail"]) <= 1500
