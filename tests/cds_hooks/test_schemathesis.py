"""Calls made up from our own OpenAPI document: no server error, no status that the document does not name.

How many is the profile's decision, as for Hypothesis (HYPOTHESIS_PROFILE): a few in CI, thousands in `make fuzz`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cds_hooks.conftest import Served

DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
EXAMPLES = "2000" if DEEP else "60"
"""Per operation."""
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


@pytest.mark.timeout(3600 if DEEP else 300)
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
    if DEEP:
        print(run.stdout[-2000:])  # its own count of cases
