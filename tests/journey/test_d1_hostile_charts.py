"""Row D1 through everything: hostile notes in the prefetch, the shipped reader, the card on the wire, each renderer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from cds_hooks.build_cards import EXTENSION
from cds_hooks.demo_requests import SampleChart
from cds_hooks.safe_markdown import WORD_JOINER, plain
from tests.renderers.comparing import TEMPLATE
from tests.renderers.hostile_cards import hostile_strings
from tests.renderers.rendering import missing, render

SERVICE = "/cds-services/dxspan-patient-view"
NOTE = (
    "Sudden chest pain {0} worse with breathing since this morning. Short of breath {0} at rest. "
    "Swollen left calf {0} after a long flight. Feels a band {0} round the chest when climbing stairs. "
    "Coughing up {0} blood. No {0} fever."
)
NAME = "Quillfeather"
"""Of the practitioner; found nowhere else."""


def chart(text: str) -> dict[str, Any]:
    """A request with `text` in the note, its title, its author's name and role, and the name of a laboratory result."""
    note = {"id": "n1", "type": f"Clinic {text} note", "date": "2026-11-20T08:00:00Z", "text": NOTE.format(text)}
    value = {"code": "48065-7", "value": 4.2, "unit": "mg/L", "high": 0.5, "date": "2026-11-20T09:00:00Z"}
    content = {
        "patient": {"id": "p1", "gender": "female", "birthDate": "1961-05-02"},
        "problems": [],
        "notes": [note],
        "observations": [{"text": f"D-dimer {text}", **value}],
    }
    request = SampleChart("hostile", "hostile", "card", content).request()
    practitioner = {"reference": "Practitioner/7", "display": f"{NAME} <h1>Dr</h1>"}
    role = {
        "resourceType": "PractitionerRole",
        "id": "r7",
        "practitioner": practitioner,
        "code": [{"text": f"Internist {text}"}],
    }
    documents = request["prefetch"]["documents"]["entry"]
    documents[0]["resource"]["author"] = [{"reference": "PractitionerRole/r7", "display": f"{NAME} {text}"}]
    documents.append({"resource": role, "search": {"mode": "include"}})
    return request


def one_of_each_category() -> Iterator[str]:
    """The first of each that a note's sentence can hold: no line breaks, which would end it."""
    for texts in hostile_strings().values():
        yield next((text for text in texts if "\n" not in text), texts[0])


@pytest.fixture(scope="module")
def cards(in_process: httpx.Client) -> list[tuple[str, dict[str, Any], str]]:
    """(string, its card, the whole answer as text)."""
    if missing():
        pytest.skip(str(missing()))
    answers = [(text, in_process.post(SERVICE, json=chart(text))) for text in one_of_each_category()]
    assert {answer.status_code for _, answer in answers} == {200}
    return [(text, card, answer.text) for text, answer in answers for card in answer.json()["cards"]]


def test_d1_notes_titles_roles_and_results_are_text_in_every_renderer(cards: list[tuple[str, dict[str, Any], str]]):
    assert len(cards) >= 15
    for (text, card, _), renderings in zip(cards, render(card["detail"] for _, card, _ in cards), strict=True):
        for renderer, rendering in renderings.items():
            assert TEMPLATE.fullmatch(rendering.outline), f"{renderer}: {text!r}"
            seen = rendering.text.replace(WORD_JOINER, "")
            first = card["extension"][EXTENSION]["diagnoses"][0]["for"][0]["quote"]
            assert f"“{plain(first)[:80]}" in seen, f"{renderer}: {text!r}"


def test_d1_the_strings_do_reach_the_quotes(cards: list[tuple[str, dict[str, Any], str]]):
    """Else the test above would show little."""
    quoted = [text for text, card, _ in cards if any(text in quote for quote in quotes(card))]
    assert len(quoted) >= 10


def test_d1_no_practitioner_is_named(cards: list[tuple[str, dict[str, Any], str]]):
    assert not [text for text, _, answer in cards if NAME in answer]
    assert all("Internist" in card["detail"] for _, card, _ in cards)


def quotes(card: dict[str, Any]) -> list[str]:
    diagnoses = card["extension"][EXTENSION]["diagnoses"]
    return [said["quote"] for diagnosis in diagnoses for said in diagnosis["for"]]
