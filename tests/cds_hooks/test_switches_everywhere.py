"""A switch works in every web process within 60 s, and no kept answer shows again what is off: two real processes."""

from __future__ import annotations

import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.cds_hooks.spelled_out import Answer, Ehr
from tests.cds_hooks.test_main import ROOT, environment
from worker.local_redis import free_port

NOTE = "influenza: high fever, body aches\ngout: red toe"


@contextmanager
def process(**variables: str) -> Iterator[Ehr]:
    port = free_port()
    command = [sys.executable, "-m", "tests.cds_hooks.spelled_out", str(port)]
    running = subprocess.Popen(
        command,
        env=environment(DXSPAN_DEVELOPMENT="true", **variables),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url, until = f"http://127.0.0.1:{port}", time.monotonic() + 60
        while True:
            assert running.poll() is None
            assert time.monotonic() < until
            try:
                if httpx.get(f"{url}/readyz", trust_env=False).status_code == 200:
                    break
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        yield Ehr(url)
    finally:
        running.terminate()
        running.wait(15)


def switch(path: Path, *words: str) -> None:
    command = [sys.executable, "-m", "cds_hooks.switch_command", *words]
    variables = environment(DXSPAN_SWITCHES_FILE=str(path))
    subprocess.run(command, env=variables, cwd=ROOT, check=True, timeout=60, capture_output=True)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Path, Ehr, Ehr]]:
    """A switches file, and two web processes that follow it."""
    path = tmp_path / "switches.yaml"
    switch(path, "off", "--tenant", "another", "--reason", "r")
    with ExitStack() as stack:
        first, second = (
            stack.enter_context(
                process(
                    DXSPAN_SWITCHES_FILE=str(path),
                    DXSPAN_REPEAT_SECONDS="3600",
                    DXSPAN_FEEDBACK_DATABASE_URL=f"sqlite:///{tmp_path}/{name}.db",
                )
            )
            for name in ("first", "second")
        )
        yield path, first, second


def opened(ehr: Ehr, instance: str, user: str) -> Answer:
    return ehr.opens(NOTE, instance=instance, user=user)


def test_a_diagnosis_switched_off_is_gone_from_kept_answers_in_both_processes(two: tuple[Path, Ehr, Ehr]) -> None:
    path, first, second = two
    calls = [(ehr, str(uuid.uuid4()), f"doc-{number}") for number, ehr in enumerate((first, second))]
    kept = [opened(*one) for one in calls]
    assert [answer.names for answer in kept] == [["influenza", "gout"]] * 2
    assert [opened(*one).content for one in calls] == [answer.content for answer in kept], "kept"
    switch(path, "off", "--diagnosis", "gout", "--reason", "recall", "--unchecked")
    begun = time.monotonic()
    while any("gout" in str(opened(*one).cards) for one in calls):
        assert time.monotonic() - begun < 60
        time.sleep(0.2)
    path.write_text("")  # what a full disk leaves
    time.sleep(5)
    for one in calls:
        answer = opened(*one)
        assert answer.names == ["influenza"]
        assert "gout" not in str(answer.cards)
        assert one[0].http.get("/readyz").json()["switches"] == "file-faulty"
