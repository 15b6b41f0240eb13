"""The worker's app: its tasks and nothing a stranger could command."""

from __future__ import annotations

import pytest

from tests.worker.conftest import Queue
from tests.worker.plain_reader import PlainReader
from worker.app import create_celery_app
from worker.messages import CANARY_TASK, QUESTION_TASK, READ_TASK


def test_it_has_our_tasks_and_celerys_own(queue: Queue) -> None:
    app = create_celery_app(queue.settings(), PlainReader)
    app.finalize()
    assert {name for name in app.tasks if not name.startswith("celery.")} == {READ_TASK, QUESTION_TASK, CANARY_TASK}


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("worker_prefetch_multiplier", 1),
        ("worker_enable_remote_control", False),
        ("worker_send_task_events", False),
        ("broker_connection_max_retries", None),
    ],
)
def test_settings_of_the_worker(queue: Queue, setting: str, value: object) -> None:
    assert create_celery_app(queue.settings(), PlainReader).conf[setting] == value


def test_nothing_is_loaded_when_the_app_is_built(queue: Queue) -> None:
    def load() -> PlainReader:
        raise AssertionError("loaded too early")

    create_celery_app(queue.settings(), load)
