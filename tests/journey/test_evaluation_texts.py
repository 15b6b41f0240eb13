"""Real notes as hooks: every one answered, every quote a slice. The texts lie beside the project or the test skips."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from cds_hooks.build_cards import EXTENSION
from cds_hooks.outcome import STATUS_EXTENSION

TEXTS = Path(__file__).parents[3] / "shared" / "eval"
SETS = ("notes_inferred", "notes_whole")


def rows() -> list[dict[str, Any]]:
    found = []
    for name in SETS:
        path = TEXTS / f"{name}.jsonl"
        if path.exists():
            found += [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return found


def request(text: str) -> dict[str, Any]:
    patient = {"resourceType": "Patient", "id": "evaluation"}
    document = {
        "resourceType": "DocumentReference",
        "id": "note",
        "status": "current",
        "subject": {"reference": "Patient/evaluation"},
        "content": [{"attachment": {"contentType": "text/plain", "data": base64.b64encode(text.encode()).decode()}}],
    }
    return {
        "hook": "patient-view",
        "hookInstance": str(uuid4()),
        "context": {"userId": f"Practitioner/evaluation-{uuid4()}", "patientId": "evaluation"},
        "prefetch": {
            "patient": patient,
            "documents": {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": document}]},
            "problems": {"resourceType": "Bundle", "type": "searchset", "entry": []},
        },
    }


@pytest.mark.skipif(not rows(), reason="the evaluation texts are not beside the project (../shared/eval)")
def test_every_note_is_answered_and_every_quote_is_a_slice(in_process: httpx.Client):
    cards = 0
    for row in rows():
        response = in_process.post("/cds-services/dxspan-patient-view", json=request(row["text"]))
        assert response.status_code == 200, row["id"]
        answer = response.json()
        assert answer["extension"][STATUS_EXTENSION]["state"] != "degraded", row["id"]
        for card in answer["cards"]:
            cards += 1
            for diagnosis in card["extension"][EXTENSION]["diagnoses"]:
                for said in (*diagnosis["for"], *diagnosis.get("against", [])):
                    assert row["text"][said["start"] : said["end"]] == said["quote"], row["id"]
    assert cards > len(rows()) / 2
