"""What a worker does with a task: read a sealed chart and answer, or show that it is alive.

Knows the order of decisions for one chart: gone, already answered, poisonous, stale, cut short, read. Never raises, so
that Celery has nothing to log or to keep; every outcome is counted.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import redis
from celery import Celery, Task, signals
from pydantic import ValidationError

from nlp_core.assessment import Assessment
from nlp_core.chart import Chart
from worker.broker import send
from worker.chart_store import ChartStore
from worker.device_watch import DeviceWatch, end_of_worker
from worker.loaded_model import ChartReader, LoadedModel
from worker.messages import CANARY_TASK, LATER_QUEUE, QUESTION_TASK, READ_TASK, Canary, QuestionRequest, ReadRequest
from worker.payloads import CannotOpen
from worker.question_desk import QuestionDesk
from worker.reading_budget import COMPLETE_SECONDS, read_within, reading_seconds, says_something, worth_keeping
from worker.redis_connection import blocking_redis
from worker.sentence_memory import GaveWay, MarkedReadings, SentenceMemory
from worker.settings import WorkerSettings
from worker.tracing import Carrier, note, note_tenant, passed, span
from worker.watch import GAVE_WAY, QUEUE_WAIT_SECONDS, WORKER_READING_SECONDS, WORKER_TASKS

log = logging.getLogger(__name__)

FAR_TOO_LATE_SECONDS = 60.0
"""A chart picked up this long after its deadline is dropped; sooner, it is read when no fresh one waits."""
Request = TypeVar("Request", ReadRequest, QuestionRequest)
MOST_ATTEMPTS = 2
"""Readings of one chart that may fail or take their worker down; there is no third."""


class ReadingDesk:
    """Reads charts that requests ask for."""

    def __init__(
        self,
        store: ChartStore,
        model: LoadedModel,
        put_off: Callable[[ReadRequest], None],
        device: DeviceWatch | None = None,
        memory: SentenceMemory | None = None,
    ) -> None:
        """`put_off` sends a request to the queue of charts that nobody waits for. memory: the reader's, of sentences."""
        self._memory = memory or SentenceMemory(MarkedReadings(0, 0))
        self._device = device or DeviceWatch(lambda: None)
        self._store = store
        self._model = model
        self._put_off = put_off

    def warm_up(self) -> None:
        """Load the model and say which one it is. Raises what loading raises."""
        version = self._model.reader.model_version
        try:
            self._store.announce(version)
        except redis.RedisError as fault:
            log.warning("could not announce the model: %s", type(fault).__name__)

    def handle(self, request: ReadRequest) -> str:
        """Read one chart; returns the outcome in a word of `dxspan_worker_tasks_total`."""
        reader = self._model.reader
        try:
            picked = self._store.pick_up(request, reader.model_version)
        except CannotOpen:
            log.error("reading %s: cannot open the chart (queue key of web and worker equal?)", request.reading)
            self._store.refuse(request)
            return "unreadable"
        if picked is None:
            return "gone"
        QUEUE_WAIT_SECONDS.observe(picked.age_seconds)
        passed("queue wait", picked.age_seconds)
        if isinstance(picked.content, Assessment):
            self._store.answer(request, picked.content, cached=True)
            return "cached"
        if picked.attempts > MOST_ATTEMPTS:
            log.error("chart %s: quarantined after %d failed readings", request.chart_mark[:16], MOST_ATTEMPTS)
            self._store.quarantine(request)
            return "quarantined"
        return self._read_or_put_off(request, picked.content, picked.age_seconds, reader)

    def _read_or_put_off(self, request: ReadRequest, chart: Chart, age_seconds: float, reader: ChartReader) -> str:
        if not request.wait_ms:
            return self._read(request, chart, reader, COMPLETE_SECONDS)
        left = request.wait_ms / 1000 - age_seconds
        if left < -FAR_TOO_LATE_SECONDS:
            self._store.drop(request)
            return "stale"
        if reading_seconds(left) <= 0:
            self._store.uncount(request)
            self._put_off(_nobody_waits(request))
            return "later"
        return self._read(request, chart, reader, reading_seconds(left))

    def _giving_way(self, request: ReadRequest) -> Callable[[], bool]:
        """Whether to stop for a chart that somebody waits for: asked only where nobody waits for this one."""
        if request.wait_ms:
            return lambda: False

        def give_way() -> bool:
            try:
                return self._store.somebody_waits()
            except redis.RedisError:
                return True

        return give_way

    def _read(self, request: ReadRequest, chart: Chart, reader: ChartReader, seconds: float) -> str:
        outcome = self._read_and_answer(request, chart, reader, seconds)
        self._device.look(reader)
        return outcome

    def _read_and_answer(self, request: ReadRequest, chart: Chart, reader: ChartReader, seconds: float) -> str:
        try:
            with WORKER_READING_SECONDS.time(), self._memory.reading(request.tenant, self._giving_way(request)):
                assessment, cut_short = read_within(reader, chart, seconds)
        except GaveWay:
            GAVE_WAY.inc()
            self._store.uncount(request)
            self._put_off(request)
            return "gave-way"
        except Exception as error:  # whatever a reader may raise; its text may quote the chart: only its type is told
            log.error("reading %s: the reader failed (%s)", request.reading, type(error).__name__)
            self._store.refuse(request)
            return "failed"
        if request.wait_ms and cut_short:
            if says_something(assessment):
                self._store.answer(request, assessment, whole=False)
            self._put_off(_nobody_waits(request))
            return "partial"
        self._store.answer(request, assessment, keep=worth_keeping(assessment))
        return "read"


