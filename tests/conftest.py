"""What holds for every test: Hypothesis profiles, a time zone nobody expects, no silent skips in CI, a browser, and `--rows`."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, Page

from tests.browser import missing, open_browser, open_page
from tests.row_report import add_option as pytest_addoption  # noqa: F401  # hooks, found by their names
from tests.row_report import register as pytest_configure  # noqa: F401

settings.register_profile("default", deadline=None, max_examples=100)
settings.register_profile("ci", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("deep", deadline=None, max_examples=10_000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "default"))

# Nothing may depend on the machine's own time zone.
os.environ["TZ"] = "Asia/Kathmandu"
time.tzset()

# Every web process keeps an audit trail; those of tests are no developer's.
_audit = tempfile.TemporaryDirectory(prefix="dxspan-tests-", ignore_cleanup_errors=True)
os.environ["DXSPAN_AUDIT_FOLDER"] = f"{_audit.name}/audit"
os.environ["DXSPAN_AUDIT_DATABASE_URL"] = f"sqlite:///{_audit.name}/audit.db"

MAY_SKIP = (
    "../shared",
    "the evaluation texts are not beside the project",
    "the export is not beside the project",
    "this Redis server has no TLS",
    "no promtool",
    "engines run on a GPU",
)
"""Reasons that hold on some machines. In CI any other skip fails the run: a part that was not tested is not done."""
_skipped: list[str] = []


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for a file, not for the session: other files' tests run event loops of their own."""
    if missing():
        pytest.skip(missing())
    with open_browser() as opened:
        yield opened


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of its own for each test, 1280 pixels wide."""
    with open_page(browser) as opened:
        yield opened


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not any(allowed in reason for allowed in MAY_SKIP):
            _skipped.append(f"{report.nodeid}: {reason}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    if _skipped and os.environ.get("CI"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _skipped:
        terminalreporter.section("skipped without a reason that may be")
        for line in _skipped:
            terminalreporter.write_line(line)
