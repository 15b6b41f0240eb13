"""The bytes behind an attachment's URL, from what the caller fetched or from Binary resources at hand.

Knows both forms in which a server answers (the content itself, a Binary as JSON), whose a Binary is, and what is still
to be fetched. Fetches nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from nlp_core.attachments import BinaryContent, binary_content, binary_resource
from nlp_core.fhir_documents import Document, text_attachments
from nlp_core.fhir_fields import Json, number, resource_type, words
from nlp_core.fhir_selection import Selection
from nlp_core.unreadable import Unreadable


@dataclass(frozen=True)
class AttachmentReference:
    """An attachment whose content the caller has to fetch and hand in as `binaries[url]`."""

    url: str
    """As the chart writes it: relative or absolute, unchecked."""
    reference: str
    """FHIR reference of the document."""
    content_type: str
    size: int | None
    """Bytes as declared; None = not declared."""
    date: datetime | None


class Binaries:
    """Looks up content by URL for one selection."""

    def __init__(
        self, fetched: Mapping[str, BinaryContent], selection: Selection, *, max_bytes: int, allow_restricted: bool
    ) -> None:
        self._fetched = fetched
        self._selection = selection
        self._max_bytes = max_bytes
        self._allow_restricted = allow_restricted

    def holds(self, url: str) -> bool:
        """True when the content is at hand."""
        return url in self._fetched or bool(self._resource(url))

    def behind(self, url: str) -> BinaryContent | None:
        """The content at `url`, None when it is not at hand. Raises Unreadable when it must not or cannot be used."""
        fetched = self._fetched.get(url)
        if fetched is None:
            at_hand = self._resource(url)
            return self._content(at_hand) if at_hand else None
        if len(fetched.data) > 2 * self._max_bytes:
            raise Unreadable("too-large")
        wrapped = binary_resource(fetched)
        return self._content(wrapped) if wrapped else fetched

    def _resource(self, url: str) -> Json:
        found = self._selection.directory.get(self._selection.references.handle(url), {})
        return found if resource_type(found) == "Binary" else {}

    def _content(self, resource: Json) -> BinaryContent:
        """A Binary whose security context is another patient is that patient's, whatever points at it."""
        context = resource.get("securityContext")
        points_at = self._selection.references.handle(context)
        if points_at.partition("/")[0] == "Patient" and not self._selection.patient.named_by(context):
            raise Unreadable("other-patient")
        return binary_content(resource, max_bytes=self._max_bytes, allow_restricted=self._allow_restricted)


def to_fetch(document: Document, store: Binaries) -> AttachmentReference | None:
    """The attachment of a document that has to be fetched; None where it is at hand or may not be text."""
    attachments = text_attachments(document)
    preferred: Json = attachments[0] if attachments else {}
    url = words(preferred.get("url"), 2000)
    if not url or preferred.get("data") or url[:5].lower() == "data:" or url.startswith("#") or store.holds(url):
        return None
    size = number(preferred.get("size"))
    return AttachmentReference(
        url=url,
        reference=document.reference,
        content_type=words(preferred.get("contentType")),
        size=int(size) if size is not None and size >= 0 else None,
        date=document.date,
    )
