"""The watch tells once when workers fall silent, and once when they are back."""

from __future__ import annotations

import asyncio
import logging

import pytest
from prometheus_client import REGISTRY

from tests.worker.conftest import Queue, ask
from worker.canary_watch import watch_workers
from worker.queue_client import QueueClient


def test_g09_silence_is_told_once_and_its_end_too(own_queue: Queue, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)

    async def silence_and_end(client: QueueClient) -> float | None:
        watch = asyncio.ensure_future(watch_workers(client, every=0.05, lost_after=0.1))
        await asyncio.sleep(0.5)
        lost = REGISTRY.get_sample_value("dxspan_canary_seconds")
        await asyncio.to_thread(own_queue.start_worker)
        while "workers take tasks again" not in caplog.text:
            await asyncio.sleep(0.02)
        watch.cancel()
        return lost

    assert ask(own_queue.settings(), silence_and_end) == float("inf")
    assert caplog.text.count("no worker takes tasks") == 1
    assert REGISTRY.get_sample_value("dxspan_canary_seconds") != float("inf")
