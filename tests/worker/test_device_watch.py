"""G11: a worker whose GPU is lost answers the chart at hand and ends, to be replaced."""

from __future__ import annotations

from prometheus_client import REGISTRY

from nlp_core.device_faults import DeviceHealth
from tests.worker.conftest import Queue, chart_of, read, wait_for
from tests.worker.plain_reader import PlainReader
from worker.device_watch import DEVICE_LOST, DeviceWatch


def test_g11_a_worker_whose_gpu_is_lost_answers_and_ends(own_queue: Queue) -> None:
    worker = own_queue.start_worker()
    assert read(own_queue.settings(), chart_of("loses its GPU")).assessment is not None
    assert worker.process.wait(10) == DEVICE_LOST
    assert "the GPU is lost" in worker.log
    with own_queue.redis() as redis:
        assert redis.hlen("dxspan:unacked") == 0, "nothing is read twice for it"


def test_g11_a_child_of_prefork_whose_gpu_is_lost_is_replaced(own_queue: Queue) -> None:
    worker = own_queue.start_worker(DXSPAN_WORKER_POOL="prefork")
    assert read(own_queue.settings(), chart_of("loses its GPU")).assessment is not None
    wait_for(lambda: read(own_queue.settings(), chart_of("next"), seconds=1).assessment is not None, seconds=15)
    assert worker.process.poll() is None


def test_g10_faults_are_counted_and_memory_ends_no_worker() -> None:
    ended: list[bool] = []
    watch, reader = DeviceWatch(lambda: ended.append(True)), PlainReader()
    reader.device = DeviceHealth()
    reader.device.faults["memory"] += 3
    watch.look(reader)
    assert REGISTRY.get_sample_value("dxspan_device_faults", {"fault": "memory"}) == 3
    assert not ended
    reader.device.faults["lost"] += 1
    watch.look(reader)
    watch.look(reader)
    assert ended == [True]
