"""FHIR Attachment and Binary -> text, or the reason why there is none.

Knows content types, sizes, signatures and which of several formats of one document to prefer. Does not fetch: content
behind a URL is handed in. What the bytes are counts more than what they are declared to be.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from nlp_core.base64_data import from_base64, is_base64_again
from nlp_core.clinical_document import xml_text
from nlp_core.fhir_fields import Json, item, repaired, words
from nlp_core.fhir_restrictions import is_restricted
from nlp_core.file_signatures import is_binary_file
from nlp_core.plain_text import Form, html_text, rtf_text
from nlp_core.text_decoding import declared_charset, decoded
from nlp_core.unreadable import Unreadable

_FORMS: dict[str, Form] = {
    "text/plain": "plain",
    "text/html": "html",
    "application/xhtml+xml": "html",
    "text/rtf": "rtf",
    "application/rtf": "rtf",
    "text/richtext": "rtf",
    "text/xml": "xml",
    "application/xml": "xml",
    "application/cda+xml": "xml",
    "application/hl7-cda+xml": "xml",
    "application/hl7-sda+xml": "xml",
}
_UNKNOWN = ("", "application/octet-stream", "binary/octet-stream", "application/binary", "application/unknown")
_NO_NOTE = ("text/css", "text/javascript", "text/calendar", "text/vcard")
_PREFERRED = ("plain", "html", "rtf", "xml", None)
_BINARY_AS_JSON = ("application/fhir+json", "application/json+fhir", "application/json")
_IS_HTML = re.compile(r"\s*(?:<!--.{0,500}?-->\s*)?<(?:!doctype html|html|head|body)[\s>]", re.IGNORECASE | re.DOTALL)
_IS_XML = re.compile(r"\s*<(?:\?xml\s|ClinicalDocument[\s>])")
_IS_TAG = re.compile(r"\s*<[A-Za-z!?]")
_CONTROL = bytes({*range(0x09), *range(0x0E, 0x1B), *range(0x1C, 0x20)})
_MOST_BROKEN = 0.3


@dataclass(frozen=True)
class BinaryContent:
    """Bytes behind an attachment's URL, with the content type they were sent with (`""` = none).

    The bytes may also be a FHIR Binary resource as JSON, which servers answer when asked for FHIR.
    """

    data: bytes
    content_type: str = ""


def declared_form(content_type: str) -> Form | None:
    """What the content type says the text is; None when it says nothing.

    Raises Unreadable `not-text` for a content type that is no note (PDF, pictures, office files, FHIR).
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind in _UNKNOWN:
        return None
    if kind in _FORMS:
        return _FORMS[kind]
    if kind.startswith("text/") and kind not in _NO_NOTE:
        return "plain"
    raise Unreadable("not-text")


def preference(attachment: Mapping[str, object]) -> int:
    """Place in the order in which formats of one document are tried, 0 first; raises Unreadable `not-text`."""
    return _PREFERRED.index(declared_form(words(attachment.get("contentType"))))


def inline_content(attachment: Mapping[str, object], *, max_bytes: int) -> BinaryContent | None:
    """The bytes in the attachment itself (`data`, or a `data:` URL); None when it has none. Raises Unreadable."""
    url = attachment.get("url")
    data = attachment.get("data") or (url if isinstance(url, str) and url[:5].lower() == "data:" else None)
    if not data:
        return None
    if not isinstance(data, str):
        raise Unreadable("malformed")
    return BinaryContent(from_base64(data, max_bytes=max_bytes), words(attachment.get("contentType")))


def binary_content(resource: Json, *, max_bytes: int, allow_restricted: bool = False) -> BinaryContent:
    """The content of a FHIR Binary. Raises Unreadable, `restricted` when its label forbids it."""
    if not allow_restricted and is_restricted(resource):
        raise Unreadable("restricted")
    data = resource.get("data") or resource.get("content")
    if not isinstance(data, str):
        raise Unreadable("not-available")
    return BinaryContent(from_base64(data, max_bytes=max_bytes), words(resource.get("contentType")))


def binary_resource(content: BinaryContent) -> Json | None:
    """The Binary resource that a server answered as JSON; None when the bytes are the content itself.

    Raises Unreadable `undecodable` for bytes that are declared JSON and are none.
    """
    if content.content_type.partition(";")[0].strip().lower() not in _BINARY_AS_JSON:
        return None
    try:
        found = item(json.loads(content.data))
    except (ValueError, RecursionError):
        raise Unreadable("undecodable") from None
    return found if found.get("resourceType") == "Binary" else None


def content_text(content: BinaryContent, *, max_bytes: int, allow_restricted: bool = False) -> str:
    """The text of a document; for plain text exactly the characters that were written.

    Raises Unreadable: `too-large`, `not-text`, `undecodable`, `restricted`, `not-available`.
    """
    data = content.data
    if len(data) > max_bytes:
        raise Unreadable("too-large")
    declared = declared_form(content.content_type)
    if is_binary_file(data):
        raise Unreadable("not-text")
    if is_base64_again(data):
        raise Unreadable("undecodable")
    text = decoded(data, declared_charset(content.content_type, data if declared != "plain" else b""))
    if _broken(text) > _MOST_BROKEN * len(text):
        raise Unreadable("undecodable" if declared else "not-text")
    return _extracted(text, _actual_form(text, declared), max_bytes, allow_restricted)


def _broken(text: str) -> int:
    """How many characters are control characters or stand for bytes that fit no reading."""
    encoded = text.encode("utf-8", "replace")  # in UTF-8 a control character is one byte and never part of another
    return len(encoded) - len(encoded.translate(None, _CONTROL)) + text.count("\ufffd")


def _actual_form(text: str, declared: Form | None) -> Form:
    """What the text is: markup that declares itself wins, then the content type."""
    if text[:20].lstrip().startswith("{\\rtf"):
        return "rtf"
    if _IS_HTML.match(text):
        return "html"
    if _IS_XML.match(text):
        return "html" if declared == "html" else "xml"
    if declared == "rtf":
        return "plain"
    if declared == "xml" or declared is None:
        return "xml" if _IS_TAG.match(text) else "plain"
    return declared


def _extracted(text: str, form: Form, max_bytes: int, allow_restricted: bool) -> str:
    if form == "plain":
        return text
    if form == "html":
        return html_text(text)
    if form == "rtf":
        return repaired(rtf_text(text))
    return xml_text(text, allow_restricted=allow_restricted, max_bytes=max_bytes)
