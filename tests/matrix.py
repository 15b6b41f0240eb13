"""Writes docs/security/matrix.md: `python -m tests.matrix --from var/rows.json --write docs/security/matrix.md`.

Input: what `pytest --rows var/rows.json` wrote. Output: every row of the fault matrix with its tests and what became of
them in that run; a row without a test says why. Exits with 1 when a test of a row failed or was not run.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.rows import Group, Row, covering_tests, groups, open_rows

Counts = Mapping[str, Mapping[str, int]]

INTRODUCTION = """# The fault matrix

Bad input and faults, what each gets, and the tests that show it. Written by `make matrix` from a run of the tests: a
test names the rows it covers (`test_a07_…`), rows are kept in `tests/rows.yaml`, what is still open in
`tests/open_rows.yaml`. "(3)" is a test with three cases. A row counts when a test
names it; whether its tests show the whole of the row is for their reader to judge.
"""


def page(counts: Counts) -> str:
    """The whole page for one run's outcomes."""
    found, still_open = covering_tests(), open_rows()
    lines = [INTRODUCTION, *_overview(groups(), found, counts)]
    for group in groups():
        lines += [
            "",
            f"## {group.letter}. {group.title}",
            "",
            "| row | comes in | gets | tests | result |",
            "|---|---|---|---|---|",
        ]
        lines += [_line(row, found.get(row.id, []), counts, still_open.get(row.id, "")) for row in group.rows]
    return "\n".join(lines) + "\n"


def faults(counts: Counts) -> list[str]:
    """Tests of rows that failed, were skipped or not run."""
    tests = sorted({test for tests in covering_tests().values() for test in tests})
    return [f"{test}: {_result([test], counts)}" for test in tests if _result([test], counts) != "passed"]


def _overview(all_groups: Sequence[Group], found: Mapping[str, list[str]], counts: Counts) -> list[str]:
    lines = ["| group | rows | with tests | passed | open |", "|---|---:|---:|---:|---:|"]
    totals = [0, 0, 0]
    for group in all_groups:
        named = [found[row.id] for row in group.rows if row.id in found]
        passed = sum(_result(tests, counts) == "passed" for tests in named)
        numbers = [len(group.rows), len(named), passed]
        totals = [total + number for total, number in zip(totals, numbers, strict=True)]
        lines.append(_numbers(f"{group.letter}. {group.title}", numbers))
    return [*lines, _numbers("all", totals)]


def _numbers(title: str, numbers: Sequence[int]) -> str:
    rows, named, passed = numbers
    return f"| {title} | {rows} | {named} | {passed} | {rows - named} |"


def _line(row: Row, tests: Sequence[str], counts: Counts, reason: str) -> str:
    shown = "<br>".join(_shown(test, counts) for test in tests) or f"– {reason}"
    cells = (row.id, row.given, row.expected, shown, _result(tests, counts) if tests else "open")
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _shown(test: str, counts: Counts) -> str:
    cases = sum(counts.get(test, {}).values())
    return f"`{test.removeprefix('tests/')}`" + (f" ({cases})" if cases > 1 else "")


def _result(tests: Sequence[str], counts: Counts) -> str:
    """The worst that became of them."""
    ran = [counts.get(test, {}) for test in tests]
    if any(one.get("failed") for one in ran):
        return "**failed**"
    if not all(sum(one.values()) for one in ran):
        return "**not run**"
    return "skipped" if any(not one.get("passed") for one in ran) else "passed"


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when every test of a row passed."""
    parser = argparse.ArgumentParser(prog="python -m tests.matrix", description="Write the fault matrix's page.")
    parser.add_argument("--from", dest="source", type=Path, required=True, help="what `pytest --rows` wrote")
    parser.add_argument("--write", type=Path, required=True, help="the page")
    options = parser.parse_args(arguments)
    counts: Counts = json.loads(options.source.read_text(encoding="utf-8"))
    options.write.parent.mkdir(parents=True, exist_ok=True)
    options.write.write_text(page(counts), encoding="utf-8")
    for fault in faults(counts):
        print(fault, file=sys.stderr)
    return 1 if faults(counts) else 0


if __name__ == "__main__":
    sys.exit(main())
