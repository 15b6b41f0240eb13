"""Base64 in all the forms that charts hold; what is none is refused."""

from __future__ import annotations

import base64
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp_core.base64_data import from_base64, is_base64_again
from nlp_core.unreadable import Unreadable


@given(st.binary(max_size=300), st.sampled_from([0, 4, 60, 76]), st.booleans(), st.booleans())
def test_any_bytes_come_back_from_any_form(data: bytes, line: int, url_safe: bool, padded: bool) -> None:
    text = (base64.urlsafe_b64encode if url_safe else base64.b64encode)(data).decode()
    text = text if padded else text.rstrip("=")
    if line:
        text = "\r\n".join(text[start : start + line] for start in range(0, len(text), line))
    assert from_base64(text, max_bytes=300) == data


@pytest.mark.parametrize(
    "text", ["a", "QUJDR", "QQ==QQ==", "QUJ%", "===", "Q===", "胸痛", "no chest pain today at all", "QUJDＱ"]
)
def test_what_is_no_base64_is_undecodable(text: str) -> None:
    with pytest.raises(Unreadable, match="undecodable"):
        from_base64(text, max_bytes=100)


def test_size_is_checked_before_decoding_and_exactly() -> None:
    assert from_base64(base64.b64encode(bytes(100)).decode(), max_bytes=100) == bytes(100)
    for size in (101, 5_000):
        with pytest.raises(Unreadable, match="too-large"):
            from_base64(base64.b64encode(bytes(size)).decode(), max_bytes=100)


@pytest.mark.parametrize(
    "inner", [b"Chest pain since yesterday.", "胸痛三天伴呼吸困难，无发热。".encode(), bytes(range(256)) * 2]
)
def test_base64_of_base64_is_noticed(inner: bytes) -> None:
    assert is_base64_again(base64.b64encode(inner))


def test_long_hostile_data_costs_little() -> None:
    began = time.process_time()
    for data in (b" " * 500_000 + b"!", b"A " * 250_000 + b"!", b"=" * 500_000):
        is_base64_again(data)
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize(
    "note",
    [
        b"Hypertriglyceridaemia",
        b"a" * 30_000,
        b"1" * 50_000,
        b"-" * 10_000,
        b"No chest pain since yesterday",
        b"AAAA AAAA",
        b"",
    ],
)
def test_words_are_not_taken_for_base64(note: bytes) -> None:
    assert not is_base64_again(note)
