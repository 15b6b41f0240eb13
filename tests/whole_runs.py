"""A command that starts processes of its own, run to its end: what all of them said, and none is left where it takes too long."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def said_by(command: Sequence[str], *, patience_seconds: float, environment: Mapping[str, str] | None = None) -> str:
    """In the repository's root. environment: besides this process's own. Fails where the command does."""
    running = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        said, _ = running.communicate(timeout=patience_seconds)
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
    assert running.returncode == 0, said
    return said
