"""Whom a FHIR reference points at, and so whose a resource is.

Knows relative, versioned, absolute, `urn:uuid:`, conditional and logical references. Does not resolve anything over a
network and does not look into `contained`.

A reference is turned into a *handle*, one spelling for all its forms: `Patient/123`, `identifier:<system>|<value>`,
`urn:uuid:...`, or the absolute URL itself where it belongs to another server. `""` is no handle and matches nothing.

Whose a resource is, decided on the safe side:
- every `subject` and `patient` it names must be this patient; one that names nobody is nobody's and not used;
- an Observation whose `focus` is a person other than the patient (a foetus, a donor) is not the patient's;
- an absolute URL must lie under a known base of this chart's server (the caller's, or the one in the Patient's own
  fullUrl); where no base is known, its `Patient/<id>` ending decides;
- a logical or conditional reference counts when the system and value are among the Patient's own identifiers of a
  type that names one person (none, medical record or patient number, never an insurance number a family may share).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from nlp_core.fhir_codes import all_codes
from nlp_core.fhir_fields import Json, item, items, resource_id, resource_type, words

_LIMIT = 2000
_RELATIVE = re.compile(r"/?([A-Z][A-Za-z]{1,63}/[A-Za-z0-9._-]{1,128})(?:/_history/[^/]*)?")
_ABSOLUTE = re.compile(r"(?i:https?)://(.+?)/([A-Z][A-Za-z]{1,63}/[A-Za-z0-9._-]{1,128})(?:/_history/[^/]*)?")
_PERSONAL_IDENTIFIERS = frozenset({"mr", "pi", "pt"})
_KINDS_BY_IDENTIFIER = frozenset({"Patient", "Practitioner"})
_PEOPLE = frozenset({"Patient", "RelatedPerson", "Group", "Practitioner", "Person"})


def base_of(url: str) -> str:
    """Host and path under which a resource's absolute URL lies, without scheme; `""` when it is no such URL."""
    match = _ABSOLUTE.fullmatch(url[:_LIMIT])
    return match.group(1).lower() if match else ""


@dataclass(frozen=True)
class References:
    """Turns references into handles.

    `aliases`: `urn:` fullUrl of a Bundle entry, lower case -> handle. `bases`: host and path of the chart's own server,
    lower case, no scheme, no closing slash; empty = unknown.
    """

    aliases: Mapping[str, str] = field(default_factory=dict)
    bases: frozenset[str] = frozenset()

    def handle(self, reference: object) -> str:
        """The handle of a Reference object, or of the bare string that some servers write for it."""
        if isinstance(reference, str):
            return self._of_text(words(reference, _LIMIT))
        found = item(reference)
        text = words(found.get("reference"), _LIMIT)
        if text:
            return self._of_text(text)
        if words(found.get("type")).rpartition("/")[2] not in _KINDS_BY_IDENTIFIER | {""}:
            return ""
        return identifier_handle(item(found.get("identifier")))

    def _of_text(self, text: str) -> str:
        if text[:4].lower() == "urn:":
            return self.aliases.get(text.lower(), text.lower())
        relative = _RELATIVE.fullmatch(text)
        if relative:
            return relative.group(1)
        if "?identifier=" in text:
            return _conditional(text)
        absolute = _ABSOLUTE.fullmatch(text)
        if absolute is None:
            return ""
        return absolute.group(2) if not self.bases or absolute.group(1).lower() in self.bases else text


@dataclass(frozen=True)
class WhosePatient:
    """One patient under every handle that names them."""

    handles: frozenset[str]
    references: References
    _named: dict[str, bool] = field(default_factory=dict, compare=False, repr=False)
    """What was found of references written the same: nearly all of a chart are."""

    def owns(self, resource: Mapping[str, object]) -> bool:
        """True when the resource is this patient's, by the rules above."""
        if resource_type(resource) == "Patient":
            return f"Patient/{resource_id(resource)}" in self.handles
        named = [entry for name in ("subject", "patient") for entry in _references(resource.get(name))]
        return bool(named) and all(map(self.named_by, named)) and self._about_patient(resource)

    def named_by(self, reference: object) -> bool:
        """True when the reference points at this patient."""
        text = reference.get("reference") if isinstance(reference, dict) else None
        if not isinstance(text, str) or len(text) > _LIMIT or not text or text.isspace():
            return self.references.handle(reference) in self.handles
        if text not in self._named:
            self._named[text] = self.references.handle(reference) in self.handles
        return self._named[text]

    def _about_patient(self, resource: Mapping[str, object]) -> bool:
        if resource_type(resource) != "Observation" or "focus" not in resource:
            return True
        return all(self.named_by(entry) or self._is_thing(entry) for entry in _references(resource["focus"]))

    def _is_thing(self, reference: object) -> bool:
        kind, slash, _ = self.references.handle(reference).partition("/")
        return bool(slash) and kind not in _PEOPLE and ":" not in kind


def patient_handles(patient_id: str, patients: Iterable[Mapping[str, object]]) -> frozenset[str]:
    """Every handle of the patient with this id; `patients` are the Patients at hand, others are passed over."""
    handles = {f"Patient/{patient_id}", f"urn:uuid:{patient_id.lower()}", f"urn:oid:{patient_id.lower()}"}
    for patient in patients:
        if resource_id(patient) == patient_id:
            handles.update(filter(None, map(identifier_handle, items(patient.get("identifier")))))
    return frozenset(handles)


def identifier_handle(identifier: Json) -> str:
    """The handle of an Identifier that names one person or thing; `""` without system or value."""
    system, value = words(identifier.get("system")), words(identifier.get("value"))
    types = all_codes(identifier.get("type"))
    if not system or not value or words(identifier.get("use")) == "old":
        return ""
    if types and not types & _PERSONAL_IDENTIFIERS and item(identifier.get("type")).get("coding"):
        return ""
    return f"identifier:{system}|{value}"


def _conditional(text: str) -> str:
    """`Patient?identifier=system|value`, percent-encoded or not."""
    path, _, query = text.partition("?")
    if path.rpartition("/")[2] not in _KINDS_BY_IDENTIFIER or query.count("&") > 3:
        return ""
    values = parse_qs(query).get("identifier", [])
    system, bar, value = values[0].partition("|") if len(values) == 1 else ("", "", "")
    return f"identifier:{system}|{value}" if bar and system and value else ""


def _references(value: object) -> list[object]:
    """The references in a field that may hold one, a list, or bare strings."""
    if isinstance(value, list):
        return list(value)
    return [] if value is None else [value]
