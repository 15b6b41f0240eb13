"""Calls made up from our own OpenAPI document: no server error, no status that the document does not name.

A few of each route; `python -m tests.fuzz.calls` makes thousands.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cds_hooks.conftest import Served
from tests.fuzz.calls import CHECKS

EXAMPLES = "60"
"""Per operation."""


@pytest.mark.timeout(300)
def test_made_up_calls_meet_no_server_error_and_no_undocumented_status(web: Served, tmp_path: Path):
    limits = ["--checks", CHECKS, "--max-examples", EXAMPLES, "--seed", "7"]
    run = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "run", f"{web.url}/openapi.json", *limits],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert run.returncode == 0, (run.stdout + run.stderr)[-4000:]
