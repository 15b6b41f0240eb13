"""Attachments, Binaries and narratives: any form of text becomes plain text without identifiers, anything else is left out.

Knows nlp_core's readers of HTML, RTF and C-CDA. Offsets count in the plain text that those readers give.
"""

from __future__ import annotations

import base64
from html import escape
from typing import Any

from nlp_core.attachments import content_text, inline_content
from nlp_core.plain_text import xhtml_text
from nlp_core.unreadable import Unreadable
from training.deidentify import elements
from training.deidentify.kinds import Kind
from training.deidentify.references import clean_reference
from training.deidentify.visit import Visit

PLAIN = "text/plain; charset=utf-8"
_MOST_BYTES = 32 * 1024 * 1024
_NO_URIS = elements.PublicUris(())


def clean_attachment(value: Any, visit: Visit) -> Any:
    """The attachment as plain text; an address stays only where it leads to a Binary of the export."""
    if not isinstance(value, dict):
        return elements.GONE
    kept: dict[str, Any] = {}
    text = _text_of(value, visit)
    if text is not None:
        kept = {"contentType": PLAIN, "data": _encoded(visit.clean(text, "attachment"))}
    elif isinstance(url := value.get("url"), str) and "Binary/" in url:
        address = clean_reference(url, visit, _NO_URIS)
        if address is not elements.GONE:
            kept = {"contentType": PLAIN, "url": address}
    if isinstance(title := value.get("title"), str):
        kept["title"] = visit.clean(title, "attachment.title")
    if (
        isinstance(language := value.get("language"), str)
        and (code := elements.code(language, visit)) is not elements.GONE
    ):
        kept["language"] = code
    created = elements.moved_date(value.get("creation"), visit)
    if created is not elements.GONE:
        kept["creation"] = created
    return kept or elements.GONE


def clean_binary(resource: dict[str, Any], visit: Visit) -> dict[str, Any]:
    """A Binary with its content as plain text, or without content."""
    text = _text_of(resource, visit)
    kept: dict[str, Any] = {name: resource[name] for name in ("id", "meta", "securityContext") if name in resource}
    if text is None:
        return kept
    return {**kept, "contentType": "text/plain", "data": _encoded(visit.clean(text, "Binary.data"))}


def clean_narrative(value: Any, visit: Visit) -> Any:
    """The words of a narrative in paragraphs."""
    div = value.get("div") if isinstance(value, dict) else None
    if not isinstance(div, str) or not div.strip():
        return elements.GONE
    cleaned = visit.clean(xhtml_text(div), "narrative")
    paragraphs = "".join(f"<p>{escape(line)}</p>" for line in cleaned.splitlines() if line.strip())
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{paragraphs}</div>'}


def stated_text(holder: dict[str, Any]) -> str | None:
    """The text in an attachment or a Binary itself; None where there is none. Raises Unreadable."""
    content = inline_content(holder, max_bytes=_MOST_BYTES)
    return content_text(content, max_bytes=_MOST_BYTES) if content else None


def _text_of(holder: dict[str, Any], visit: Visit) -> str | None:
    """The same; what is no text is none, which is counted."""
    try:
        return stated_text(holder)
    except Unreadable as reason:
        visit.leave_out(f"attachment: {reason}")
        if str(holder.get("contentType")).startswith(("image/", "video/", "application/dicom")):
            visit.replaced(Kind.PHOTO)
        return None


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")
