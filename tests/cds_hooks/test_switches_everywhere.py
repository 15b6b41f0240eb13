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

from cds_hooks.switch_command import main
from tests.cds_hooks.spelled_out import Answer, Ehr, eventually
from tests.cds_hooks.test_main import ROOT, environment
from worker.local_redis import free_port

NOTE = "influenza: high fever, body aches\ngout: red toe"


@contextmanager
def process(**variables: str) -> Iterator[Ehr]:
    """A web process that is starting."""
    port = free_port()
    running = subprocess.Popen(
        [sys.executable, "-m", "tests.cds_hooks.spelled_out", str(port)],
        env=environment(DXSPAN_DEVELOPMENT="true", DXSPAN_REPEAT_SECONDS="3600", **variables),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield Ehr(f"http://127.0.0.1:{port}")
    finally:
        running.terminate()
        running.wait(15)


def switches_of(ehr: Ehr) -> str | None:
    """What its readiness says of the switches; None where it does not serve yet."""
    try:
        answer = ehr.http.get("/readyz")
    except httpx.TransportError:
        return None
    return str(answer.json()["switches"]) if answer.status_code == 200 else None


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Path, Ehr, Ehr]]:
    """A switches file, and two web processes that follow it."""
    path = tmp_path / "switches.yaml"
    path.write_text("switches: []\n")
    with ExitStack() as stack:
        first, second = (
            stack.enter_context(
                process(
                    DXSPAN_SWITCHES_FILE=str(path),
                    DXSPAN_FEEDBACK_DATABASE_URL=f"sqlite:///{tmp_path}/{name}.db",
                )
            )
            for name in ("first", "second")
        )
        for ehr in (first, second):
            eventually(lambda ehr=ehr: switches_of(ehr) == "followed", seconds=60)
        yield path, first, second


def opened(ehr: Ehr, instance: str, user: str) -> Answer:
    return ehr.opens(NOTE, instance=instance, user=user)


def test_a_diagnosis_switched_off_is_gone_from_kept_answers_in_both_processes(two: tuple[Path, Ehr, Ehr]) -> None:
    path, first, second = two
    calls = [(ehr, str(uuid.uuid4()), f"doc-{number}") for number, ehr in enumerate((first, second))]
    kept = [opened(*one) for one in calls]
    assert [answer.names for answer in kept] == [["influenza", "gout"]] * 2
    assert [opened(*one).content for one in calls] == [answer.content for answer in kept], "kept"
    switch = ["--file", str(path), "off", "--diagnosis", "gout", "--reason", "recall", "--unchecked"]
    assert main(switch) == 0
    begun = time.monotonic()
    while any("gout" in str(opened(*one).cards) for one in calls):
        assert time.monotonic() - begun < 60
        time.sleep(0.2)
    path.write_text("")  # what a full disk leaves
    for ehr in (first, second):
        eventually(lambda ehr=ehr: switches_of(ehr) == "file-faulty", seconds=30)
    for ehr, instance, user in calls:
        assert "gout" not in str(opened(ehr, instance, user).cards)
        another = opened(ehr, str(uuid.uuid4()), f"{user}-too")
        assert another.names == ["influenza"]
        assert "gout" not in str(another.cards)
