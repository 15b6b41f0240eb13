"""The FHIR Condition that "add to problem list as unconfirmed" proposes.

R4, marked as asserted by AI (`AIAST`) with the confidence the card shows, verification status provisional, with the notes it
rests on and who made it of what (transparency/provenance). Checked before it leaves: what it says of the diagnosis by fhir.resources, once for each diagnosis, band and language, in a whole Condition of the same
shape (0.35 ms, up to three times an answer, were too much); what changes from call to call, references and a
date, by the rules of their types.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from typing import Any

from cds_hooks.transparency.provenance import ASSERTED_BY_AI, TERMINOLOGY, MadeWith, confidence, contained
from nlp_core.assessment import Band, Candidate, Language

ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
_REFERENCE = re.compile(r"[A-Z][A-Za-z]{1,63}(/[A-Za-z0-9._-]{1,128})?")
"""As reference_to of nlp_core.fhir_fields writes it: `Type/id`, or the type of a resource without id."""
_EXAMPLE_NOTE, _EXAMPLE_DAY = "DocumentReference/1", "2026-01-01"
_EXAMPLE: dict[str, Any] = {
    "subject": {"reference": "Patient/1"},
    "encounter": {"reference": "Encounter/1"},
    "recordedDate": _EXAMPLE_DAY,
    "evidence": [{"detail": [{"reference": _EXAMPLE_NOTE}]}],
}
"""One of each field that changes from call to call."""


def proposed_condition(
    candidate: Candidate,
    *,
    patient_id: str,
    encounter_id: str | None,
    recorded: datetime,
    language: Language,
    made_with: MadeWith | None = None,
) -> dict[str, Any]:
    """A valid R4 Condition as JSON; with a Provenance in it where `made_with` says of what.

    Raises ValueError when it would not be valid (our bug, never the chart's).
    """
    names, day = candidate.names, _day(recorded)
    references = dict.fromkeys(evidence.reference for evidence in candidate.evidence_for)
    condition: dict[str, Any] = {
        **_what(candidate.icd10cm, names.en, names.said_in(language), candidate.band, made_with),
        "subject": _reference(f"Patient/{patient_id}"),
        "recordedDate": day,
    }
    if encounter_id:
        condition["encounter"] = _reference(f"Encounter/{encounter_id}")
    if references:
        condition["evidence"] = [{"detail": [_reference(reference) for reference in references]}]
    if made_with:
        condition["contained"] = contained(made_with, references, day)
    return condition


@lru_cache(maxsize=1024)
def _what(code: str, display: str, name: str, band: Band | None, made_with: MadeWith | None) -> dict[str, Any]:
    """What a Condition says of the diagnosis: the same for every patient, so checked by fhir.resources once."""
    # Imported on first use: the models take half a second to load, which start-up should not wait for.
    from fhir.resources.R4B.condition import Condition

    what: dict[str, Any] = {
        "resourceType": "Condition",
        "meta": {"security": [ASSERTED_BY_AI]},
        "clinicalStatus": _concept("condition-clinical", "active"),
        "verificationStatus": _concept("condition-ver-status", "provisional"),
        "category": [_concept("condition-category", "problem-list-item")],
        "code": {"coding": [{"system": ICD_10_CM, "code": code, "display": display}], "text": name},
    }
    if band:
        what["extension"] = [confidence(band)]
    example = {**what, **_EXAMPLE}
    if made_with:
        example["contained"] = contained(made_with, [_EXAMPLE_NOTE], _EXAMPLE_DAY)
    Condition.model_validate(example)
    return what


def _reference(text: str) -> dict[str, str]:
    if not _REFERENCE.fullmatch(text):
        raise ValueError("not a FHIR reference")
    return {"reference": text}


def _day(moment: datetime) -> str:
    """A FHIR dateTime without time: the same call proposes the same Condition all day."""
    if moment.tzinfo is None:
        raise ValueError("a moment without time zone")
    return moment.date().isoformat()


def _concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": f"{TERMINOLOGY}/{system}", "code": code}]}
