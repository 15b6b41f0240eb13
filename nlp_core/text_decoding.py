"""Bytes of a text -> the text, by byte order mark, UTF-8, the declared charset, Chinese GB 18030, in this order.

Knows character sets that clinical systems write. Does not know markup. Only bytes that fit no reading become U+FFFD.
"""

from __future__ import annotations

import codecs
import re

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Python also calls zip, punycode and unicode_escape codecs; only these turn bytes into a note.
_NOTE_CHARSETS = (
    "ascii utf-8 utf-16 utf-16-le utf-16-be utf-32 utf-32-le utf-32-be gb2312 gbk gb18030 big5 big5hkscs cp950 "
    "shift_jis cp932 euc_jp iso2022_jp euc_kr cp949 koi8-r koi8-u mac-roman cp437 cp850 cp874 "
    "iso8859-1 iso8859-2 iso8859-3 iso8859-4 iso8859-5 iso8859-6 iso8859-7 iso8859-8 iso8859-9 iso8859-10 "
    "iso8859-13 iso8859-14 iso8859-15 iso8859-16 cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258"
)
_SAFE = frozenset(_NOTE_CHARSETS.split())
_NOT_ASCII_BASED = ("utf-16", "utf-32", "iso2022")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9._:-]{1,40})", re.IGNORECASE)
_IN_MARKUP = re.compile(rb"<\?xml[^>]{0,100}?encoding\s*=\s*[\"']([A-Za-z0-9._:-]{1,40})|"
                        rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?([A-Za-z0-9._:-]{1,40})", re.IGNORECASE)  # fmt: skip
_FEWEST_COMMON = 0.6
_FEWEST_SIMPLIFIED = 0.9


def declared_charset(content_type: str, data: bytes = b"") -> str:
    """Python's name of the charset that the content type, else the markup's head, declares; `""` when none is known."""
    match = _CHARSET.search(content_type)
    if match:
        return _known(match.group(1))
    in_markup = _IN_MARKUP.search(data[:1024])
    return _known((in_markup.group(1) or in_markup.group(2)).decode("ascii")) if in_markup else ""


def decoded(data: bytes, charset: str = "") -> str:
    """`data` as text, every character as it was written; a byte order mark is not part of the text.

    `charset` is a name from `declared_charset`. Valid UTF-8 goes before a declared single-byte charset, since text in
    another charset is hardly ever valid UTF-8 while servers often declare one by default.
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(name, "replace")
    if charset.startswith(_NOT_ASCII_BASED):
        return data.decode(charset, "replace")
    strict = _strictly(data, "utf-8")
    if strict is not None:
        return _without_nuls_between(data, strict)
    declared = _strictly(data, charset) if charset not in ("", "utf-8", "ascii") else None
    if declared is not None:
        return declared
    as_utf8 = data.decode("utf-8", "replace")
    if _mostly_valid(as_utf8):
        return as_utf8
    chinese = _strictly(data, "gb18030")
    return chinese if chinese is not None and _reads_as_chinese(chinese) else as_utf8


def _known(name: str) -> str:
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError):
        return ""
    return found if found in _SAFE else ""


def _strictly(data: bytes, charset: str) -> str | None:
    try:
        return data.decode(charset)
    except UnicodeDecodeError:
        return None


def _without_nuls_between(data: bytes, text: str) -> str:
    """UTF-16 without a mark: Latin letters with a NUL beside each are valid UTF-8 too."""
    half = len(data) // 2
    if half < 4 or data.count(0) < 0.4 * len(data):
        return text
    if data[1::2].count(0) > 0.9 * half:
        return data.decode("utf-16-le", "replace")
    return data.decode("utf-16-be", "replace") if data[0::2].count(0) > 0.9 * half else text


def _mostly_valid(text: str) -> bool:
    """UTF-8 with a few broken bytes: more characters beyond ASCII came out whole than broken."""
    broken = text.count("\ufffd")
    beyond_ascii = len(text) - len(text.encode("ascii", "ignore"))
    return beyond_ascii - broken > broken


def _reads_as_chinese(text: str) -> bool:
    """True when what is not ASCII is everyday simplified Chinese.

    Latin-1 accents pair with their neighbours into valid but rare characters, so it is the commonness that tells.
    """
    beyond_ascii = re.sub(r"[\x00-\x7f]+", "", text[:20_000])
    encoded = beyond_ascii.encode("gb2312", "ignore")
    if not beyond_ascii or len(encoded) < 2 * _FEWEST_SIMPLIFIED * len(beyond_ascii):
        return False
    # GB 2312 sorts by use: rows 0xB0 to 0xD7 hold the 3,755 everyday characters, 0xA1 and 0xA3 the punctuation.
    common = sum(0xB0 <= lead <= 0xD7 or lead in (0xA1, 0xA3) for lead in encoded[::2])
    return common >= _FEWEST_COMMON * len(beyond_ascii)
