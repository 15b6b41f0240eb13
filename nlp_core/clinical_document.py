"""A C-CDA document (or any other XML) -> its text: the narrative of each section under its title.

Knows the parts of a CDA document. Does not use its header, where names and addresses stand, nor its coded entries.
Sections and documents that are labelled confidential are left out unless allowed.
"""

from __future__ import annotations

from lxml import etree

from nlp_core.base64_data import from_base64
from nlp_core.fhir_restrictions import RESTRICTED
from nlp_core.plain_text import html_text, local_name, visible_text, xml_root
from nlp_core.text_decoding import decoded
from nlp_core.unreadable import Unreadable

_DEEPEST_SECTION = 16


def xml_text(markup: str, *, allow_restricted: bool = False, max_bytes: int = 1_000_000) -> str:
    """The text of an XML document.

    Raises Unreadable: `undecodable` (not well-formed), `restricted` (the whole document is), `not-text` (its body is a
    PDF or picture), `not-available` (no words in it).
    """
    root = xml_root(markup)
    name = local_name(root)
    if name == "html":
        return html_text(markup)
    if name != "clinicaldocument":
        return _found(visible_text(root))
    if not allow_restricted and _is_restricted(root):
        raise Unreadable("restricted")
    body = root.find("{*}component/{*}structuredBody")
    if body is None:
        return _found(_unstructured(root, max_bytes))
    texts = [_section(section, allow_restricted, 0) for section in body.findall("{*}component/{*}section")]
    return _found("\n\n".join(filter(None, texts)))


def _section(section: etree._Element, allow_restricted: bool, depth: int) -> str:
    if depth > _DEEPEST_SECTION or (not allow_restricted and _is_restricted(section)):
        return ""
    title, narrative = section.find("{*}title"), section.find("{*}text")
    heading = " ".join(_words(title).split()) if title is not None else ""
    own = "\n".join(filter(None, (heading, visible_text(narrative) if narrative is not None else "")))
    inner = (_section(child, allow_restricted, depth + 1) for child in section.findall("{*}component/{*}section"))
    return "\n\n".join(filter(None, (own, *inner)))


def _unstructured(root: etree._Element, max_bytes: int) -> str:
    """`nonXMLBody`: the document is one plain text, as it stands or in base64."""
    body = root.find("{*}component/{*}nonXMLBody/{*}text")
    if body is None:
        return ""
    if not body.get("mediaType", "text/plain").startswith("text/plain"):
        raise Unreadable("not-text")
    if body.get("representation") == "B64":
        return decoded(from_base64(_words(body), max_bytes=max_bytes))
    return _words(body)


def _words(element: etree._Element) -> str:
    return "".join(str(part) for part in element.itertext())


def _is_restricted(element: etree._Element) -> bool:
    codes = (code.get("code", "").lower() for code in element.findall("{*}confidentialityCode"))
    return any(code in RESTRICTED for code in codes)


def _found(text: str) -> str:
    if not text.strip():
        raise Unreadable("not-available")
    return text
