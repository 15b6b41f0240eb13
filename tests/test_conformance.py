"""docs/conformance.md is complete: no number is missing, every test it names exists; so do the fault matrix's rows."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "docs" / "conformance.md"

POINTS = range(1, 82)
ROWS = [
    *range(1, 15), 16, 27, 28, 29, 34, 35, 36, 52, *range(54, 62), *range(74, 79), *range(80, 86), *range(87, 91),
    *range(92, 97), 98, 99, 100, *range(103, 114), *range(115, 126), *range(127, 137), *range(138, 143),
    *range(144, 149), 168, 175, 176, 177, 179, 195, 199, 200, 201, 203, 205, 206, 207, 208, *range(210, 221),
]  # fmt: skip
"""Ids of Inferno's requirements for a CDS Hooks 2.0 service."""

GROUP_A = [*range(1, 19), 21, 22, 23, 24, 25]
GROUP_B = range(1, 26)
GROUP_F = range(3, 11)
GROUP_F_FILES = (
    "worker/test_queue_client.py",
    "worker/test_group_f_nothing_is_run.py",
    "cds_hooks/test_group_f_log_and_doors.py",
    "test_group_f_supply_chain.py",
    "test_group_f_containers.py",
    "training/test_group_f_training.py",
)

Table = dict[int, str]


@cache
def tables() -> tuple[Table, Table]:
    """Number -> how it is shown, for the points and for the rows."""
    points, rows = PAGE.read_text(encoding="utf-8").split("## ")[1:3]
    return _table(points), _table(rows)


def _table(text: str) -> Table:
    cells = re.findall(r"^\| (\d+) \| .*? \| ([^|]*) \|$", text, re.MULTILINE)
    assert len({number for number, _ in cells}) == len(cells), "a number twice"
    return {int(number): shown for number, shown in cells}


@cache
def names_in(path: str) -> frozenset[str]:
    file = TESTS / path
    assert file.is_file(), f"{path} does not exist"
    return frozenset(re.findall(r"^def (test_\w+)\(", file.read_text(encoding="utf-8"), re.MULTILINE))


def test_there_are_120_rows() -> None:
    assert len(ROWS) == len(set(ROWS)) == 120


def test_every_point_is_there() -> None:
    assert sorted(tables()[0]) == list(POINTS)


def test_every_row_is_there() -> None:
    assert sorted(tables()[1]) == ROWS


@pytest.mark.parametrize("which", [0, 1], ids=["points", "rows"])
def test_each_has_a_test_or_a_reason(which: int) -> None:
    for number, shown in tables()[which].items():
        reason = re.sub(r"`[^`]*::[^`]*`", "", shown).strip()
        assert "::test_" in shown or len(reason) >= 15, f"{number} has neither"


def test_every_test_named_exists() -> None:
    named = re.findall(r"`([\w/]+\.py)::(test_\w+)`", PAGE.read_text(encoding="utf-8"))
    assert len(named) > 200
    for path, name in named:
        assert name in names_in(path), f"{path} has no {name}"


@pytest.mark.parametrize(
    ("path", "prefix", "numbers"),
    [
        ("cds_hooks/test_group_a_authentication.py", "a", GROUP_A),
        ("cds_hooks/test_key_sets.py", "a", [19, 20]),
        ("cds_hooks/test_group_b_request_body.py", "b", GROUP_B),
        ("cds_hooks/test_group_e_outbound.py", "e", [1, 2, 3, 4, 8, 9]),
        ("cds_hooks/test_group_e_faulty_servers.py", "e", [5, 6]),
        ("cds_hooks/test_group_e_bombs.py", "e", [7]),
        ("journey/test_nothing_is_written.py", "e", [10]),
    ],
)
def test_every_row_of_the_fault_matrix_has_its_test(path: str, prefix: str, numbers: list[int]) -> None:
    covered = {int(found[1]) for name in names_in(path) if (found := re.match(rf"test_{prefix}(\d\d)_", name))}
    assert covered >= set(numbers)


def test_rows_f3_to_f10_have_their_tests() -> None:
    names = {name for path in GROUP_F_FILES for name in names_in(path)}
    assert {int(found[1]) for name in names if (found := re.match(r"test_f(\d\d)_", name))} >= set(GROUP_F)
