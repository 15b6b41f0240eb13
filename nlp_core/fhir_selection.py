"""Of all resources at hand, those that may be read: this patient's, valid, current, not restricted.

Knows ownership, status, replacement and security labels. Does not know what a resource says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from nlp_core.fhir_bundles import Gathered, gather
from nlp_core.fhir_codes import all_codes, code_of
from nlp_core.fhir_fields import Json, is_true, item, items, reference_to, resource_type, words
from nlp_core.fhir_references import References, WhosePatient, base_of, patient_handles
from nlp_core.fhir_restrictions import is_restricted
from nlp_core.unreadable import Reason

DOCUMENTS = frozenset({"DocumentReference", "DiagnosticReport", "Composition"})
CLINICAL = DOCUMENTS | {
    "Patient",
    "Condition",
    "Observation",
    "Encounter",
    "MedicationRequest",
    "MedicationStatement",
    "AllergyIntolerance",
    "Procedure",
    "FamilyMemberHistory",
}
"""What a chart is read from. Other types are not looked at, and so not counted as unread either."""
DIRECTORY = frozenset({"PractitionerRole", "Medication", "Binary"})
"""Nobody's in particular; used only where a resource of this patient points at them."""

_WITHDRAWN = frozenset({"entered-in-error", "retracted", "nullified"})
_SUPERSEDED = frozenset({"superseded", "deprecated"})
_NOT_DONE = frozenset({"cancelled", "not-done", "not-taken", "not-taking", "draft", "intended", "preparation"})
_ONLY_PROPOSED = frozenset({"proposal", "option"})


@dataclass(frozen=True)
class Selection:
    """What may be read. `directory` holds handle -> resource for Medication, PractitionerRole and Binary; whether a
    Binary may be used is settled where it is."""

    resources: tuple[Json, ...]
    directory: Mapping[str, Json]
    references: References
    patient: WhosePatient
    unread: Counter[tuple[str, str]]


def select(
    resources: Iterable[Mapping[str, Any]],
    *,
    patient_id: str,
    base_url: str = "",
    allow_restricted: bool = False,
    keep_superseded: bool = False,
    max_resources: int = 20_000,
) -> Selection:
    """Sorts out the resources; what is left out is counted in `unread` as (resource type, reason).

    Raises ValueError for an empty `patient_id`; never for anything in `resources`.
    """
    if not patient_id:
        raise ValueError("patient_id is empty: nobody's chart can be read")
    gathered = gather(resources, max_resources=max_resources)
    references = References(gathered.aliases, _known_bases(gathered, patient_id, base_url))
    patients = [resource for resource in gathered.resources if resource_type(resource) == "Patient"]
    patient = WhosePatient(patient_handles(patient_id, patients), references)
    unread = gathered.unread
    valid = []
    for resource in gathered.resources:
        if resource_type(resource) not in CLINICAL:
            continue
        reason = _why_not(resource, patient)
        if reason is None:
            valid.append(resource)
        else:
            unread[resource_type(resource), reason] += 1
    replaced = frozenset[str]() if keep_superseded else _replaced(valid, references)
    kept = []
    for resource in valid:
        if not keep_superseded and _is_superseded(resource, replaced):
            unread[resource_type(resource), "superseded"] += 1
        elif not allow_restricted and (id(resource) in gathered.restricted or is_restricted(resource)):
            unread[resource_type(resource), "restricted"] += 1
        else:
            kept.append(resource)
    return Selection(tuple(kept), _directory(gathered), references, patient, unread)


def _why_not(resource: Json, patient: WhosePatient) -> Reason | None:
    if not patient.owns(resource):
        return "other-patient"
    status = _statuses(resource)
    if status & _WITHDRAWN:
        return "entered-in-error"
    if status & _NOT_DONE or is_true(resource.get("doNotPerform")):
        return "not-done"
    if code_of(resource.get("intent")) in _ONLY_PROPOSED:
        return "not-done"
    # A refuted allergy is none; a refuted Condition stays, since the problem list tells "refuted" from "unknown".
    if resource_type(resource) == "AllergyIntolerance" and "refuted" in status:
        return "not-done"
    return None


def _statuses(resource: Json) -> frozenset[str]:
    found = all_codes(resource.get("status"))
    for value in (
        resource.get("docStatus"),
        resource.get("verificationStatus"),
        item(resource.get("adherence")).get("code"),
    ):
        if value:
            found |= all_codes(value)
    return found


def _is_superseded(resource: Json, replaced: frozenset[str]) -> bool:
    if resource_type(resource) not in DOCUMENTS:
        return False
    return bool(_statuses(resource) & _SUPERSEDED) or reference_to(resource) in replaced


def _replaced(resources: Iterable[Json], references: References) -> frozenset[str]:
    """Handles of the documents that a document of the same patient says it replaces (R4 and R5 shapes)."""
    found: set[str] = set()
    for resource in resources:
        if resource_type(resource) not in DOCUMENTS:
            continue
        for relation in items(resource.get("relatesTo")):
            if "replaces" in (code_of(relation.get("code")), words(relation.get("type"))):
                targets = (relation.get(name) for name in ("target", "targetReference", "resourceReference"))
                found.update({references.handle(target) for target in targets} - {reference_to(resource), ""})
    return frozenset(found)


def _known_bases(gathered: Gathered, patient_id: str, base_url: str) -> frozenset[str]:
    full_urls = (base_of(url) for url in gathered.patient_urls if url.endswith(f"/Patient/{patient_id}"))
    given = base_url.partition("://")[2].rstrip("/").lower()
    return frozenset(filter(None, (given, *full_urls)))


def _directory(gathered: Gathered) -> dict[str, Json]:
    return {
        reference_to(resource): resource
        for resource in gathered.resources
        if resource_type(resource) in DIRECTORY and not all_codes(resource.get("status")) & _WITHDRAWN
    }
