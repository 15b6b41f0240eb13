"""Bytes become the characters that were written, whatever was declared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp_core.text_decoding import declared_charset, decoded

CHINESE = "患者男，65岁，胸痛三天。查体：BP 150/95 mmHg，双肺呼吸音清。"


@pytest.mark.parametrize(
    ("content_type", "charset"),
    [
        ("text/plain; charset=gbk", "gbk"),
        ('text/plain;charset="UTF-8"', "utf-8"),
        ("text/plain; charset=ISO-8859-1; format=flowed", "iso8859-1"),
        ("text/plain; charset=zip", ""),
        ("text/plain; charset=unicode_escape", ""),
        ("text/plain; charset=punycode", ""),
        ("text/plain; charset=nonsense", ""),
        ("text/plain", ""),
    ],
)
def test_only_charsets_of_notes_count_as_declared(content_type: str, charset: str) -> None:
    assert declared_charset(content_type) == charset


def test_charset_declared_in_markup() -> None:
    assert declared_charset("text/xml", b'<?xml version="1.0" encoding="GB18030"?><a/>') == "gb18030"
    assert declared_charset("text/html", b"<html><head><meta charset=gbk>") == "gbk"
    assert declared_charset("text/html; charset=utf-8", b"<meta charset=gbk>") == "utf-8"


@pytest.mark.parametrize(
    ("data", "charset", "text"),
    [
        (CHINESE.encode(), "", CHINESE),
        (CHINESE.encode(), "gbk", CHINESE),
        (CHINESE.encode(), "iso8859-1", CHINESE),
        (CHINESE.encode("gbk"), "", CHINESE),
        (CHINESE.encode("gb18030"), "utf-8", CHINESE),
        (CHINESE.encode("gbk"), "gbk", CHINESE),
        ("胸痛".encode("big5"), "big5", "胸痛"),
        (b"\xef\xbb\xbfx", "", "x"),
        (CHINESE.encode("utf-16"), "", CHINESE),
        (CHINESE.encode("utf-16-le"), "utf-16-le", CHINESE),
        ("Chest pain".encode("utf-16-le"), "", "Chest pain"),
        ("Chest pain".encode("utf-16-be"), "", "Chest pain"),
        ("café".encode("latin-1"), "iso8859-1", "café"),
        ("café".encode("latin-1"), "", "caf\ufffd"),
        ("“Größe”".encode("cp1252"), "cp1252", "“Größe”"),
        (b"ok \xff end", "", "ok \ufffd end"),
        (b"", "", ""),
    ],
)
def test_decoding_by_mark_utf8_declaration_and_gb18030(data: bytes, charset: str, text: str) -> None:
    assert decoded(data, charset) == text


def test_one_broken_byte_costs_one_character_of_a_chinese_note() -> None:
    broken = CHINESE[:9].encode() + b"\xff" + CHINESE[9:].encode()
    assert decoded(broken) == f"{CHINESE[:9]}\ufffd{CHINESE[9:]}"


def test_undeclared_big5_is_not_misread_as_simplified_chinese() -> None:
    assert "\ufffd" in decoded("病人胸痛三天，呼吸困難，無發燒，有高血壓病史。".encode("big5"))


@pytest.mark.parametrize(
    "text", ["Fièvre élevée à 39,5 °C, frère décédé", "Übelkeit, Blässe, Größe 170", "Niño con fiebre, año pasado"]
)
def test_latin_1_is_never_taken_for_chinese(text: str) -> None:
    found = decoded(text.encode("latin-1"))
    assert found == "".join(character if character.isascii() else "\ufffd" for character in text)


@given(st.text())
def test_utf8_comes_back_to_the_character(text: str) -> None:
    note = f"Note. {text}"
    assert decoded(note.encode()) == note


@given(st.binary(max_size=200), st.sampled_from(["", "utf-8", "gbk", "utf-16", "iso8859-1", "iso2022_jp"]))
def test_any_bytes_give_encodable_text(data: bytes, charset: str) -> None:
    decoded(data, charset).encode("utf-8")
