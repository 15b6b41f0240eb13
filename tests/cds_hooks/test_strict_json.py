"""Strict reading of JSON: what is refused, what is kept, and that nothing else happens to it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_hooks.strict_json import MAX_DEPTH, NotStrictJson, loads

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5),
    max_leaves=30,
)


@given(VALUES, st.booleans(), st.sampled_from([None, 2]))
def test_what_json_writes_is_read_as_it_was(value: Any, ascii_only: bool, indent: int | None) -> None:
    assert loads(json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        value = loads(body)
    except NotStrictJson:
        return
    json.dumps(value, allow_nan=False).encode("utf-8")


@given(st.text(max_size=40), st.text(max_size=10))
def test_text_with_lone_surrogates_becomes_writable_and_keeps_its_length_in_characters(text: str, key: str) -> None:
    value = loads(json.dumps({key: [text]}).encode())
    ((read_key, (read,)),) = value.items()
    expected = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert read == expected
    (read + read_key).encode("utf-8")


@given(st.text('{}[]"\\a', max_size=60), st.integers(1, 5))
def test_brackets_and_quotes_inside_strings_are_not_nesting(text: str, depth: int) -> None:
    value: Any = text
    for _ in range(depth):
        value = [value]
    body = json.dumps(value).encode()
    assert loads(body, max_depth=depth) == value
    with pytest.raises(NotStrictJson, match="nested"):
        loads(b"[" + body + b"]", max_depth=depth)


def test_the_deepest_allowed_is_read() -> None:
    assert loads(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    with pytest.raises(NotStrictJson, match="100 levels"):
        loads(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1))


@pytest.mark.parametrize(
    "body",
    [b"", b" ", b"{", b"[1,]", b'{"a":1,}', b"// c\n1", b"'a'", b"01", b"+1", b".5", b"1.", b"\xff", b'"\xed\xa0\x80"',
     b'"\x01"', b"\xef\xbb\xbf1", b'"a', b"1 2", b"nul", b"True", b'{"a" 1}', b'{1: 2}', b"]", b"}}", b'"\\x"'],
)  # fmt: skip
def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(NotStrictJson):
        loads(body)


@pytest.mark.parametrize("body", [b"NaN", b"[Infinity]", b"-Infinity", b"1e999", b"9" * 20])
def test_numbers_without_a_value_are_refused(body: bytes) -> None:
    with pytest.raises(NotStrictJson):
        loads(body)


def test_errors_do_not_repeat_the_input() -> None:
    for body in (b'{"canary": canary}', b'{"canary":1,"canary":2}', b"canary", b'"canary\x01"'):
        with pytest.raises(NotStrictJson) as error:
            loads(body)
        assert "canary" not in str(error.value)
        assert error.value.__cause__ is None


BLANKS = st.text(" \t\n\r", max_size=2)
KEYS = st.sampled_from(['"a"', '"b"', '"\\u0061"', '"a:"', '"\\""', '"\\\\"', '"{"', '"a\\":"'])


@given(st.lists(st.tuples(KEYS, BLANKS, BLANKS, st.sampled_from(["1", '"x"', '{"a":1}', "[]", '"\\":"']))))
def test_a_key_twice_is_refused_however_it_is_written(pairs: list[tuple[str, str, str, str]]) -> None:
    body = "{" + ",".join(f"{key}{before}:{after}{value}" for key, before, after, value in pairs) + "}"
    keys = [json.loads(key) for key, *_ in pairs]
    if len(set(keys)) == len(keys):
        assert loads(body.encode()) == json.loads(body)
    else:
        with pytest.raises(NotStrictJson, match="twice"):
            loads(body.encode())


@given(st.from_regex(r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?", fullmatch=True))
def test_numbers_are_exact_or_refused(text: str) -> None:
    whole = text.lstrip("-").isdigit()
    if (whole and len(text.lstrip("-")) > 19) or float(text) in (float("inf"), float("-inf")):
        with pytest.raises(NotStrictJson):
            loads(text.encode())
    else:
        read = loads(text.encode())
        assert read == json.loads(text)
        assert type(read) is type(json.loads(text))
