"""What the fuzzer feeds bytes to: one function per reader of documents, and what must hold whatever comes in.

Input: any bytes. Output: nothing; a broken promise is an AssertionError, and any other exception is a finding too. A
reader gives text or says Unreadable; it raises nothing else, makes no more of a document than stands in it, and never
resolves an entity.
"""

from __future__ import annotations

from collections.abc import Callable

from nlp_core.attachments import BinaryContent, content_text
from nlp_core.clinical_document import xml_text
from nlp_core.fhir_fields import repaired
from nlp_core.plain_text import html_text, rtf_text
from nlp_core.text_decoding import decoded
from nlp_core.unreadable import Unreadable

MAX_BYTES = 1_000_000
LONGEST_OF_ONE_CHARACTER = 4
"""An RTF command of a few characters stands for one; a list item or a tab adds one or two."""
MARGIN = 1000

Target = Callable[[bytes], None]


def rtf(data: bytes) -> None:
    """The RTF reader, as an attachment reaches it."""
    text = decoded(data)
    _check(lambda: repaired(rtf_text(text)), len(text))


def html(data: bytes) -> None:
    """The HTML reader."""
    text = decoded(data)
    _check(lambda: html_text(text), len(text))


def clinical_document(data: bytes) -> None:
    """The reader of C-CDA and other XML."""
    text = decoded(data)
    _check(lambda: xml_text(text, max_bytes=MAX_BYTES), len(text))


def attachment(data: bytes) -> None:
    """The whole way of an attachment's bytes: signature, character set, form, reader. The first byte picks the type."""
    kinds = ("text/plain", "text/html", "text/rtf", "application/xml", "", "text/plain; charset=gbk")
    kind = kinds[data[0] % len(kinds)] if data else ""
    _check(lambda: content_text(BinaryContent(data[1:], kind), max_bytes=MAX_BYTES), len(data))


TARGETS: dict[str, Target] = {one.__name__: one for one in (rtf, html, clinical_document, attachment)}


def _check(read: Callable[[], str], length: int) -> None:
    try:
        text = read()
    except Unreadable:
        return
    text.encode("utf-8")  # a lone surrogate would fail here, as it would on the way to the worker
    longest = LONGEST_OF_ONE_CHARACTER * length + MARGIN
    assert len(text) <= longest, f"{len(text)} characters out of {length}"
