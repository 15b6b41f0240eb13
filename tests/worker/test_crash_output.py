"""E10: a process that dies leaves neither an image of its memory nor an exception's text."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.journey.processes import ROOT, allow_core_files

SET_UP = {
    "worker": "from worker.json_log import set_up_log",
    "web": "from worker.json_log import set_up_log",
}
ENDS = {
    "uncaught": "raise ValueError(secret)",
    "in a thread": "import threading; t = threading.Thread(target=int, args=(secret,)); t.start(); t.join()",
    "while it is thrown away": "class Late:\n    def __del__(self): raise ValueError(secret)\nlate = Late(); del late",
    "a task nobody waits for": "import asyncio\n"
    "async def fail(): raise ValueError(secret)\n"
    "async def run():\n    task = asyncio.ensure_future(fail()); await asyncio.sleep(0.01); del task\n"
    "asyncio.run(run()); import gc; gc.collect()",
    "a callback": "import asyncio\n"
    "async def run(): asyncio.get_running_loop().call_soon(int, secret); await asyncio.sleep(0.01)\n"
    "asyncio.run(run())",
    "a warning": "import warnings; warnings.warn(f'got {secret}')",
    "aborted": "import os; os.abort()",
}


@pytest.mark.parametrize("process", SET_UP)
@pytest.mark.parametrize("end", ENDS)
def test_e10_a_process_that_dies_says_no_word_of_what_it_held(tmp_path: Path, process: str, end: str) -> None:
    program = (
        f"{SET_UP[process]}\nfrom worker.crash_output import keep_crashes_quiet\n"
        f"set_up_log(); keep_crashes_quiet(); secret = '-'.join(['Erika', 'Mustermann'])\n{ENDS[end]}\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=30,
        preexec_fn=allow_core_files,
        check=False,
    )
    said = ended.stdout + ended.stderr
    assert "Erika" not in said
    assert "Mustermann" not in said
    assert end == "aborted" or said, "that it died is said"
    assert not list(tmp_path.iterdir())
