"""Celery as both ends of the queue configure it, and how a task is sent.

Knows the broker's settings and why each is as it is. Does not know what a task does, so that the web process, which
only sends, loads nothing of it.
"""

from __future__ import annotations

from typing import Any

from celery import Celery
from kombu.entity import Exchange, Queue
from kombu.messaging import Producer

from worker.messages import FRESH_QUEUE, KEY_PREFIX, LATER_QUEUE, Message
from worker.redis_connection import WORKER_SECONDS, kombu_tls
from worker.settings import QueueSettings
from worker.tracing import carried

VISIBILITY_SECONDS = 30
"""A task whose worker died comes back after this long (and up to RESTORE_SECONDS more). Longer than any reading."""
RESTORE_SECONDS = 5


def broker_app(settings: QueueSettings) -> Celery:
    """What both ends have in common; no wait for Redis takes longer than WORKER_SECONDS."""
    app = Celery("dxspan", set_as_current=False)
    app.conf.update(
        broker_url=settings.redis_url.get_secret_value(),
        broker_use_ssl=kombu_tls(settings),
        broker_transport="worker.guarded_transport:Transport",
        broker_connection_timeout=WORKER_SECONDS,
        broker_transport_options=_transport_options(),
        result_backend=None,  # replies go by their own sealed list; nothing is kept a day as Celery would
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        task_serializer="json",
        result_serializer="json",
        accept_content=["json"],  # pickle and YAML are refused, not run
        task_acks_late=True,  # a killed worker's task is not lost
        task_reject_on_worker_lost=True,
        task_queues=[celery_queue(FRESH_QUEUE), celery_queue(LATER_QUEUE)],
        task_default_queue=FRESH_QUEUE,
        task_create_missing_queues=False,
        task_send_sent_event=settings.task_events,
        enable_utc=True,
    )
    return app


def send(app: Celery, task: str, message: Message, *, queue: str, producer: Producer | None = None) -> None:
    """Publish one task by `producer`, or by the app's own, which blocks and raises kombu's and redis-py's errors."""
    app.send_task(
        task,
        args=[message.model_dump()],
        task_id=message.reading,
        queue=queue,
        producer=producer,
        ignore_result=True,
        argsrepr="<ref>",  # Celery writes the arguments' repr into the message in clear, and logs it
        kwargsrepr="{}",
        headers=carried(),
    )


def celery_queue(name: str) -> Queue:
    """A queue as both ends declare it."""
    exchange = Exchange(name, type="direct")  # type: ignore[no-untyped-call]  # kombu is typed in part
    return Queue(name, exchange, routing_key=name)  # type: ignore[no-untyped-call]  # kombu is typed in part


def _transport_options() -> dict[str, Any]:
    return {
        "global_keyprefix": KEY_PREFIX,
        "queue_order_strategy": "priority",  # fresh charts before those that nobody waits for
        "priority_steps": [0],
        "socket_timeout": WORKER_SECONDS,
        "socket_connect_timeout": WORKER_SECONDS,
        "socket_keepalive": True,
        "health_check_interval": 10,
        "visibility_timeout": VISIBILITY_SECONDS,
        "unacked_restore_interval": RESTORE_SECONDS,
        "unacked_restore_throttle": 1,
        "unacked_mutex_expire": 10,
    }
