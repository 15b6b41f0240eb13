"""Both ends of the queue are configured as docs/queue.md says."""

from __future__ import annotations

import ssl

import pytest

from tests.worker.conftest import Queue
from worker.broker import VISIBILITY_SECONDS, broker_app
from worker.messages import FRESH_QUEUE, LATER_QUEUE
from worker.reading_budget import COMPLETE_SECONDS


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("accept_content", ["json"]),
        ("task_serializer", "json"),
        ("result_backend", None),
        ("task_ignore_result", True),
        ("task_acks_late", True),
        ("task_reject_on_worker_lost", True),
        ("broker_use_ssl", None),
    ],
)
def test_settings_of_celery(queue: Queue, setting: str, value: object) -> None:
    assert broker_app(queue.settings()).conf[setting] == value


def test_fresh_charts_come_before_those_that_nobody_waits_for(queue: Queue) -> None:
    conf = broker_app(queue.settings()).conf
    assert [entry.name for entry in conf.task_queues] == [FRESH_QUEUE, LATER_QUEUE]
    assert conf.broker_transport_options["queue_order_strategy"] == "priority"


def test_no_wait_for_redis_is_without_an_end(queue: Queue) -> None:
    options = broker_app(queue.settings()).conf.broker_transport_options
    assert options["socket_timeout"] == options["socket_connect_timeout"] == 5


def test_a_task_at_work_is_not_given_to_a_second_worker(queue: Queue) -> None:
    assert broker_app(queue.settings()).conf.broker_transport_options["visibility_timeout"] == VISIBILITY_SECONDS
    assert VISIBILITY_SECONDS > 2 * COMPLETE_SECONDS


def test_tls_is_checked_whenever_it_is_used(queue: Queue) -> None:
    tls = broker_app(queue.settings(redis_url="rediss://redis.example/0")).conf.broker_use_ssl
    assert tls["ssl_cert_reqs"] == ssl.CERT_REQUIRED
    assert tls["ssl_check_hostname"]
