"""The fault matrix's rows, and which tests name them.

Input: rows.yaml, open_rows.yaml, and the test files as text. Output: rows and `file::test` names. Runs no test.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

TESTS = Path(__file__).parent
_NAME = re.compile(r"test_((?:[a-g]\d{1,2}_)+)")
_ID = re.compile(r"([a-g])0?(\d+)")


@dataclass(frozen=True, slots=True)
class Row:
    """What comes in, and what it gets."""

    id: str
    """`A7`."""
    given: str
    expected: str


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one letter."""

    letter: str
    title: str
    rows: tuple[Row, ...]


@cache
def groups() -> list[Group]:
    """Groups A to G, rows in their order."""
    document = yaml.safe_load((TESTS / "rows.yaml").read_text(encoding="utf-8"))
    return [
        Group(
            letter, content["title"], tuple(Row(f"{letter}{number}", *row) for number, row in content["rows"].items())
        )
        for letter, content in document.items()
    ]


@cache
def open_rows() -> dict[str, str]:
    """Rows without a test of their name, and why."""
    return yaml.safe_load((TESTS / "open_rows.yaml").read_text(encoding="utf-8")) or {}


def rows_of(test: str) -> list[str]:
    """The rows that a test's name says it covers: `test_a07_x` A7, `test_c3_d2_x` C3 and D2."""
    named = _NAME.match(test)
    return [f"{letter.upper()}{int(number)}" for letter, number in _ID.findall(named[1])] if named else []


@cache
def covering_tests() -> dict[str, list[str]]:
    """Row id to `tests/file.py::test_name`, sorted, found in the files' syntax trees."""
    found: dict[str, set[str]] = defaultdict(set)
    for file in TESTS.rglob("test_*.py"):
        place = file.relative_to(TESTS.parent).as_posix()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for row in rows_of(node.name):
                    found[row].add(f"{place}::{node.name}")
    return {row: sorted(tests) for row, tests in found.items()}
