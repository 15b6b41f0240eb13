"""The worker's Celery app: the broker's settings, those of a worker, and its tasks.

Knows Celery's settings and why each is as it is. Does not know what a task does (tasks).
"""

from __future__ import annotations

from celery import Celery

from worker.broker import broker_app
from worker.loaded_model import LoadedModel, LoadReader, bundle_reader
from worker.redis_connection import blocking_redis
from worker.sentence_memory import MarkedReadings, SentenceMemory
from worker.settings import WorkerSettings
from worker.shared_sentences import SHARED_SECONDS, RedisSentences
from worker.tasks import register_tasks


def create_celery_app(settings: WorkerSettings, load_reader: LoadReader | None = None) -> Celery:
    """The worker's app with its tasks. `load_reader` replaces loading from the bundle of the settings."""
    app = broker_app(settings)
    app.conf.update(
        worker_prefetch_multiplier=1,  # a chart waits in Redis, where any worker can take it, not in a busy worker
        worker_enable_remote_control=False,  # no pub/sub inbox: whoever reaches Redis cannot command workers
        worker_send_task_events=settings.task_events,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_pool=settings.worker_pool,
        worker_concurrency=settings.worker_concurrency,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_proc_alive_timeout=60,  # a child of `prefork` loads the model before it reports
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,  # a worker outlives any outage of Redis
    )
    memory = _memory(settings)
    model = LoadedModel(load_reader or bundle_reader(settings.bundle_path, memory))
    register_tasks(app, settings, model, memory)
    return app


def _memory(settings: WorkerSettings) -> SentenceMemory:
    """Of this worker, before what all of them share."""
    sealer, seconds = settings.sealer, settings.sentence_seconds
    shared: RedisSentences | None = None
    if settings.sentence_mib and settings.sentence_redis_mib:
        client = blocking_redis(settings, seconds=SHARED_SECONDS)
        shared = RedisSentences(client, sealer, most_bytes=settings.sentence_redis_mib * 2**20, seconds=seconds)
    return SentenceMemory(MarkedReadings(settings.sentence_mib * 2**20, seconds), sealer=sealer, shared=shared)
