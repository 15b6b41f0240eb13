"""A web process that is killed in the middle of calls loses no event of a call it had answered."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx

from tests.cds_hooks.audits import Audited
from tests.cds_hooks.charts import SERVICE, call
from worker.local_redis import free_port

ROOT = Path(__file__).resolve().parents[2]
CALLERS = 4


def start(trail: Audited) -> tuple[subprocess.Popen[bytes], str]:
    """A real web process with a plain reader, and its address."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "tests/cds_hooks/serve_plain.py", str(port)],
        cwd=ROOT,
        env=os.environ | trail.environment,
        stdout=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    until = time.monotonic() + 60
    while True:
        with suppress(httpx.TransportError):
            if httpx.get(f"{url}/readyz", trust_env=False).status_code == 200:
                return process, url
        if time.monotonic() > until or process.poll() is not None:
            process.kill()
            raise AssertionError("the web process did not start")
        time.sleep(0.02)


def call_until_it_dies(url: str, answered: list[str]) -> None:
    with httpx.Client(base_url=url, trust_env=False, timeout=10) as client, suppress(httpx.TransportError):
        while True:
            body = call()
            if client.post(SERVICE, json=body).status_code == 200:
                answered.append(body["hookInstance"])


def killed_in_the_middle(trail: Audited, happens: Callable[[], bool]) -> list[str]:
    """The hookInstances that were answered before SIGKILL, which comes soon after `happens()`."""
    process, url = start(trail)
    answered: list[str] = []
    with ThreadPoolExecutor(CALLERS) as pool:
        for _ in range(CALLERS):
            pool.submit(call_until_it_dies, url, answered)
        wait_until(lambda: len(answered) > CALLERS)
        wait_until(happens)
        time.sleep(0.1)
        process.send_signal(signal.SIGKILL)
        process.wait()
    return answered


def wait_until(happens: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not happens():
        assert time.monotonic() < until
        time.sleep(0.01)


def instances(trail: Audited) -> list[str]:
    return [
        entity["what"]["identifier"]["value"]
        for event in trail.events()
        for entity in event["entity"]
        if entity["type"]["code"] == "XrequestId"
    ]


def test_no_answered_call_is_without_its_event_after_kill_9(tmp_path: Path) -> None:
    trail = Audited(tmp_path)
    trail.database.mkdir()  # nothing opens a folder as a database: it is away
    answered = killed_in_the_middle(trail, lambda: True)
    left_behind = len(answered)
    trail.database.rmdir()
    answered += killed_in_the_middle(trail, lambda: trail.delivered() > left_behind)
    found = instances(trail)
    assert len(found) == len(set(found))
    assert set(answered) <= set(found)
    assert len(found) <= len(answered) + 2 * CALLERS, "what was under way may be there, and no more"
    assert trail.delivered() > left_behind, "the next process delivers what the killed one left"
    assert trail.run("verify") == 0
    assert len(list(trail.folder.iterdir())) == 1, "and goes on with its chain"
