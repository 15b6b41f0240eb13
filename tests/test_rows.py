"""The fault matrix is complete: each row has a test that names it, or a reason why not yet; and its page can be written."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.matrix import faults, page
from tests.rows import covering_tests, groups, open_rows, rows_of

ROOT = Path(__file__).parents[1]
SIZES = {"A": 25, "B": 25, "C": 21, "D": 15, "E": 14, "F": 10, "G": 17}


def all_rows() -> list[str]:
    return [row.id for group in groups() for row in group.rows]


def test_every_row_of_the_matrix_is_there() -> None:
    assert {group.letter: len(group.rows) for group in groups()} == SIZES
    assert all_rows() == [f"{letter}{number}" for letter, size in SIZES.items() for number in range(1, size + 1)]


def test_every_row_has_a_test_or_is_open_with_a_reason() -> None:
    missing = [row for row in all_rows() if row not in covering_tests() and len(open_rows().get(row, "")) < 10]
    assert not missing, f"no test names {missing}: write one, or give a reason in tests/open_rows.yaml"


def test_an_open_row_has_no_test() -> None:
    closed = [row for row in open_rows() if row in covering_tests()]
    assert not closed, f"tests name {closed}: take these lines out of tests/open_rows.yaml"


def test_no_test_names_a_row_that_is_not_there() -> None:
    assert set(covering_tests()) <= set(all_rows())


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("test_a07_x", ["A7"]), ("test_g17_x", ["G17"]), ("test_c3_d2_x", ["C3", "D2"]), ("test_a_b", []),
        ("test_h1_x", []), ("test_a1", []), ("test_x_a1_y", []),
    ],
)  # fmt: skip
def test_a_test_says_its_rows_by_its_name(name: str, rows: list[str]) -> None:
    assert rows_of(name) == rows


def test_the_page_has_every_row() -> None:
    written = (ROOT / "docs" / "security" / "matrix.md").read_text(encoding="utf-8")
    missing = [row for row in all_rows() if f"| {row} | " not in written]
    assert not missing, "run `make matrix`"


def test_a_run_is_written_by_row_and_a_failure_never_looks_like_a_pass(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "from tests.row_report import add_option as pytest_addoption, register as pytest_configure\n"
    )
    (tmp_path / "test_x.py").write_text(
        "import pytest\n"
        "@pytest.mark.parametrize('n', [1, 2])\ndef test_a01_x(n): assert n == 1\n"
        "def test_a02_x(): pytest.skip('not here')\n"
        "def test_a03_x(no_such_fixture): pass\n"
        "def test_a04_x(): pass\n"
        "def test_other(): assert 0\n"
    )
    rows = tmp_path / "rows.json"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rows",
        rows,
        "--rootdir",
        tmp_path,
        tmp_path,
    ]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    assert json.loads(rows.read_text()) == {
        "test_x.py::test_a01_x": {"passed": 1, "failed": 1, "skipped": 0},
        "test_x.py::test_a02_x": {"passed": 0, "failed": 0, "skipped": 1},
        "test_x.py::test_a03_x": {"passed": 0, "failed": 1, "skipped": 0},
        "test_x.py::test_a04_x": {"passed": 1, "failed": 0, "skipped": 0},
    }


def test_a_page_says_what_failed_was_skipped_or_not_run() -> None:
    tests = covering_tests()
    counts = {test: {"passed": 1, "failed": 0, "skipped": 0} for of_row in tests.values() for test in of_row}
    assert faults(counts) == []
    assert "**not run**" not in page(counts)
    counts[tests["A1"][0]] = {"passed": 3, "failed": 1, "skipped": 0}
    counts[tests["A3"][0]] = {"passed": 0, "failed": 0, "skipped": 1}
    del counts[tests["A4"][0]]
    lines = {line.split(" | ")[0]: line for line in page(counts).splitlines()}
    assert [lines[f"| {row}"].rsplit("| ", 2)[-1].strip(" |") for row in ("A1", "A3", "A4", "A5")] == [
        "**failed**", "skipped", "**not run**", "passed",
    ]  # fmt: skip
    assert len(faults(counts)) == 3
