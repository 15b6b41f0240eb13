"""Assessments for card tests: three candidates with evidence from one note."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from cds_hooks.build_cards import CardBuilder
from cds_hooks.occasion import Occasion
from nlp_core.assessment import Assessment, Band, Candidate, Evidence, NextStep, Words
from nlp_core.chart import Chart
from nlp_core.note import Note, Span

NOTE = Note(
    reference="DocumentReference/1",
    text="High fever, dry cough and body aches. Denies chest pain.",
    kind="Clinic note",
    author_role="Family physician",
    date=datetime(2026, 11, 20, 9, tzinfo=UTC),
)
NOW = datetime(2026, 11, 23, tzinfo=UTC)
BUILDER = CardBuilder(public_base_url="https://cds.example.org", now=lambda: NOW)


def chart(**changes: Any) -> Chart:
    return Chart(**({"as_of": NOW, "notes": (NOTE,)} | changes))


def occasion(**changes: Any) -> Occasion:
    known = {
        "tenant": "hospital-a",
        "service_id": "dxspan-patient-view",
        "hook_instance": UUID("b1b0f4d2-6f4e-4a0b-9d7e-1f7f0a5f7a11"),
        "patient_id": "p-1",
        "user_id": "Practitioner/7",
        "encounter_id": "e-1",
        "language": "en",
    }
    return Occasion(**(known | changes))


def evidence(quote: str, *, share: float = 1.5, present: bool = True, note: Note = NOTE) -> Evidence:
    start = note.text.index(quote)
    return Evidence(
        finding=quote.lower().replace(" ", "_"),
        names=Words(en=quote, zh="发现"),
        present=present,
        share=share,
        reference=note.reference,
        span=Span(start=start, end=start + len(quote)),
        quote=quote,
        kind=note.kind,
        author_role=note.author_role,
        date=note.date,
    )


def candidate(name: str = "Influenza", code: str = "J11.1", **changes: Any) -> Candidate:
    known: dict[str, Any] = {
        "diagnosis": name.lower().replace(" ", "_"),
        "names": Words(en=name, zh="流行性感冒"),
        "icd10cm": code,
        "probability": 0.66,
        "band": Band(word=Words(en="likely", zh="较可能"), low=0.6, high=0.75),
        "urgency": "soon",
        "evidence_for": (evidence("High fever"), evidence("body aches")),
        "evidence_against": (evidence("chest pain", share=-0.5, present=False),),
    }
    return Candidate(**(known | changes))


def assessment(*candidates: Candidate, **changes: Any) -> Assessment:
    known: dict[str, Any] = {
        "language": "en",
        "candidates": candidates or (candidate(), candidate("Common cold", "J00"), candidate("COVID-19", "U07.1")),
        "next_steps": (
            NextStep(
                kind="test",
                finding="x",
                words=Words(en="Influenza PCR", zh="流感核酸检测"),
                gain=0.4,
                diagnoses=("influenza",),
            ),
        ),
        "notes_read": 1,
        "newest_note": NOTE.date,
        "model_version": "1+abcdef012345",
        "knowledge_version": "k",
    }
    return Assessment(**(known | changes))
