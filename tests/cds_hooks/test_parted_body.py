"""A body in two parts is the body: whatever can be cut is put together again to the same, and what cannot is read whole."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_hooks import strict_json
from cds_hooks.call_body import CallBodies, CallBody
from cds_hooks.opened_charts import OpenedCharts
from cds_hooks.parted_body import SMALLEST_BYTES, PartedBody, parted
from tests.cds_hooks.charts import call, document, patient, prefetch

LONG = {"note": "x" * SMALLEST_BYTES}
DEPTH = strict_json.MAX_DEPTH


def cut(body: bytes) -> PartedBody | None:
    return parted(body, max_depth=DEPTH)


def read(body: bytes) -> CallBody:
    return CallBodies(OpenedCharts(9, 2**20, 60)).read(body, "a")


@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize("indent", [None, 2])
def test_the_prefetch_is_cut_out_wherever_it_stands(place: int, indent: int | None) -> None:
    rest = {"hook": "patient-view", "hookInstance": "7", "context": {"patientId": "1"}, "extension": {"a": [{}]}}
    value = LONG | {"documents": {"entry": [{"resource": {"context": {"a": 1}, "prefetch": {}}}]}, "problems": None}
    items = list(rest.items())
    items.insert(place, ("prefetch", value))
    body = json.dumps(dict(items), indent=indent).encode()
    found = cut(body)
    assert found
    assert found.rest == rest
    assert json.loads(found.prefetch) == value


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"context": {"prefetch": LONG}}),
        json.dumps({"context": {"prefetch": {}}, "prefetch": LONG}),
        json.dumps({"prefetch": [LONG]}),
        json.dumps({"prefetch": None, "context": LONG}),
        json.dumps([{"prefetch": LONG}]),
        json.dumps({"a": '"prefetch":{', "context": LONG}),
        '{"\\u0070refetch":' + json.dumps(LONG) + "}",
        '{"prefetch":' + json.dumps(LONG) + ',"prefetch":{}}',
        '{"prefetch":' + json.dumps(LONG) + ',"hook":"a","hook":"a"}',
        '{"prefetch":' + json.dumps(LONG) + "} }",
        '{"prefetch":' + json.dumps(LONG),
        '{"prefetch":' + json.dumps(LONG) + ',"context":{}',
        '{"hook":NaN,"prefetch":' + json.dumps(LONG) + "}",
    ],
)
def test_what_is_no_prefetch_of_a_call_is_read_as_the_whole_body_is(body: str) -> None:
    try:
        whole = strict_json.loads(body.encode())
    except strict_json.NotStrictJson as refused:
        with pytest.raises(strict_json.NotStrictJson, match=f"^{refused}$"):
            read(body.encode())
    else:
        assert read(body.encode()).document == whole


@pytest.mark.parametrize(
    "faulty",
    [
        '{"a":1,"a":1}',
        '{"a":NaN}',
        '{"a":123456789012345678901}',
        '{"a":1e999}',
        '{"a":1},{}',
        '{"a":{}},"extra":{"b":{}}',
        '{"a":' + "[" * 99 + "]" * 99 + "}",
        '{"a":"\ud800"}',
        '{"a":"\x01"}',
        '{"a":}',
    ],
)
@pytest.mark.parametrize("last", [True, False])
def test_b07_b08_a_prefetch_is_read_as_strictly_as_the_body_it_is_cut_from(faulty: str, last: bool) -> None:
    value = faulty[:-1] + ',"note":"' + "x" * SMALLEST_BYTES + '"}'
    body = f'{{"hook":"h","prefetch":{value}' + ("}" if last else ',"context":{}}')
    sent = body.encode("utf-8", "surrogatepass")
    try:
        whole = strict_json.loads(sent)
    except strict_json.NotStrictJson as refused:
        with pytest.raises(strict_json.NotStrictJson, match=f"^{refused}$"):
            read(sent)
    else:
        assert read(sent).document == whole


KEYS = st.sampled_from(["hook", "context", "prefetch", "extension", "note", 'a"b', "}", '"prefetch":{'])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=60)
@given(st.dictionaries(KEYS, JSON, max_size=6), st.integers(0, 6), st.sampled_from([None, 1]), st.booleans())
def test_any_body_reads_the_same_cut_or_whole(sent: dict[str, Any], place: int, indent: int | None, tail: bool) -> None:
    items = list(sent.items())
    items.insert(place, ("prefetch", LONG | {"more": sent}))
    body = json.dumps(dict(items), indent=indent, ensure_ascii=tail).encode()
    assert read(body).document == strict_json.loads(body)


@given(st.binary(max_size=40), st.integers(0, 5000))
def test_changed_bytes_are_read_or_refused_as_they_are_whole(junk: bytes, place: int) -> None:
    good = json.dumps(call(prefetch=prefetch(patient(), document("cough " * 800)))).encode()
    body = good[:place] + junk + good[place + len(junk) :]
    try:
        whole = strict_json.loads(body)
    except strict_json.NotStrictJson as refused:
        with pytest.raises(strict_json.NotStrictJson, match=f"^{refused}$"):
            read(body)
    else:
        assert read(body).document == whole


def test_two_bodies_are_the_same_where_all_their_bytes_are() -> None:
    bodies = CallBodies(OpenedCharts(9, 2**20, 60))
    one = json.dumps({"hook": "a", "prefetch": LONG, "hookInstance": "7"}).encode()
    assert bodies.read(one, "a").digest == bodies.read(one, "a").digest
    for other in (
        one.replace(b'"7"', b'"8"'),
        one.replace(b"xx", b"xy", 1),
        one.replace(b'"a"', b' "a"'),
        one.replace(b": ", b":  ", 1),
    ):
        assert other != one
        assert bodies.read(other, "a").digest != bodies.read(one, "a").digest
