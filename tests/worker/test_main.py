"""`dxspan-worker`: what it says when something is missing, its banner, its liveness probe, its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request

import pytest

from tests.worker.conftest import ROOT, Queue
from worker.__main__ import MISSING, check
from worker.local_redis import free_port
from worker.payloads import new_queue_key


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DXSPAN_")} | variables
    command = [sys.executable, "-m", "worker", *arguments]
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)


def test_missing_settings_are_named() -> None:
    ended = run()
    assert ended.returncode == MISSING
    assert "DXSPAN_REDIS_URL: Field required" in ended.stderr
    assert "DXSPAN_QUEUE_KEY: Field required" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_bad_key_is_named_and_not_repeated() -> None:
    ended = run(DXSPAN_REDIS_URL="redis://localhost", DXSPAN_QUEUE_KEY="hush-hush")
    assert ended.returncode == MISSING
    assert "DXSPAN_QUEUE_KEY" in ended.stderr
    assert "hush-hush" not in ended.stderr


def test_a_redis_that_does_not_answer_is_named_without_its_password() -> None:
    ended = run(DXSPAN_REDIS_URL=f"redis://:hush@127.0.0.1:{free_port()}/0", DXSPAN_QUEUE_KEY=new_queue_key())
    assert ended.returncode == MISSING
    assert "does not answer" in ended.stderr
    assert "hush" not in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_model_that_cannot_be_loaded_ends_the_worker(own_queue: Queue) -> None:
    ended = run(**own_queue.environment, DXSPAN_BUNDLE_PATH="/nowhere")
    assert ended.returncode == 1
    assert "the model could not be loaded" in ended.stderr


def test_the_banner_says_what_the_worker_does_and_no_secret(queue: Queue) -> None:
    log = queue.workers[0].log
    assert f"redis://127.0.0.1:{queue.server.port}/0" in log
    assert "pool solo of 1" in log
    assert queue.server.password not in log
    assert queue.key not in log


def test_the_probe_tells_a_living_worker_from_none(
    queue: Queue, own_queue: Queue, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = run("--check", **queue.environment)
    assert ended.returncode == 0
    assert "a worker answered" in ended.stdout
    assert check(own_queue.settings(), seconds=0.2) == 1
    assert "no worker took a task" in capsys.readouterr().out


def test_a_worker_told_to_stop_ends_well_and_a_wrong_option_is_refused(own_queue: Queue) -> None:
    worker = own_queue.start_worker()
    assert check(own_queue.settings(), seconds=5) == 0  # past its start, where a signal still has its usual effect
    worker.process.send_signal(signal.SIGTERM)
    assert worker.process.wait(10) == 0
    assert run("--fast").returncode == 2


def test_metrics_are_offered_on_loopback_where_asked_for(own_queue: Queue) -> None:
    port = free_port()
    own_queue.start_worker(DXSPAN_WORKER_METRICS_PORT=str(port))
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        assert b"dxspan_worker_tasks_total" in answer.read()
