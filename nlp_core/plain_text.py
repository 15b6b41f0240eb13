"""HTML, XHTML, RTF and C-CDA XML -> the text a reader of the document sees.

Knows markup. Does not know FHIR, character sets or attachments. No DTD is ever read: document type declarations are
cut out before parsing, entities stay unresolved, nothing is fetched. What a clinician would not see as valid text
(scripts, hidden elements, struck-out words of HTML) is left out.
"""

from __future__ import annotations

import re
from typing import Literal

from lxml import etree
from lxml import html as lxml_html
from striprtf.striprtf import rtf_to_text

from nlp_core.rtf_repairs import for_striprtf
from nlp_core.unreadable import Unreadable

Form = Literal["plain", "html", "rtf", "xml"]

_DOCTYPE = re.compile(r"<!DOCTYPE", re.IGNORECASE)
_DECLARATION = re.compile(r"^\s*<\?xml[^>]{0,400}\?>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_UNSEEN_TAGS = "script style head title noscript template svg math object iframe del s strike"
_UNSEEN = frozenset(_UNSEEN_TAGS.split())
_BLOCK_TAGS = (
    "p div section article header footer main aside nav h1 h2 h3 h4 h5 h6 ul ol dl blockquote pre table caption "
    "hr form fieldset address figure body paragraph list text br"
)
_BLOCKS = frozenset(_BLOCK_TAGS.split())
_ROWS = frozenset({"li", "item", "tr", "dt", "dd"})
_ITEMS = frozenset({"li", "item"})
_CELLS = frozenset({"td", "th"})


def html_text(markup: str) -> str:
    """The visible text of an HTML document or fragment: a line per block, table cells parted by tabs."""
    parser = lxml_html.HTMLParser(no_network=True, huge_tree=False, recover=True, encoding="utf-8")
    source = _DECLARATION.sub("", without_doctype(markup))
    root = etree.fromstring(_encoded(source), parser)
    if root is None or parser.error_log.filter_from_fatals():
        return _lines(_TAG.sub("\n", source))  # nested deeper than the parser goes: no words are lost with the tree
    return visible_text(root)


def xhtml_text(markup: str) -> str:
    """The visible text of an XHTML fragment such as a FHIR narrative; read as HTML where it is not well-formed."""
    try:
        return visible_text(xml_root(markup))
    except Unreadable:
        return html_text(markup)


def rtf_text(markup: str) -> str:
    """The text of an RTF document without pictures, document properties and addresses of links; words formatted as
    struck out or hidden stay in. Raises Unreadable `undecodable`."""
    try:
        text = str(rtf_to_text(for_striprtf(markup), errors="replace"))  # type: ignore[no-untyped-call]  # striprtf has no types
    except (ValueError, TypeError, LookupError, IndexError, OverflowError, RecursionError):
        raise Unreadable("undecodable") from None
    return _PAIR.sub(lambda pair: pair.group().encode("utf-16", "surrogatepass").decode("utf-16"), text)


def xml_root(markup: str) -> etree._Element:
    """The root element of an XML text, its document type cut out. Raises Unreadable `undecodable`."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False, encoding="utf-8"
    )
    try:
        return etree.fromstring(_encoded(_DECLARATION.sub("", without_doctype(markup))), parser)
    except (etree.LxmlError, ValueError):
        raise Unreadable("undecodable") from None


def without_doctype(markup: str) -> str:
    """`markup` with a space in place of each document type declaration, internal subset included.

    A space, so that what stood around it cannot join to another one.
    """
    kept, at = [], 0
    while match := _DOCTYPE.search(markup, at):
        kept.append(markup[at : match.start()])
        at = _doctype_end(markup, match.end())
    return " ".join([*kept, markup[at:]])


def _doctype_end(markup: str, start: int) -> int:
    """Where the declaration that is open at `start` ends; the end of the text when it never does."""
    end = markup.find(">", start)
    if "[" in markup[start : max(end, start)]:
        close = markup.find("]", start)
        end = markup.find(">", close) if close > -1 else -1
    return end + 1 or len(markup)


def visible_text(root: etree._Element) -> str:
    """The text below an element of HTML or of a C-CDA narrative, in reading order."""
    pieces: list[str] = []
    walk = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
    for event, element in walk:
        name = local_name(element)
        if event == "start":
            if _is_unseen(element, name):
                walk.skip_subtree()
                continue
            pieces.extend(_opening(name, pieces))
            pieces.extend(_folded(element.text))
        elif event == "end" and not _is_unseen(element, name):
            pieces.extend(_closing(name))
        if event != "start" and element is not root:
            pieces.extend(_folded(element.tail))
    return _lines("".join(pieces))


def local_name(element: etree._Element) -> str:
    """Tag without namespace, lower case; `""` for comments, instructions and unresolved entities."""
    tag = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def _opening(name: str, before: list[str]) -> tuple[str, ...]:
    if name in _ITEMS:
        return ("\r", "- ")
    if name in _BLOCKS:
        return () if before and before[-1] == "- " else ("\n",)  # the item's own paragraph stays on its line
    return ("\r",) if name in _ROWS else ()


def _closing(name: str) -> tuple[str, ...]:
    if name in _CELLS:
        return ("\t",)
    if name in _BLOCKS and name != "br":
        return ("\n",)
    return ("\r",) if name in _ROWS else ()


def _is_unseen(element: etree._Element, name: str) -> bool:
    if name in _UNSEEN or not element.keys():
        return name in _UNSEEN
    if element.get("hidden") is not None or element.get("revised") == "delete":
        return True
    style = element.get("style", "").lower().replace(" ", "")
    return "display:none" in style or "visibility:hidden" in style or "line-through" in style


def _folded(text: str | None) -> tuple[str, ...]:
    """White space runs as one space, kept at the ends: it may part two words in two elements."""
    return (" ".join(f"|{text}|".split())[1:-1],) if text else ()


def _lines(text: str) -> str:
    r"""`\n` ends a block, `\r` a row or list item, `\t` a cell: white space folded, at most one empty line in a row."""
    kept: list[str] = []
    for block in text.split("\n"):
        rows = [_row(row) for row in block.split("\r")]
        filled = [row for row in rows if row not in ("", "-")]
        if filled:
            kept.extend(filled)
        elif kept and kept[-1] != "":
            kept.append("")
    return "\n".join(kept).strip()


def _row(text: str) -> str:
    return "\t".join(" ".join(cell.split()) for cell in text.split("\t")).strip()


def _encoded(markup: str) -> bytes:
    return markup.encode("utf-8", "replace")
