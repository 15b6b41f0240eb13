"""Single values come out of JSON leniently, and never as an error."""

from __future__ import annotations

from decimal import Decimal
from types import MappingProxyType

import pytest

from nlp_core.fhir_fields import is_true, item, items, number, reference_to, repaired, resource_id, words


@pytest.mark.parametrize(
    ("value", "expected"),
    [(" a \n b ", "a b"), (" a ", "a"), ("胸\u3000痛", "胸 痛"), (7, "7"), (True, ""), (None, ""), ([], ""), (1.5, ""),
     (10**30, ""), ("x\ud800", "x\ufffd"), ("a" * 600, "a" * 500)],
)  # fmt: skip
def test_words_are_one_short_line(value: object, expected: str) -> None:
    assert words(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(6, 6.0), (6.2, 6.2), (Decimal("6.2"), 6.2), ("6.2", 6.2), (" 1e3 ", 1000.0), ("６.２", 6.2), (True, None),
     ("", None), ("1_000", None), ("nan", None), (float("inf"), None), (float("nan"), None), (10**400, None),
     ("1e999", None), ({}, None)],
)  # fmt: skip
def test_numbers_are_finite_or_none(value: object, expected: float | None) -> None:
    assert number(value) == expected


def test_items_and_item_take_what_is_an_object() -> None:
    assert items([{"a": 1}, None, "x", {"b": 2}]) == [{"a": 1}, {"b": 2}]
    assert items({"a": 1}) == [{"a": 1}]
    assert items("x") == []
    assert item([3, {"a": 1}]) == {"a": 1}
    assert item(MappingProxyType({"a": 1})) == {"a": 1}
    assert item(None) == {}


def test_only_ids_fit_for_a_url_are_used() -> None:
    assert reference_to({"resourceType": "Condition", "id": "a-1.B"}) == "Condition/a-1.B"
    for bad in ("../x", "a b", "", None, "x" * 129, "1?x", "<b>"):
        assert resource_id({"id": bad}) == ""
        assert reference_to({"resourceType": "Condition", "id": bad}) == "Condition"


def test_truth_is_a_json_true_or_its_word() -> None:
    assert [is_true(value) for value in (True, "true", " TRUE ", 1, "yes", None)] == [
        True,
        True,
        True,
        False,
        False,
        False,
    ]


def test_repair_keeps_length_and_whole_characters() -> None:
    assert repaired("a\ud83db😀") == "a\ufffdb😀"
