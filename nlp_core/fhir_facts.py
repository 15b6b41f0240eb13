"""FHIR resources that are neither documents nor problems -> facts.

Knows medications, allergies, procedures, family history, encounter reasons and report conclusions; Observations are
fhir_observations' business. Does not know what a fact means for a diagnosis.
A medication's `value_text` is its status (`active`, `stopped`, ...), an allergy's is its reactions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from nlp_core.chart import Fact, FactKind
from nlp_core.fhir_codes import code_of, codings_of, concept, concepts, name_of
from nlp_core.fhir_dates import first_moment
from nlp_core.fhir_fields import Json, item, items, reference_to, resource_type, words
from nlp_core.fhir_observations import has_parts, observation_facts
from nlp_core.fhir_references import References
from nlp_core.unreadable import Unreadable

_RELATIVES = {
    "FTH": "father", "MTH": "mother", "NFTH": "father", "NMTH": "mother", "BRO": "brother", "NBRO": "brother",
    "SIS": "sister", "NSIS": "sister", "SON": "son", "DAU": "daughter", "SIB": "sibling", "NSIB": "sibling",
    "PRN": "parent", "NPRN": "parent", "CHILD": "child", "NCHILD": "child", "GRFTH": "grandfather",
    "GRMTH": "grandmother", "MGRFTH": "maternal grandfather", "MGRMTH": "maternal grandmother",
    "PGRFTH": "paternal grandfather", "PGRMTH": "paternal grandmother", "AUNT": "aunt", "UNCLE": "uncle",
    "COUSN": "cousin", "FAMMEMB": "relative",
}  # fmt: skip


def facts_of(resource: Json, directory: Mapping[str, Json], references: References) -> tuple[Fact, ...]:
    """The facts in one resource, none for types that hold no facts.

    `directory`: Medication resources by handle. Raises Unreadable `not-available` where the resource should say
    something and does not.
    """
    reader = _READERS.get(resource_type(resource))
    if reader is None:
        return ()
    found = tuple(reader(resource, directory, references))
    if not found and resource_type(resource) in _NEVER_EMPTY and not has_parts(resource):
        raise Unreadable("not-available")
    return found


def _observation(resource: Json, _: Mapping[str, Json], __: References) -> Iterator[Fact]:
    return observation_facts(resource)


def _medication(resource: Json, directory: Mapping[str, Json], references: References) -> Iterator[Fact]:
    medication = item(resource.get("medication"))
    pointer = resource.get("medicationReference") or medication.get("reference")
    named = concept(resource.get("medicationCodeableConcept") or medication.get("concept"))
    if not name_of(named):
        listed = directory.get(references.handle(pointer), {})
        named = concept(listed.get("code") if resource_type(listed) == "Medication" else None)
    if not name_of(named):
        named = {"text": words(item(pointer).get("display"))}
    date = first_moment(
        resource.get("authoredOn"),
        resource.get("effectiveDateTime"),
        item(resource.get("effectivePeriod")).get("start"),
        resource.get("dateAsserted"),
        resource.get("dateWritten"),
    )
    yield from _named("medication", resource, named, date, value_text=code_of(resource.get("status")))


def _allergy(resource: Json, _: Mapping[str, Json], __: References) -> Iterator[Fact]:
    reactions = [
        name_of(manifestation.get("concept") or manifestation)
        for reaction in items(resource.get("reaction"))
        for manifestation in items(reaction.get("manifestation"))
    ]
    date = first_moment(
        resource.get("onsetDateTime"), resource.get("recordedDate"), resource.get("assertedDate"),
        resource.get("lastOccurrence"),
    )  # fmt: skip
    named = concept(resource.get("code") or resource.get("substance"))
    yield from _named("allergy", resource, named, date, value_text=words("; ".join(filter(None, reactions))))


def _procedure(resource: Json, _: Mapping[str, Json], __: References) -> Iterator[Fact]:
    period = item(resource.get("performedPeriod") or resource.get("occurrencePeriod"))
    date = first_moment(
        resource.get("performedDateTime"),
        resource.get("occurrenceDateTime"),
        period.get("start"),
        period.get("end"),
        resource.get("recorded"),
    )
    outcome = name_of(resource.get("outcome"))
    yield from _named("procedure", resource, concept(resource.get("code")), date, value_text=outcome)


def _family_history(resource: Json, _: Mapping[str, Json], __: References) -> Iterator[Fact]:
    relation = concept(resource.get("relationship"))
    codes = (_RELATIVES.get(coding.code.upper(), "") for coding in codings_of(relation))
    relative = next(filter(None, codes), "") or name_of(relation).lower()
    for condition in items(resource.get("condition")):
        named = concept(condition.get("code"))
        yield from _named("family_history", resource, named, first_moment(resource.get("date")), relationship=relative)


def _encounter(resource: Json, _: Mapping[str, Json], __: References) -> Iterator[Fact]:
    period = item(resource.get("period") or resource.get("actualPeriod"))
    date = first_moment(period.get("start"), resource.get("plannedStartDate"), period.get("end"))
    reasons = concepts(resource.get("reasonCode"))
    for reason in items(resource.get("reason")):  # R5 wraps each in value[].concept; older versions list concepts
        wrapped = [concept(value.get("concept")) for value in items(reason.get("value"))]
        reasons.extend(wrapped or [concept(reason)])
    for reason in reasons:
        yield from _named("reason", resource, reason, date)


def _report(resource: Json, _: Mapping[str, Json], __: References) -> Iterator[Fact]:
    date = first_moment(
        resource.get("effectiveDateTime"), item(resource.get("effectivePeriod")).get("start"), resource.get("issued")
    )
    # A report without coded conclusion gives none: its title names what was looked for, not what was found.
    conclusions = concepts(resource.get("conclusionCode")) or concepts(resource.get("codedDiagnosis"))
    for said in filter(None, map(name_of, conclusions)):
        yield from _named("report", resource, concept(resource.get("code")), date, value_text=said)


def _named(
    kind: FactKind, resource: Json, named: Json, date: datetime | None, *, value_text: str = "", relationship: str = ""
) -> Iterator[Fact]:
    """One fact, or none where the chart gives it no name."""
    name = name_of(named)
    if name:
        yield Fact(
            kind=kind,
            reference=reference_to(resource),
            codings=codings_of(named),
            text=name,
            value_text=value_text,
            date=date,
            relationship=relationship,
        )


_Reader = Callable[[Json, Mapping[str, Json], References], Iterator[Fact]]
_READERS: dict[str, _Reader] = {
    "Observation": _observation,
    "MedicationRequest": _medication,
    "MedicationStatement": _medication,
    "AllergyIntolerance": _allergy,
    "Procedure": _procedure,
    "FamilyMemberHistory": _family_history,
    "Encounter": _encounter,
    "DiagnosticReport": _report,
}
_NEVER_EMPTY = frozenset({"Observation", "MedicationRequest", "MedicationStatement", "AllergyIntolerance", "Procedure"})
