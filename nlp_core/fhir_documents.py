"""DocumentReference, DiagnosticReport and Composition -> documents whose text is still to be read.

Knows their R4 and R5 shapes. Does not decode anything (fhir_document_text does) nor decide what may be read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nlp_core.attachments import preference
from nlp_core.fhir_authors import Roles, authors_of
from nlp_core.fhir_codes import concepts, name_of
from nlp_core.fhir_dates import first_moment
from nlp_core.fhir_fields import Json, item, items, reference_to, resource_type
from nlp_core.unreadable import Unreadable

MOST_ATTACHMENTS = 20


@dataclass(frozen=True)
class Document:
    """A document before its text is read. `attachments`: FHIR Attachments that may be text, preferred first."""

    resource: Json
    reference: str
    kind: str
    author_role: str
    date: datetime | None
    attachments: tuple[Json, ...]


def document_of(resource: Json, roles: Roles) -> Document:
    """What is known of a document without decoding anything."""
    attachments = _attachments(resource)
    date = first_moment(*written_dates(resource, attachments))
    return Document(
        resource=resource,
        reference=reference_to(resource),
        kind=_kind(resource),
        author_role=roles.of(authors_of(resource)),
        date=date,
        attachments=tuple(attachments),
    )


def has_words(document: Document) -> bool:
    """False for a report that holds coded results only: nothing of it is left unread."""
    resource = document.resource
    return resource_type(resource) != "DiagnosticReport" or bool(document.attachments or resource.get("conclusion"))


def written_dates(resource: Mapping[str, Any], attachments: Sequence[Mapping[str, Any]]) -> tuple[Any, ...]:
    """What a document says of when it was written, unchecked, the most telling first."""
    context = item(resource.get("context"))
    return (
        resource.get("date"),
        resource.get("effectiveDateTime"),
        item(resource.get("effectivePeriod")).get("start"),
        resource.get("issued"),
        *(attachment.get("creation") for attachment in attachments),
        item(context.get("period") or resource.get("period")).get("start"),
        resource.get("indexed"),
        resource.get("created"),
    )


def text_attachments(document: Document) -> list[Json]:
    """The attachments that may be text, in order of preference, those with their data inside before the rest."""
    ranked = []
    for place, attachment in enumerate(document.attachments):
        try:
            ranked.append((not attachment.get("data"), preference(attachment), place, attachment))
        except Unreadable:
            continue
    return [entry[3] for entry in sorted(ranked, key=lambda entry: entry[:3])]


def _attachments(resource: Json) -> list[Json]:
    if resource_type(resource) == "DiagnosticReport":
        return items(resource.get("presentedForm"))[:MOST_ATTACHMENTS]
    contents = items(resource.get("content"))[:MOST_ATTACHMENTS]
    return [attachment for content in contents if (attachment := item(content.get("attachment")))]


def _kind(resource: Json) -> str:
    if resource_type(resource) == "DiagnosticReport":
        return name_of(resource.get("code"))
    categories = concepts(resource.get("category") or resource.get("class"))
    return name_of(resource.get("type")) or next(filter(None, map(name_of, categories)), "")
