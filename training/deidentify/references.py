"""FHIR references: where one leads, and the same reference between surrogates.

Knows relative, versioned, absolute, `urn:uuid:`, conditional, contained and logical references. Resolves `urn:uuid:` and
identifiers only through the aliases it is given.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from training.deidentify import elements
from training.deidentify.kinds import Kind
from training.deidentify.surrogates import EVERYONE
from training.deidentify.visit import Visit
from training.deidentify.vocabulary import vocabulary

_TARGET = re.compile(r"(?:.*/)?([A-Z][A-Za-z]{1,63})/([A-Za-z0-9._-]{1,128})(?:/_history/[^/]*)?")
_CONDITIONAL = re.compile(r"(?:.*/)?([A-Z][A-Za-z]{1,63})\?identifier=([^&]{1,2000})")
_PEOPLE = ("Patient", "Practitioner", "PractitionerRole", "RelatedPerson", "Person")
_FACILITIES = ("Organization", "Location", "HealthcareService", "Endpoint")


def target(reference: object) -> str:
    """`Patient/123`, `urn:uuid:...`, `Patient?system|value` or "" for what leads nowhere. Takes a Reference or its text."""
    if isinstance(reference, dict):
        text = reference.get("reference")
        if isinstance(text, str) and text:
            return target(text)
        logical = reference.get("identifier")
        kind = reference.get("type")
        if isinstance(logical, dict) and isinstance(logical.get("value"), str):
            return f"{kind if isinstance(kind, str) else ''}?{logical.get('system') or ''}|{logical['value']}"
        return ""
    if not isinstance(reference, str):
        return ""
    if reference.startswith("urn:"):
        return reference.lower()
    conditional = _CONDITIONAL.fullmatch(reference)
    if conditional:
        return f"{conditional.group(1)}?{unquote(conditional.group(2))}"
    match = _TARGET.fullmatch(reference)
    return f"{match.group(1)}/{match.group(2)}" if match else ""


def full_url(value: Any, visit: Visit) -> Any:
    """A Bundle entry's own address; the server's is left out."""
    cleaned = _surrogate(value, visit, None) if isinstance(value, str) else None
    return cleaned or elements.GONE


def clean_reference(value: Any, visit: Visit, uris: elements.PublicUris) -> Any:
    """A Reference, or the bare text some servers write for one."""
    if isinstance(value, str):
        return _surrogate(value, visit, uris) or elements.GONE
    if not isinstance(value, dict):
        return elements.GONE
    kept: dict[str, Any] = {}
    text = value.get("reference")
    if isinstance(text, str) and (cleaned := _surrogate(text, visit, uris)):
        kept["reference"] = cleaned
    if isinstance(kind := value.get("type"), str) and kind.isalpha() and len(kind) < 40:
        kept["type"] = kind
    logical = value.get("identifier")
    if isinstance(logical, dict) and isinstance(logical.get("value"), str):
        kept["identifier"] = {"value": elements.identifier(logical["value"], visit)}
        if isinstance(logical.get("system"), str):
            kept["identifier"]["system"] = uris.clean(logical["system"], visit)
    shown = value.get("display")
    if isinstance(shown, str) and (display := _display(shown, _kind_of(value), visit)):
        kept["display"] = display
    return kept or elements.GONE


def _kind_of(reference: dict[str, Any]) -> str:
    return re.split(r"[/?:]", target(reference), maxsplit=1)[0] or str(reference.get("type") or "")


def _display(shown: str, kind: str, visit: Visit) -> str:
    """Names by surrogates; what a clinical resource is called, that resource says itself."""
    if kind in _PEOPLE:
        visit.replaced(Kind.NAME)
        patient = kind in ("Patient", "RelatedPerson") and visit.owner.startswith("Patient/")
        return visit.workshop.surrogates.person(shown, visit.owner if patient else EVERYONE)
    if kind in _FACILITIES:
        visit.replaced(Kind.PLACE)
        return visit.workshop.surrogates.place(shown, vocabulary().cues["generic_places"])
    return ""


def _surrogate(text: str, visit: Visit, uris: elements.PublicUris | None) -> str:
    surrogates = visit.workshop.surrogates
    if text.startswith("#"):
        return "#" + surrogates.id(text[1:]) if len(text) > 1 else ""
    if text.startswith("urn:"):
        return "urn:uuid:" + surrogates.id(text.rpartition(":")[2])
    conditional = _CONDITIONAL.fullmatch(text)
    if conditional:
        system, bar, value = unquote(conditional.group(2)).rpartition("|")
        name = uris.clean(system, visit) if uris and system else ""
        return f"{conditional.group(1)}?identifier={name}{bar}{surrogates.id(value)}"
    match = _TARGET.fullmatch(text)
    return f"{match.group(1)}/{surrogates.id(match.group(2))}" if match else ""
