"""Calls made up from our own OpenAPI document: no server error, no status that the document does not name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cds_hooks.conftest import Served

EXAMPLES = "60"
"""Per operation; `make fuzz` runs 2,000."""
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


@pytest.mark.timeout(300)
def test_made_up_calls_meet_no_server_error_and_no_undocumented_status(web: Served, tmp_path: Path):
    program = Path(sys.executable).with_name("schemathesis")
    run = subprocess.run(
        [program, "run", f"{web.url}/openapi.json", "--checks", CHECKS, "--max-examples", EXAMPLES, "--seed", "7"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-4000:]
