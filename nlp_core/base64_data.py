"""Base64 as charts write it -> bytes.

Knows line breaks, the URL-safe alphabet, missing padding and `data:` prefixes. Does not know what the bytes mean.
"""

from __future__ import annotations

import base64
import binascii

from nlp_core.unreadable import Unreadable

_MOST_PADDING = 2
_ENCODED_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_ \t\r\n"
_SHORTEST_LINE = 20
_SHORTEST_NESTED = 24
_SURELY_NO_WORD = 200
_PLAIN_BYTES = bytes({7, 8, 9, 10, 12, 13, 27} | set(range(0x20, 0x100)))


def from_base64(text: str, *, max_bytes: int) -> bytes:
    """The bytes that `text` encodes.

    Raises Unreadable `too-large` when they would be more than `max_bytes`, from the length alone, and `undecodable`
    when it is no base64 (prose with its spaces taken out often is by chance, so irregular short lines are refused).
    """
    if text[:5].lower() == "data:":
        text = text.partition(",")[2]
    # Line breaks add a few percent; a tenth is room enough before anything is copied.
    if len(text) > max_bytes * 4 // 3 * 1.1 + 64:
        raise Unreadable("too-large")
    compact = _without_line_breaks(text).replace("-", "+").replace("_", "/")
    bare = compact.rstrip("=")
    if len(compact) - len(bare) > _MOST_PADDING:
        raise Unreadable("undecodable")
    try:
        # `validate` refuses every character outside the alphabet.
        data = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise Unreadable("undecodable") from None
    if len(data) > max_bytes:
        raise Unreadable("too-large")
    return data


def is_base64_again(data: bytes) -> bool:
    """True when `data` is itself base64: of readable text, or so long and mixed that it is no word."""
    if len(data) < _SHORTEST_NESTED or data.rstrip().rstrip(b"=").translate(None, _ENCODED_BYTES):
        return False
    try:
        sample = _without_line_breaks(data[:4096].decode("ascii"))
        inner = from_base64(sample[: len(sample) // 4 * 4], max_bytes=len(data))
    except Unreadable:
        return False
    readable = _is_utf8(inner) and not inner.translate(None, _PLAIN_BYTES)
    return readable or (len(sample) >= _SURELY_NO_WORD and _is_mixed(sample))


def _without_line_breaks(text: str) -> str:
    lines = text.split()
    if len(lines) < 2:
        return "".join(lines)
    lengths = {len(line) for line in lines[:-1]}
    if len(lengths) > 1 and sum(map(len, lines)) / len(lines) < _SHORTEST_LINE:
        raise Unreadable("undecodable")
    return "".join(lines)


def _is_utf8(data: bytes) -> bool:
    """Valid UTF-8, but for a character cut off at the end."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start >= len(data) - 4
    return True


def _is_mixed(text: str) -> bool:
    found = set(text)
    return len(found) > 20 and all(any(map(test, found)) for test in (str.isupper, str.islower, str.isdecimal))
