"""The worker's Celery app: the broker's settings, those of a worker, and its tasks.

Knows Celery's settings and why each is as it is. Does not know what a task does (tasks).
"""

from __future__ import annotations

from celery import Celery

from worker.broker import broker_app
from worker.loaded_model import LoadedModel, LoadReader, bundle_reader
from worker.settings import WorkerSettings
from worker.tasks import register_tasks


def create_celery_app(settings: WorkerSettings, load_reader: LoadReader | None = None) -> Celery:
    """The worker's app with its tasks. `load_reader` replaces loading from the bundle of the settings."""
    app = broker_app(settings)
    app.conf.update(
        worker_prefetch_multiplier=1,  # a chart waits in Redis, where any worker can take it, not in a busy worker
        worker_enable_remote_control=False,  # no pub/sub inbox: whoever reaches Redis cannot command workers
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_pool=settings.worker_pool,
        worker_concurrency=settings.worker_concurrency,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_proc_alive_timeout=60,  # a child of `prefork` loads the model before it reports
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,  # a worker outlives any outage of Redis
    )
    register_tasks(app, settings, LoadedModel(load_reader or bundle_reader(settings.bundle_path)))
    return app