def register_tasks(
    app: Celery, settings: WorkerSettings, model: LoadedModel, memory: SentenceMemory | None = None
) -> None:
    """Give `app` its tasks and have it load the model before it takes the first. memory: see ReadingDesk."""
    store = ChartStore(blocking_redis(settings), settings.sealer, cache_seconds=settings.cache_seconds)
    questions = QuestionDesk(blocking_redis(settings), settings.sealer, model)
    device = DeviceWatch(end_of_worker(settings))
    desk = ReadingDesk(store, model, lambda request: send(app, READ_TASK, request, queue=LATER_QUEUE), device, memory)

    def read_chart(task: Task, message: Mapping[str, Any]) -> None:
        _counted("read chart", task, lambda: desk.handle(_whose(ReadRequest.model_validate(message))))

    def answer_question(task: Task, message: Mapping[str, Any]) -> None:
        _counted("answer question", task, lambda: questions.handle(_whose(QuestionRequest.model_validate(message))))

    def canary(message: Mapping[str, Any]) -> None:
        _guarded(lambda: store.show_life(Canary.model_validate(message).reading))

    # `shared` they would appear in every app of the process. A canary or a question whose worker died is not worth another one's time.
    app.task(read_chart, name=READ_TASK, bind=True, shared=False)
    app.task(answer_question, name=QUESTION_TASK, bind=True, shared=False, acks_late=False)
    app.task(canary, name=CANARY_TASK, shared=False, acks_late=False, send_events=False)
    _before_the_first_task(app, settings, lambda: _warm_up_or_leave(desk))


def _counted(step: str, task: Task, work: Callable[[], str]) -> None:
    with span(step, kind="CONSUMER", parent=_carrier(task)):
        outcome = _guarded(work)
        note({"dxspan.outcome": outcome})
    WORKER_TASKS.labels(outcome).inc()


def _whose(request: Request) -> Request:
    note_tenant(request.tenant)
    return request


def _carrier(task: Task) -> Carrier:
    sent = task.request.get("traceparent")
    return {"traceparent": sent} if isinstance(sent, str) else {}


def _before_the_first_task(app: Celery, settings: WorkerSettings, begin: Callable[[], None]) -> None:
    """Have `begin` called where the reading is done: `solo` reads in the worker itself, `prefork` in its children."""

    def in_worker(sender: Any = None, **_: Any) -> None:
        if sender.app is app:  # the signal reaches all apps of a process
            begin()

    def in_child(**_: Any) -> None:
        begin()

    if settings.worker_pool == "prefork":
        signals.worker_process_init.connect(in_child, weak=False)
    else:
        signals.worker_init.connect(in_worker, weak=False)


def _warm_up_or_leave(desk: ReadingDesk) -> None:
    """A worker that cannot read must not take tasks from those that can."""
    try:
        desk.warm_up()
    except Exception as error:  # whatever loading may raise
        log.critical("the model could not be loaded, the worker ends: %s: %s", type(error).__name__, error)
        raise SystemExit(1) from None


def _nobody_waits(request: ReadRequest) -> ReadRequest:
    return request.model_copy(update={"wait_ms": 0})


def _guarded(work: Callable[[], str | None]) -> str:
    """Do it, and turn what may go wrong into an outcome: an exception's text would end in Celery's log."""
    try:
        return work() or "done"
    except ValidationError:
        log.error("a task's message is none of ours (or of another version)")
        return "unreadable"
    except Exception as error:  # Redis, kombu, the model: all the same to the queue, and none may reach Celery's log
        log.error("a task failed: %s", type(error).__name__)
        return "failed"
