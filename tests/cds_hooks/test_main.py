"""`dxspan-serve` starts in about a second, small, and says clearly when it cannot."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from worker.local_redis import free_port

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("onnxruntime", "spacy", "torch", "transformers")


def environment(**variables: str) -> dict[str, str]:
    clean = {n: value for n, value in os.environ.items() if not n.startswith("DXSPAN_") or n.startswith("DXSPAN_AUDIT")}
    return clean | {"PYTHONPATH": str(ROOT), "DXSPAN_FEEDBACK_DATABASE_URL": "sqlite://"} | variables


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cds_hooks", *arguments]
    return subprocess.run(
        command, env=environment(**variables), capture_output=True, text=True, timeout=30, check=False
    )


@contextmanager
def running(*arguments: str, **variables: str) -> Iterator[tuple[str, subprocess.Popen[str], float]]:
    """The address of a started process, the process, and the seconds it took to answer."""
    port = free_port()
    command = [sys.executable, "-m", "cds_hooks", "--port", str(port), *arguments]
    begun = time.monotonic()
    process = subprocess.Popen(command, env=environment(**variables), stdout=subprocess.PIPE, text=True)
    url = f"http://127.0.0.1:{port}"
    try:
        while True:
            assert process.poll() is None
            try:
                httpx.get(f"{url}/healthz", trust_env=False)
                break
            except httpx.TransportError:
                assert time.monotonic() - begun < 20
                time.sleep(0.02)
        yield url, process, time.monotonic() - begun
    finally:
        process.terminate()
        process.wait(15)


def test_it_serves_a_developer_with_nothing_configured() -> None:
    with running() as (url, process, seconds):
        assert httpx.get(f"{url}/cds-services", trust_env=False).status_code == 200
        assert seconds < 6, "about a second on a quiet machine; this one is shared"
        process.terminate()
        lines = [json.loads(line) for line in process.communicate(timeout=15)[0].splitlines()]
    assert any("tokens are not checked" in line["event"] for line in lines)
    assert any("the audit trail leaves out patient and user" in line["event"] for line in lines)
    assert [line["status"] for line in lines if line["event"] == "request"][-1] == 200
    assert all({"time", "level", "event"} <= line.keys() for line in lines)


def test_the_web_process_imports_nothing_heavy() -> None:
    script = (
        "import sys; from cds_hooks.app import create_app; from cds_hooks.settings import Settings\n"
        "import cds_hooks.__main__\n"
        "class Client: pass\n"
        "create_app(Settings(development=True), Client())\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment(), capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads memory from /proc")
def test_importing_the_app_takes_about_a_second() -> None:
    begun = time.monotonic()
    subprocess.run([sys.executable, "-c", "import cds_hooks.app"], env=environment(), check=True, timeout=60)
    assert time.monotonic() - begun < 5, "half a second on a quiet machine"


def test_an_open_address_needs_trust_to_be_configured() -> None:
    done = run("--host", "0.0.0.0")
    assert done.returncode == 2
    assert "trusted_issuers is empty" in done.stderr
    assert "Traceback" not in done.stderr


def test_wrong_settings_are_named_without_their_values() -> None:
    done = run(DXSPAN_DEADLINE_MS="canary", DXSPAN_DEVELOPMENT="true")
    assert done.returncode == 2
    assert "DXSPAN_DEADLINE_MS" in done.stderr
    assert "canary" not in done.stderr
    broken = run(DXSPAN_TRUSTED_ISSUERS="{canary")
    assert broken.returncode == 2
    assert "trusted_issuers" in broken.stderr
    assert "canary" not in broken.stderr


def test_a_queue_without_its_key_is_named() -> None:
    done = run(DXSPAN_REDIS_URL="redis://127.0.0.1:1/0")
    assert done.returncode == 2
    assert "DXSPAN_QUEUE_KEY" in done.stderr


def test_a_feedback_store_that_cannot_be_opened_is_named_and_keeps_nobody_from_reading() -> None:
    with running(DXSPAN_FEEDBACK_DATABASE_URL="sqlite:////proc/canary/x.db") as (url, process, _):
        item = {"card": str(UUID(int=7)), "outcome": "overridden", "outcomeTimestamp": "2026-11-20T10:05:31Z"}
        address = f"{url}/cds-services/dxspan-patient-view/feedback"
        answer = httpx.post(address, json={"feedback": [item]}, trust_env=False, timeout=20)
        assert answer.status_code == 503
        assert httpx.get(f"{url}/cds-services", trust_env=False).status_code == 200
        process.terminate()
        written = process.communicate(timeout=15)[0]
    assert "DXSPAN_FEEDBACK_DATABASE_URL" in written
    assert "canary" not in written


def test_a_wrong_feedback_key_is_named() -> None:
    done = run(DXSPAN_FEEDBACK_KEY="canary")
    assert done.returncode == 2
    assert "DXSPAN_FEEDBACK_KEY" in done.stderr
    assert "canary" not in done.stderr


def test_a_wrong_audit_key_is_named() -> None:
    done = run(DXSPAN_AUDIT_KEY="canary")
    assert done.returncode == 2
    assert "DXSPAN_AUDIT_KEY" in done.stderr
    assert "canary" not in done.stderr


def test_it_stops_when_told_to() -> None:
    with running() as (_, process, _):
        process.terminate()
        process.communicate(timeout=15)
    assert process.returncode in (0, -15)
