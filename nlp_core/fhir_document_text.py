"""The text of a document: from its attachments, its conclusion or its sections.

Knows that several attachments of one document are the same words in several formats, as FHIR says: the first readable
one in order of preference is the note. Does not fetch and does not decide what may be read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nlp_core.attachments import BinaryContent, content_text, inline_content
from nlp_core.fhir_codes import name_of
from nlp_core.fhir_documents import Document, text_attachments
from nlp_core.fhir_fields import Json, items, repaired, resource_type, words
from nlp_core.plain_text import xhtml_text
from nlp_core.unreadable import Unreadable

DEEPEST_SECTION = 16


@dataclass(frozen=True)
class Reading:
    """How documents are read: where the bytes behind a URL are, and what is allowed.

    `behind(url)` gives the content, or None when it is not at hand, or raises Unreadable.
    """

    behind: Callable[[str], BinaryContent | None]
    max_bytes: int
    allow_restricted: bool = False


def document_text(document: Document, reading: Reading) -> str:
    """The text of a document. Raises Unreadable with the reason of its most preferred attachment."""
    if resource_type(document.resource) == "Composition":
        return _composition_text(document.resource, reading)
    conclusion = document.resource.get("conclusion")
    conclusion = repaired(conclusion) if isinstance(conclusion, str) and conclusion.strip() else ""
    if len(conclusion) > reading.max_bytes:
        raise Unreadable("too-large")
    try:
        text = _attached_text(document, reading)
    except Unreadable:
        if conclusion:
            return conclusion
        raise
    # One note per resource: a conclusion that the form leaves out follows it, moving no offset.
    return text if conclusion.strip() in text else f"{text}\n\nConclusion:\n{conclusion}"


def _attached_text(document: Document, reading: Reading) -> str:
    reasons = []
    for attachment in text_attachments(document):
        try:
            return _text(attachment, reading)
        except Unreadable as reason:
            reasons.append(reason)
    if reasons:
        raise reasons[0]
    raise Unreadable("not-text" if document.attachments else "not-available")


def _text(attachment: Json, reading: Reading) -> str:
    content = inline_content(attachment, max_bytes=reading.max_bytes)
    if content is None:
        url = words(attachment.get("url"), 2000)
        if not url:
            raise Unreadable("not-available")
        content = reading.behind(url)
    if content is None:
        raise Unreadable("not-fetched")
    if content.content_type.partition(";")[0].strip().lower() in ("", "application/octet-stream"):
        content = BinaryContent(content.data, words(attachment.get("contentType")))
    text = content_text(content, max_bytes=reading.max_bytes, allow_restricted=reading.allow_restricted)
    if not text.strip():
        raise Unreadable("not-available")
    return text


def _composition_text(resource: Json, reading: Reading) -> str:
    narratives = _sections(resource, 0, reading.max_bytes) or [_narrative(resource, reading.max_bytes)]
    if sum(map(len, narratives)) > reading.max_bytes:
        raise Unreadable("too-large")
    text = "\n\n".join(filter(None, narratives))
    if not text.strip():
        raise Unreadable("not-available")
    return text


def _sections(parent: Json, depth: int, max_bytes: int) -> list[str]:
    """Each section that says something, its title as a line above it, parents before their children."""
    if depth > DEEPEST_SECTION:
        return []
    found = []
    for section in items(parent.get("section")):
        narrative, inner = _narrative(section, max_bytes), _sections(section, depth + 1, max_bytes)
        title = words(section.get("title")) or name_of(section.get("code"))
        if narrative or inner:
            found.append("\n".join(filter(None, (title, narrative))))
        found.extend(inner)
    return [entry for entry in found if entry]


def _narrative(element: Json, max_bytes: int) -> str:
    text = element.get("text")
    div = text.get("div") if isinstance(text, dict) else text
    if isinstance(div, str) and len(div) > max_bytes:
        raise Unreadable("too-large")
    return repaired(xhtml_text(div)) if isinstance(div, str) and div.strip() else ""
