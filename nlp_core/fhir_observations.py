"""FHIR Observation -> facts: laboratory values, vital signs, social history.

Knows categories, components and panels; values are fhir_values' business. Does not judge any value.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from nlp_core.chart import Fact, FactKind
from nlp_core.fhir_codes import all_codes, codings_of, name_of
from nlp_core.fhir_dates import first_moment
from nlp_core.fhir_fields import Json, item, items, reference_to
from nlp_core.fhir_values import interpretation_of, range_of, value_of

MOST_COMPONENTS = 100
_KINDS: dict[str, FactKind] = {
    "laboratory": "laboratory",
    "vital-signs": "vital_sign",
    "exam": "vital_sign",
    "social-history": "social_history",
    "sdoh": "social_history",
    "survey": "social_history",
    "activity": "social_history",
    "imaging": "report",
    "procedure": "report",
    "therapy": "report",
}
# LOINC of vital signs and of tobacco and alcohol use, for Observations without a category.
_VITAL_CODES = "85353-1 9279-1 8867-4 2708-6 59408-5 8310-5 8302-2 9843-4 29463-7 39156-5 85354-9 8480-6 8462-4 8478-0"
_SOCIAL_CODES = "72166-2 74013-4 11331-6 11367-0 63586-2 8663-7 96842-0"
_VITAL_LOINC, _SOCIAL_LOINC = frozenset(_VITAL_CODES.split()), frozenset(_SOCIAL_CODES.split())


def observation_facts(resource: Json) -> Iterator[Fact]:
    """The Observation's own value, then one fact for each component that says something."""
    kind = _kind(resource)
    date = first_moment(
        resource.get("effectiveDateTime"),
        item(resource.get("effectivePeriod")).get("start"),
        resource.get("effectiveInstant"),
        item(resource.get("effectivePeriod")).get("end"),
        resource.get("issued"),
    )
    reference = reference_to(resource)
    for part in (resource, *items(resource.get("component"))[:MOST_COMPONENTS]):
        fact = _fact(part, kind, reference, date)
        if fact is not None:
            yield fact


def has_parts(resource: Json) -> bool:
    """True for a panel, whose values stand in its members or components: having none of its own is no loss."""
    return bool(items(resource.get("hasMember")) or items(resource.get("component")) or items(resource.get("related")))


def _fact(part: Json, kind: FactKind, reference: str, date: datetime | None) -> Fact | None:
    value, value_text, unit = value_of(part)
    interpretation = interpretation_of(part.get("interpretation"))
    name = name_of(part.get("code"))
    if not name or (value is None and not value_text and not interpretation):
        return None
    low, high = range_of(part.get("referenceRange"), unit) if value is not None else (None, None)
    return Fact(
        kind=kind,
        reference=reference,
        codings=codings_of(part.get("code")),
        text=name,
        value=value,
        value_text=value_text,
        unit=unit,
        low=low,
        high=high,
        interpretation=interpretation,
        date=date,
    )


def _kind(resource: Json) -> FactKind:
    categories = all_codes(resource.get("category"))
    written = {category.replace(" ", "-") for category in categories}
    for word, kind in _KINDS.items():
        if word in written:
            return kind
    codes = {coding.code for coding in codings_of(resource.get("code"))}
    if codes & _VITAL_LOINC:
        return "vital_sign"
    return "social_history" if codes & _SOCIAL_LOINC else "laboratory"
