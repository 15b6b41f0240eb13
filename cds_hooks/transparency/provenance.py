"""Who made a proposed resource: a Provenance and the Device it names, contained in the resource itself.

R4, after HL7's AI Transparency on FHIR guide (1.0.0 ballot). Contained, because the resource has no id before the client's
server gives it one, and because a client performs all actions of a suggestion or none: a second action would keep whoever
has no use for a Provenance from adding the diagnosis. Knows FHIR's shapes; whether they are valid proposed_condition checks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from nlp_core.assessment import Band

GUIDE = "http://hl7.org/fhir/uv/aitransparency"
AI_CONFIDENCE = f"{GUIDE}/StructureDefinition/AIconfidence"
DEVICE_TYPES = f"{GUIDE}/CodeSystem/AIdeviceTypeCS"
INPUT_TYPES = f"{GUIDE}/CodeSystem/AIinputsCS"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
ASSERTED_BY_AI = {"system": f"{TERMINOLOGY}/v3-ObservationValue", "code": "AIAST"}
"""HL7's word for what an artificial intelligence asserted."""
TRANSPARENCY_PATH = "/transparency"
MODEL_CARD_PATH = f"{TRANSPARENCY_PATH}/model-card.md"

_DEVICE_ID = "dxspan"


@dataclass(frozen=True, slots=True)
class MadeWith:
    """What a suggestion came from."""

    model_version: str
    knowledge_version: str
    public_base_url: str


def confidence(band: Band) -> dict[str, Any]:
    """The AIconfidence extension: the band that the card shows, as a range of probabilities."""
    low, high = (
        {"value": value, "system": "http://unitsofmeasure.org", "code": "1"} for value in (band.low, band.high)
    )
    return {"url": AI_CONFIDENCE, "valueRange": {"low": low, "high": high}}


def device(made_with: MadeWith) -> dict[str, Any]:
    """The Device that dxspan is, without id."""
    versions = {"model": made_with.model_version, "knowledge": made_with.knowledge_version}
    return {
        "resourceType": "Device",
        "deviceName": [{"name": "dxspan", "type": "model-name"}],
        "type": _concept(DEVICE_TYPES, "Artificial-Intelligence"),
        "version": [{"type": {"text": kind}, "value": version} for kind, version in versions.items() if version],
        "url": made_with.public_base_url + TRANSPARENCY_PATH,
    }


def contained(made_with: MadeWith, references: Iterable[str], day: str) -> list[dict[str, Any]]:
    """Device and Provenance of a resource that rests on `references`, proposed on `day` (a FHIR date).

    `recorded` is the beginning of that day in UTC: the same call proposes the same resource all day.
    """
    agent = {
        "type": _concept(f"{TERMINOLOGY}/provenance-participant-type", "author"),
        "role": [_concept(DEVICE_TYPES, "Artificial-Intelligence")],
        "who": {"reference": f"#{_DEVICE_ID}", "display": "dxspan"},
    }
    model_card = {
        "role": "derivation",
        "what": {
            "type": "DocumentReference",
            "identifier": {"system": "urn:ietf:rfc:3986", "value": made_with.public_base_url + MODEL_CARD_PATH},
            "display": "Model card",
        },
    }
    provenance = {
        "resourceType": "Provenance",
        "id": "provenance",
        "target": [{"reference": "#"}],
        "occurredDateTime": day,
        "recorded": f"{day}T00:00:00Z",
        "reason": [{"coding": [ASSERTED_BY_AI]}],
        "agent": [agent],
        "entity": [*({"role": "source", "what": {"reference": one}} for one in references), model_card],
    }
    return [{**device(made_with), "id": _DEVICE_ID}, provenance]


def _concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}
