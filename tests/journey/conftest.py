"""A real `dxspan-serve` on a free port, reading with the shipped model."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

import httpx
import pytest

from worker.local_redis import LocalRedis, ensure_server, free_port
from worker.payloads import new_queue_key

START_SECONDS = 60


@contextmanager
def running(arguments: list[str], environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A child process of this Python, stopped at the end."""
    child = subprocess.Popen(
        [sys.executable, *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield child
    finally:
        child.terminate()
        with suppress(subprocess.TimeoutExpired):
            child.wait(10)
        child.kill()
        child.wait()


@contextmanager
def served(environment: Mapping[str, str]) -> Iterator[httpx.Client]:
    """The web process, ready to read; a client for its base address."""
    port = free_port()
    settings = {
        "DXSPAN_DEADLINE_MS": "20000",
        "DXSPAN_FEEDBACK_DATABASE_URL": "sqlite://",
        "DXSPAN_RECORD_SUMMARY": "true",
    } | dict(environment)
    with (
        running(["-m", "cds_hooks", "--port", str(port), "--development"], settings),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client,
    ):
        until = time.monotonic() + START_SECONDS
        while True:
            with suppress(httpx.HTTPError):
                if client.get("/readyz").status_code == 200:
                    break
            if time.monotonic() > until:
                raise RuntimeError("dxspan-serve did not become ready")
            time.sleep(0.05)
        yield client


@pytest.fixture(scope="package")
def in_process() -> Iterator[httpx.Client]:
    """Reading inside the web process."""
    with served({}) as client:
        yield client


@pytest.fixture(scope="package")
def through_queue() -> Iterator[httpx.Client]:
    """Reading in a worker, through a real Redis."""
    with LocalRedis(ensure_server()) as redis:
        queue = {"DXSPAN_REDIS_URL": redis.url, "DXSPAN_QUEUE_KEY": new_queue_key()}
        with running(["-m", "worker"], queue), served(queue) as client:
            check = [sys.executable, "-m", "worker", "--check"]
            until = time.monotonic() + START_SECONDS
            while subprocess.run(check, env={**os.environ, **queue}, capture_output=True).returncode:
                assert time.monotonic() < until, "the worker did not take a task"
            yield client
