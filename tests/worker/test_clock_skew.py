"""G17: clocks two minutes apart. No task is taken for abandoned, none for late, and the difference can be seen."""

from __future__ import annotations

import asyncio
import time

import pytest
from prometheus_client import REGISTRY

from tests.worker.conftest import Queue, ask, chart_of
from worker.broker import broker_app
from worker.client import Reading
from worker.queue_client import QueueClient


@pytest.mark.parametrize("ahead", [120, -120])
def test_g17_a_worker_two_minutes_off_takes_no_task_from_another_and_reads_its_own(
    own_queue: Queue, tmp_path: object, ahead: int
) -> None:
    """Each worker looks for abandoned tasks when it starts: this one starts while the other reads."""
    own_queue.start_worker()
    marks = f"{tmp_path}/marks"

    async def start_the_other_meanwhile(client: QueueClient) -> tuple[Reading, Reading]:
        slow = asyncio.ensure_future(
            client.read(chart_of(f"touches {marks} takes 3500 ms"), tenant="north", deadline=time.monotonic() + 6)
        )
        await asyncio.to_thread(own_queue.start_worker, PLAIN_CLOCK_AHEAD=str(ahead))
        await asyncio.sleep(1)
        quick = await client.read(chart_of("quick"), tenant="north", deadline=time.monotonic() + 3)
        return await slow, quick

    slow, quick = ask(own_queue.settings(), start_the_other_meanwhile)
    assert slow.assessment is not None
    assert quick.assessment is not None
    with open(marks) as file:
        assert file.read() == "x"


def test_g17_the_difference_of_clocks_is_told(own_queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    true_time = time.time
    monkeypatch.setattr(time, "time", lambda: true_time() + 120)
    with broker_app(own_queue.settings()).connection() as connection:
        visible_after = connection.default_channel.qos.visibility_timeout
    assert visible_after == pytest.approx(30 + 120, abs=1)
    assert REGISTRY.get_sample_value("dxspan_clock_skew_seconds") == pytest.approx(120, abs=1)
    ask(own_queue.settings(), lambda client: client.canary(seconds=0.1))
    assert REGISTRY.get_sample_value("dxspan_clock_skew_seconds") == pytest.approx(120, abs=1)
