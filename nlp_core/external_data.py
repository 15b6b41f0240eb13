"""Where an ONNX file says that its weights lie, read without the onnx package.

Input : the bytes of a graph
Output: the set of file names its tensors point to, e.g. {"encoder.weights"}
Knows protobuf's wire format and the few fields of ONNX on the way to a tensor (subgraphs and functions included).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

_TENSOR, _ENTRY = "tensor", "entry"
# Message -> field number -> message, for every way from a model to a tensor's external_data (onnx.proto, IR 3 to 13).
_WAYS: Mapping[str, Mapping[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: _TENSOR, 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: _TENSOR, 6: "graph", 10: _TENSOR, 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: _TENSOR, 2: _TENSOR},
    _TENSOR: {13: _ENTRY},
}
_ENTRY_KEY, _ENTRY_VALUE = 1, 2
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class NotOnnx(ValueError):
    """The bytes are no ONNX file."""


def external_files(model: bytes) -> set[str]:
    """Every `location` of external data in the model. Raises NotOnnx."""
    try:
        return set(_locations(memoryview(model), "model"))
    except (IndexError, RecursionError, UnicodeDecodeError) as error:
        raise NotOnnx(f"not an ONNX file ({error})") from error


def _locations(message: memoryview, kind: str) -> Iterator[str]:
    if kind == _ENTRY:
        entry = dict(_fields(message))
        if bytes(entry.get(_ENTRY_KEY, b"")) == b"location":
            yield bytes(entry.get(_ENTRY_VALUE, b"")).decode()
        return
    ways = _WAYS[kind]
    for number, content in _fields(message):
        if number in ways:
            yield from _locations(content, ways[number])


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """The length-delimited fields of a message; numbers are passed over."""
    place = 0
    while place < len(message):
        tag, place = _varint(message, place)
        kind = tag & 7
        if kind == _VARINT:
            _, place = _varint(message, place)
        elif kind in (_FIXED64, _FIXED32):
            place += 8 if kind == _FIXED64 else 4
        elif kind == _BYTES:
            length, place = _varint(message, place)
            if place + length > len(message):
                raise NotOnnx("not an ONNX file (a field ends behind the file)")
            yield tag >> 3, message[place : place + length]
            place += length
        else:
            raise NotOnnx(f"not an ONNX file (wire type {kind})")


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return value, place
