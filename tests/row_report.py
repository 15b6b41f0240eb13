"""`pytest --rows FILE`: writes what became of each test that names a row of the fault matrix.

Output: JSON, `{"tests/x.py::test_a07_y": {"passed": 2, "failed": 0, "skipped": 0}}`; the cases of a parametrised test are
counted together. Knows names and outcomes; the page is matrix.py's.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest

from tests.rows import rows_of

OUTCOMES = ("passed", "failed", "skipped")


class RowReport:
    """Counts outcomes while the tests run."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._counts: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(OUTCOMES, 0))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A case counts once: by its call, or by what kept it from being called or from ending well."""
        test = report.nodeid.partition("[")[0]
        name = test.rpartition("::")[2]
        if rows_of(name) and (report.when == "call" or report.outcome != "passed"):
            self._counts[test][report.outcome] += 1

    def pytest_sessionfinish(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(json.dumps(self._counts, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def add_option(parser: pytest.Parser) -> None:
    parser.addoption("--rows", type=Path, metavar="FILE", help="write outcomes by row of the fault matrix (JSON)")


def register(config: pytest.Config) -> None:
    """Begin counting where `--rows` is given."""
    file = config.getoption("--rows")
    if file and not hasattr(config, "workerinput"):  # processes of pytest-xdist tell theirs to the first one
        config.pluginmanager.register(RowReport(file), "row-report")
